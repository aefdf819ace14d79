### Registration with a certification authority, and the random seed before it.

prk-length = A registration key has 16 characters in 4 groups
    .standing = Nothing was sent
    .advice = Enter all four groups from your letter
prk-typo = One character in group { $group } is wrong
    .standing = Nothing was sent
    .advice = Compare the group with your letter
prk-unclear = The groups do not fit each other
    .standing = Nothing was sent
    .advice = Compare all four groups with your letter
letter-line = The letter is not whole: { $line } is missing
    .standing = Nothing was sent
    .advice = Take the letter as it came from the authority
letter-other-root = The words in the letter are not those of the authority’s root certificate
    .standing = Nothing was sent
    .advice = Do not go on. Ask the authority in another way which words are right
ca-unknown-prk = { $ca } does not know this registration key for this name
    .standing = Nothing was registered
    .advice = Check name and key, or call { $ca }
ca-nonce = The registration took too long
    .standing = Nothing was registered
    .advice = Ask once more. Your keys stay the same
# $left: count
ca-name-differs =
    { $left ->
        [one] The names differ from those in your letter. { $left } try is left today
       *[other] The names differ from those in your letter. { $left } tries are left today
    }
    .standing = Nothing was registered
    .advice = Enter the names exactly as they are printed
ca-locked = Too many wrong tries
    .standing = Nothing was registered
    .advice = Try again after { $until }, or call { $ca }
ca-void = This registration key is no longer valid
    .standing = Nothing was registered
    .advice = Ask { $ca } for a new registration
ca-already-issued = { $ca } has already issued a certificate for this registration key on { $at }. It issues only one
    .standing = The certificate that was issued stays as it is
    .advice = If you have lost it, ask the registration authority for a new registration
ca-bad-key = { $ca } cannot certify the keys of this wallet
    .standing = Nothing was registered
    .advice = Make new keys and ask again
ca-bad-subject = The names cannot be written into a certificate ({ $what })
    .standing = Nothing was issued
    .advice = Correct the names
ca-not-ours = { $ca } has issued nothing of the kind
    .standing = Nothing was changed
    .advice = Check whether you asked the right authority
ca-bad-answer = The answer did not come from the certification authority that registered you
    .standing = Nothing was kept
    .advice = Check the address and the eight words in your letter, or use another network
ca-other-names = The certificates of this registration were issued for { $given }. Other names were entered now
    .standing = The certificates that were issued stay as they are
    .advice = Enter the names exactly as they are printed in your letter
# $counted: count
# $total: count
seed-too-short = { $counted } of { $total } events so far
    .standing = No keys were made
    .advice = Go on a little, or continue without your part
# $counted: count
# $total: count
seed-too-regular = What you entered repeats itself. { $counted } of { $total } events count
    .standing = No keys were made
    .advice = Move the pointer freely, or type something less regular
# $total: count
seed-ask = Type anything, as irregularly as you can: { $total } keys, and when you press them, go into the keys of this wallet. Nothing of it is shown or kept. Ctrl-D leaves it out
# $counted: count
# $total: count
seed-progress = { $counted } of { $total }
seed-typed = Its keys are made of random bytes of this computer and of what you typed
seed-left-out = Its keys are made of random bytes of this computer alone, as you wished
seed-unattended = Its keys are made of random bytes of this computer alone, since nobody could type at a terminal
