### Why a link or an invite file of a page is not followed.

uri-bad = This SEMPER link is damaged or not genuine
    .standing = It was not followed. Nothing was sent
    .advice = Go back to the shop's page and order again. If it happens again, tell the shop
uri-invite = This invite file is damaged or not genuine
    .standing = It was not followed. Nothing was sent
    .advice = Fetch the file again from the shop's page. If it happens again, tell the shop
uri-unknown = The shop knows nothing of what this link points to
    .standing = Nothing was ordered
    .advice = Go back to the shop's page and order again
uri-lapsed = This offer has lapsed: it was not opened in time
    .standing = Nothing was ordered
    .advice = Go back to the shop's page and order again
uri-claimed = Somebody else has already opened this offer
    .standing = Nothing was ordered here
    .advice = Go back to the shop and order again
uri-yours = You have already opened this offer
    .standing = What was begun is where it was
    .advice = Go on in the deal that is open, and order again only if you want it twice
