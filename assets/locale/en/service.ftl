### Services that come over the network: why one is not used, and how far it is believed.

service-bad-package = The service file is damaged ({ $reason })
    .standing = Nothing of it was used. Nothing was paid or handed over
    .advice = Fetch it again. If it happens again, tell the shop
service-unpackable = This makes no service file: { $reason }
    .standing = Nothing was written
    .advice = Correct the files and pack them again
service-bad-statement = What was signed about this service cannot be used
    .standing = It counts for nothing. Nothing was paid or handed over
    .advice = Fetch it again. If it happens again, tell whoever signed it
service-other-terms = The shop signed other terms than those that came
    .standing = No deal was opened. Nothing was paid or handed over
    .advice = Fetch the terms again from the shop itself
service-not-offered = The shop does not offer this service at present
    .standing = No deal was opened. Nothing was paid or handed over
    .advice = Ask the shop for its present terms
service-equivocation = This shop has signed two different texts under the same version { $version }. Both are kept as evidence. The service is blocked
    .standing = No deal was opened. Deals that are open go on under the terms you accepted
    .advice = Report it: both signed texts then go to the arbiter or the evaluator
service-downgrade = The shop offers an older version ({ $old }) than the one you accepted ({ $new })
    .standing = It was not accepted. No deal was opened
    .advice = Ask the shop for the version you know

# How far a service is believed.
service-not-translated = (not translated)
service-built-in = Terms: they come with SEMPER
service-reviewed-by = Terms: reviewed by { $evaluator }, grade { $grade }
service-grade-0 = not certified
service-grade-1 = checked by machine
service-grade-2 = reviewed
service-grade-3 = reviewed and watched

# Why a statement of an evaluator does not count.
service-uncounted-unreadable = This is no evaluation that can be read
service-uncounted-certificate = The evaluator’s certificate is not accepted
service-uncounted-not-independent = The evaluator belongs to the shop itself
service-uncounted-not-trusted = You have not chosen this evaluator as one you trust
service-uncounted-trust-ended = Your trust in this evaluator ended on { $date }
service-uncounted-other-package = The evaluation is about another text than the one that came
service-uncounted-not-yet = The evaluation begins on { $date }
service-uncounted-expired = The evaluation ended on { $date }
service-uncounted-withdrawn = The evaluator withdrew this evaluation on { $date }
service-uncounted-no-list = The evaluator’s list of withdrawn certificates is not here
# $days: count
service-uncounted-old-list =
    { $days ->
        [one] The evaluator’s list of withdrawn certificates is { $days } day old
       *[other] The evaluator’s list of withdrawn certificates is { $days } days old
    }
service-uncounted-other-profile = You trust this evaluator for other kinds of business
service-uncounted-other-law = The evaluation is not for the law of this service
service-uncounted-other-money = You trust this evaluator for { $currency } only

# What changed since the version that was accepted.
# $n: count
service-update-texts =
    { $n ->
        [one] { $n } changed text
       *[other] { $n } changed texts
    }
# $n: count
service-update-deadlines =
    { $n ->
        [one] { $n } changed deadline: { $list }
       *[other] { $n } changed deadlines: { $list }
    }
# $n: count
service-update-rules =
    { $n ->
        [one] { $n } changed rule
       *[other] { $n } changed rules
    }
service-update-instructions = What you allowed once and for all in this service no longer counts
