### Why nothing was ordered, or why a shop does not sell what was ordered.

deal-invite = The shop does not sell this article now
    .standing = Nothing was signed, and nothing was paid
    .advice = Look at the shop again: the article may be there under another name
deal-third-party = The shop has no arbiter with whom it could sell fairly now
    .standing = Nothing was signed, and nothing was paid
    .advice = Try again later, or tell the shop
order-no-arbiter = You have no arbiter who could decide if something goes wrong
    .standing = Nothing was signed, and nothing was paid
    .advice = Choose an arbiter whom both you and the shop trust, then order again
order-ceiling = It costs more than may leave in one deal
    .standing = Nothing was signed, and nothing was paid
    .advice = Raise the limit for one deal if the price is right, then order again
order-currency = It is sold in a currency that none of your purses holds
    .standing = Nothing was signed, and nothing was paid
    .advice = Load a purse in that currency, then order again
