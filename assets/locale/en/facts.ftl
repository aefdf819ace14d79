# Labels of facts and words for where they come from. Texts that are signed are made of these:
# a change makes another catalogue, whose digest the record of what was displayed names.
fact-amount = Amount
fact-fee = Fee
fact-total = Total
fact-payee = To
fact-means = Paid with
fact-balance-after = Left in the purse
fact-in-return = You get
fact-gives = You give
fact-finality = Can be taken back
fact-running-total = This deal so far
fact-dispute-window = You can complain
fact-anonymity = Who learns of it
fact-reference = For
fact-document = You sign
fact-content = Full text
fact-binds = This binds you to
fact-signed-as = You sign as
fact-items = Items
fact-counterparty = Other party
fact-third-party = Decides after a fault
fact-deadline = Settled at the latest
fact-protocol = Kept fair by
fact-recipient = Goes to
fact-data = What is told
fact-purpose = Used for
fact-retention = Kept
fact-linkability = Your deals can be linked
fact-irrevocable = Can be undone
fact-terms = Terms
fact-grade = Reviewed
fact-needs = Asks for
fact-findings = Findings
fact-publisher = Published by
fact-fingerprint = Fingerprint
fact-powers = May
fact-claim = Claim
fact-evidence = Evidence
fact-per-use = At most each time
fact-in-all = At most in all
fact-until = Until
fact-revoked = You revoke
fact-consequence = Afterwards
fact-file = File
fact-destination = Goes to
fact-setting = Setting
fact-before = Until now
fact-after = From now on
fact-move = Moves

from-entered = your entry
from-signed = signed by
from-certified = certified by
from-checked = checked here
from-claimed = according to

# Words that are values of facts.
document-certificates = A request for two certificates of your name
document-certificate = A request for a certificate of your name
binds-name-to-keys = Whatever is signed with these keys from now on counts as signed by you
data-organisation = Organisation
data-city = City
data-country = Country
means-sim = Play money
move-open-account = opens an account at the bank
move-open-purse = opens a purse at the bank
move-open-till = opens an account for what you are paid
move-load = from your account into your purse
move-unload = from your purse back to your account
move-close-purse = closes your purse
move-close-account = closes your account
move-pay = out of your purse
learns-bank-name = The bank learns your name, and what you pay from here
learns-bank-and-payee = The bank learns whom you pay. Who is paid learns your account
finality-at-once = not at all, once the bank has booked it
irrevocable-closed = no, it stays closed
return-nothing = nothing that the bank knows of
return-exchange = what was agreed in the exchange it belongs to

# What was checked here.
check-statement = the text to be signed
check-letter = the words of the root against your letter
check-purse = the wallet’s own books

# What is said of deals and exchanges, and what was checked of them here.

document-accept = Your agreement to this exchange
document-offer = Your offer of this exchange
document-deal-open = The opening of this deal

binds-accept = The exchange takes place: your payment is ordered at once, and from then on only the third party can stop it
binds-offer = The other party can agree until the third party has confirmed that you took the offer back
binds-deal-open = Nothing to pay yet. You are asked again before anything leaves

exchange-level-s3 = Either both have everything or nobody has anything. If one side stops, the third party completes it or undoes it, however long messages take
exchange-level-s2 = Either both have everything or nobody has anything, if this computer reaches the third party before its deadline
exchange-level-s1 = Either both have everything, or whoever loses holds proof of it and can complain
exchange-level-s0 = Nothing keeps it fair. The other party can take what you give and give you nothing

item-acknowledgement = a signed acknowledgement
item-certificate = a signed certificate
item-contract = a signed contract
item-offer = a signed offer
item-order = a signed order
item-other = a signed statement
item-receipt = a signed receipt

finality-always = Yes, by the third party, without a time limit
finality-never = No. Once it is booked, nobody takes it back

media-pdf = PDF document
media-epub = electronic book
media-zip = archive of files
media-text = text
media-picture = picture
media-other = file

anonymity-identified = The other party knows your certified name
anonymity-pseudonymous = The other party can recognise you again, without your name
anonymity-anonymous = The other party learns nothing by which it could recognise you

ceiling-none = No limit
third-party-none = Nobody. In this deal nothing can be exchanged fairly
signed-as-nobody = a fresh key without your name

proved-none = Nothing is proved
proved-origin = What is sent is signed by its sender
proved-full = What is sent is signed by its sender, and its receipt by its recipient
proved-notarised = As signed by sender and recipient, with a third party’s time stamp

check-agreed = what this deal has led to
check-attributes = what both programs settled on
check-balance = what the bank confirmed last, less this payment
check-certificate = its certificate, by an authority this computer trusts
check-deadlines = every promise in it lasts at least that long
check-own-certificate = your certificate
check-selection = what both sides’ lists lead to
check-sum = added up here
check-third-party = its certificate, and what it signed about itself
check-undo = what the bank’s and the third party’s rules allow
