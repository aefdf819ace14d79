### The lines of the live log: every type of statement, and every step of a sale, in plain words.
### An id is `line-` and the type, with hyphens for strokes.

# Statements about the deal.
line-deal-propose = Proposal to open a deal
line-deal-accept = Answer to the proposal of a deal
line-deal-open = Opening of the deal
line-deal-resume = How far each side is, on a new connection
line-deal-close = Closing of the deal

# Messages of an exchange.
line-x-neg-propose = What is wanted, and what is given for it
line-x-neg-answer = What can be had, and how it is kept fair
line-x-gxv-offer = Offer of the exchange
line-x-gxv-accept = Agreement to the exchange
line-x-gxv-decline = The offer is declined
line-x-gxv-moved = The payment has been ordered
line-x-gxv-item = The goods: the key that opens the file
line-x-gxv-close = The goods are here and were checked
line-x-escrow = Deposit for the third party, sealed
line-x-xfer-message = Something handed over without an exchange
line-x-xfer-close = What was handed over is here

# Requests to the third party, and its answers.
line-t-abort = Request to stop the exchange
line-t-resolve = Request to complete the exchange
line-t-status = Question how the exchange stands
line-t-receipt = The third party has the request
line-t-decision = The third party’s decision
line-t-replacement = What the third party gives in the stead of { $peer }
line-t-affidavit = What the third party attests in the stead of { $peer }
line-t-not-yet = The payment has not happened yet, says the bank
line-t-pending = The third party has not decided yet
line-t-reject = The third party does not take the request
line-t-caps = What the third party can do
line-t-head = Head of the third party’s record
line-t-escrow-cert = The third party holds a deposit

# The means of payment, orders to the bank, and its answers.
line-pay-neg-p = Which means of payment are taken
line-pay-neg-s = Which means of payment is chosen
line-pay-neg-c = The means of payment is settled
line-pay-neg-r = There are no means of payment in common
line-pay-pay = Order to pay
line-pay-query = Question to the bank what it has booked
line-pay-tx-statement = The bank’s record of the payment
line-pay-declined = The bank declines
line-pay-balance = What the bank has in the account
line-pay-inspect = Question what is in the account
line-pay-open = Order to open an account
line-pay-acct = The bank has opened the account
line-pay-load = Order to load the purse
line-pay-unload = Order to unload the purse
line-pay-close = Order to close the account
line-pay-descriptor = What a payment system says of itself
line-pay-freeze = The third party has the bank stop a payment
line-pay-look = The third party asks the bank about a payment
line-pay-award = The third party has the bank order a payment back
line-a-record = An authority’s record

# Other statements.
line-offer = Offer
line-order = Order
line-confirmation = Confirmation
line-refusal = Refusal
line-receipt = Receipt
line-dispatch = Note that something was sent
line-accepted = Note that something was accepted
line-notice = Notice
line-contract = Contract
line-statement = Statement
line-attribute = Certified attribute
line-timestamp = Time stamp
line-certificate-request = Request for a certificate
line-revoke-own = Revocation of an own certificate
line-dossier = Dossier of evidence
line-service-terms = Terms of business, signed by the shop
line-service-evaluation = Review of terms of business
line-evaluation-revocations = List of withdrawn reviews
line-journal-head = Signed head of the journal
line-d-anchor = An authority has witnessed the journal
line-act-generate-key = A key was made
line-act-destroy-key = A key was destroyed

# What a sale does on this computer.
line-sale-buy = You began to buy
line-sale-sell = Somebody began to buy
line-sale-connected = Connected with { $peer }
line-sale-frame = { $peer } sent a message
line-sale-signed = Something was signed
line-sale-refused = A signature was refused
line-sale-fetched = The sealed file was fetched
line-sale-opened = The file was opened and measured
line-sale-bank = The bank has answered
line-sale-bank-silent = The bank does not answer
line-sale-arbiter = The third party has answered
line-sale-timer = A wait has ended
line-sale-stop = You gave up
line-sale-step = A step of the sale

# Other lines, and what stands for the goods in a line that would name them.
line-alarm-effect-dropped = Something could not be sent and was given up
line-export-dossier = A dossier was exported
line-user-choice-sign = You confirmed what is signed
line-user-choice-pay = You confirmed a payment
line-user-choice-exchange = You agreed to the exchange with { $peer }
line-user-choice-purse-move = You confirmed a movement of your money
line-user-choice-disclose = You confirmed what is told about you
line-user-choice-install = You confirmed new terms of business
line-user-choice-trust = You confirmed whom to trust
line-user-choice-dispute = You confirmed a complaint
line-user-choice-allow = You allowed something once and for all
line-user-choice-revoke = You confirmed that something counts no more
line-user-choice-release = You confirmed that something leaves the archive
line-user-choice-setting = You confirmed a setting
told-item = what was agreed
