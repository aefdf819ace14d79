### Why a sale did not come about, or a message in it was not taken.

deal-ceiling = The price is above what may leave in this deal
    .standing = Nothing was signed, and nothing was paid
    .advice = Raise the limit for this deal if you agree to the price
sale-out-of-place = A message came that does not belong here now
    .standing = It was not accepted. What was under way is where it was
    .advice = Nothing needs to be done
