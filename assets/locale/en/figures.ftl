### Sums of money in words, below every amount that is to be approved.

# $units: count
# $cents: count
spelled-eur =
    { $units ->
        [one] { $whole } euro
       *[other] { $whole } euros
    } and { $cents ->
        [one] { $part } cent
       *[other] { $part } cents
    }
# $units: count
# $cents: count
spelled-xts =
    { $units ->
        [one] { $whole } unit
       *[other] { $whole } units
    } and { $cents ->
        [one] { $part } hundredth
       *[other] { $part } hundredths
    } of play money
