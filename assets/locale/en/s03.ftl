### S03 Password and PIN.

s03-title = Protect this wallet
s03-password = Password
s03-again = Password again
s03-strength = Strength
s03-strong = { $level }: about { $time } to guess with a stolen file
s03-level-good = Good
s03-level-strong = Strong
s03-weak = Too easy to guess: { $reason }. Add unusual words
s03-weighing = How hard it is to guess is being worked out
s03-why-short = it has fewer than 10 letters
s03-why-common = many people use it, or one like it
s03-why-word = a word or a name alone is guessed first
s03-why-row = it follows the keyboard, or repeats itself
s03-why-date = dates and years are guessed first
s03-why-known = it uses the words of your seal
s03-why-few = it has too few unusual words
s03-differs = The two entries differ
s03-same = same
s03-advice = Sentences of four or more unusual words work well
s03-nopaste = Secrets are typed here, never pasted
s03-pin = PIN for payments, 6 to 12 digits
s03-pin-again = PIN again
s03-pin-bad = This PIN is a date or a simple row. Choose another
s03-pin-form = A PIN has 6 to 12 digits
s03-need = Fill in all four fields
# $n: count
s03-days =
    { $n ->
        [one] { $n } day
       *[other] { $n } days
    }
# $n: count
s03-years =
    { $n ->
        [one] { $n } year
       *[other] { $n } years
    }
s03-hours = some hours
s03-ages = a million years
