### Why a certificate or a revocation list is refused.

cert-profile = This certificate does not follow the rules ({ $what })
    .standing = Nothing was sent or signed
    .advice = Tell whoever showed it. Do not go on with this party until it has another
cert-wrong-role = This party is certified, but not as { $role }
    .standing = Nothing was sent or signed
    .advice = Leave. Somebody may be acting as what he is not
cert-wrong-usage = This certificate is not meant for this use
    .standing = Nothing was sent or signed
    .advice = Tell the other party
cert-not-valid = Valid from { $from } to { $until }; now is { $now }
    .standing = Nothing was sent or signed
    .advice = Check the clock of this computer. If it is right, the other party needs a new certificate
cert-untrusted = No authority that you trust stands behind this certificate
    .standing = Nothing was sent or signed
    .advice = Go on only with parties whose authority you have accepted, by comparing its words with a letter
cert-revoked = This certificate was revoked
    .standing = Nothing was sent or signed
    .advice = Do not rely on new signatures of this party. Earlier ones remain valid
crl-missing = There is no revocation list of the authority behind this certificate
    .standing = Nothing was sent or signed
    .advice = Connect to the network, so that the list can be fetched
# $days: count
crl-stale =
    { $days ->
        [one] The revocation list is { $days } day old
       *[other] The revocation list is { $days } days old
    }
    .standing = Nothing was signed and nothing was paid
    .advice = Connect to the network, so that a new list can be fetched
crl-rollback = An older revocation list was offered than the one that is here
    .standing = The newer list stays. Nothing else happened
    .advice = If this happens again, somebody may want you to trust what was revoked. Use another network
crl-bad = What was offered as a revocation list is none
    .standing = The list that is here stays. Nothing else happened
    .advice = Try again later, or use another network
