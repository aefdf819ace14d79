### S08 Home.

s08-title = Deals in progress
s08-empty = No deals under way
s08-find = Find a shop…
s08-find-close = Close the search
s08-find-label = Name of a shop, or what it sells
s08-find-none = No shop matches
s08-shop-certified = certified by { $certifier }
s08-shop-open = Open { $shop }
s08-next-pay = Pay now
s08-next-sign = Review and order
s08-next-wait = Waiting for { $party }
s08-next-check = Check delivery
s08-act-name = { $act }: { $deal }
s08-open = Open { $deal }
s08-left = { $time } left
s08-by = by { $date }
s08-overdue = overdue
# $i: count
# $n: count
s08-step = Step { $i } of { $n }: { $step }
# $n: count
s08-resume =
    { $n ->
        [one] Resuming 1 deal after a restart. Nothing is signed twice
       *[other] Resuming { $n } deals after a restart. Nothing is signed twice
    }
# $n: count
s08-unshown =
    { $n ->
        [one] A question waits for you, and this version of the window cannot show it. Nothing is signed without your answer
       *[other] { $n } questions wait for you, and this version of the window cannot show them. Nothing is signed without your answer
    }
s08-nodir = The directory does not answer. Shops you know are under Contacts
s08-money = Money
s08-money-none = No purses yet
s08-purse = { $purse }, { $balance }
s08-purse-open = Open { $purse }
s08-ready = ready
s08-ended = Recently ended
s08-ended-none = Nothing has ended yet
s08-ended-closed = closed
s08-ended-completed = completed
s08-ended-declined = declined by you
s08-ended-refused = refused by { $party }
s08-ended-undone = undone, nothing was paid
s08-ended-broken = broken by { $party }
s08-ended-either = declined
