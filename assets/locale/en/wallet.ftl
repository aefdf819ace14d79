### The wallet's program: setting it up, opening its window, and its commands.

profile-exists = { $path } is in use already. Choose another folder
profile-missing = There is no wallet in { $path }. Make one with: semper-wallet init
profile-exposed = { $path } can be read by others. Run: chmod go= { $path }
profile-door = { $path } is damaged: it holds the two words and the colour that stand at the door
profile-words = Give two words of 2 to 24 letters each
profile-home = No folder for the wallet can be found. Name one with --profile
profile-made = The wallet is ready in { $path }

password-short = Choose a password of at least 10 letters
password-weak = Too easy to guess. Add unusual words
password-form = A password has one line of at most 128 bytes, without control characters
password-absent = No password came. Type it, or give it on the standard input
password-prompt = Password:{" "}

unlock-wrong-password = Wrong password. Nothing was opened
    .standing = Nothing was opened
    .advice = Try again
system-refused = { $path }: { $reason }
seed-os = The operating system gave no random bytes. Nothing was made
    .standing = Nothing was made or signed
    .advice = Start the computer again. If it happens again, do not use it
wallet-file = A file that was bought cannot be read: { $reason }
fault-advice = { $what }. { $advice }
wallet-keys = The keys of the wallet cannot be used: { $reason }
archive-header = The archive’s key file is damaged. Use your backup or recovery key
    .standing = Nothing was opened
    .advice = Restore your last backup

window-no-display = There is no screen to open a window on. Start the wallet in a graphical session, or install one; on Debian for tests: apt-get install xvfb
window-no-gl = This screen cannot draw with OpenGL. On Debian: apt-get install libgl1 libgl1-mesa-dri
window-no-library = A library of the window system is missing. On Debian: apt-get install { $package }
window-failed = The window could not be opened: { $reason }
window-inspected = EGUI_INSPECTION is set, which would let other programs work this window. Unset it and start again

s07-part-header = key file
s07-part-database = database
s07-part-journal = record

book-title = Deal { $short }
book-new = New deal
book-item = “{ $title }”
book-other = the other party
book-bank = the bank
book-arbiter = the arbiter
book-you = you
step-opening = Opening
step-offer = Offer
step-agreement = Agreement
step-payment = Payment
step-delivery = Delivery

place-none = This version of the wallet cannot show this yet. It shows your deals, your purses and the live log
read-only = Opened read-only: nothing is signed, paid or written

evidence-none = No evidence is kept of any deal yet
# $n: count
evidence-deal =
    { $n ->
        [one] { $deal }  1 statement, { $first }: { $types }
       *[other] { $deal }  { $n } statements, { $first } to { $last }: { $types }
    }
evidence-file = { $what }. { $standing }. { $advice }
evidence-answer = The answer cannot be written: { $reason }
evidence-bad-deal = A deal is named by 64 hexadecimal digits. This lists them: semper-wallet evidence list
evidence-bad-root = The fingerprint of a root certificate has 64 hexadecimal digits in small letters
evidence-no-root = A dossier does not vouch for itself: name the root certificate you trust with --root and its fingerprint, as the letter of your authority has it. There is no wallet here that trusts one
evidence-own-root = Checked against the root that your wallet in { $path } trusts: { $root }
evidence-no-deal = No evidence is kept of deal { $deal }
evidence-no-sign-key = This wallet has no key that signs in your name, so nobody would stand behind the dossier. Register with a certification authority first
evidence-no-certificate = Your signing key has no certificate, so a judge could not know whose it is. Register with a certification authority first
evidence-no-journal-key = The key that signs your record is missing from this wallet
evidence-no-key = A statement ({ $kind }) is signed by { $signer }, of whom this wallet keeps neither certificate nor key
evidence-draft = The dossier cannot be put together: { $reason }
import-too-big = This folder has more files, or larger ones, than any dossier
evidence-exported = The dossier of deal { $deal } is in { $path }
evidence-report = What happened in deal { $deal }, in order, as { $compiler } has kept it. Each time is when the document was made or came there. Below each stand its type, and the SHA-256 of its text by which others name it.
evidence-about = { $what }. Signed by { $signer }
evidence-about-account = { $what }. Signed with the key of an account
evidence-parties = Whose certificates these are, which the documents name by their SHA-256:
evidence-object-ok = ok    { $place }  { $kind }
evidence-object-bad = FAIL  { $place }  { $kind }
# $n: count
evidence-accepted = Accepted: { $n } signed objects, root { $root }
evidence-refused = Refused

finding-attachment = { $place }: the content has another name than its digest
finding-certificate = { $place }: no certificate of that name
finding-chain = { $place }: no chain leads from the certificate to your root at that time
finding-dossier = { $place }: is no signed list of these files
finding-file = { $place }: differs from the list of files
finding-form = { $place }: is no statement in its exact form
finding-head = { $place }: the record does not end at its signed head
finding-journal = { $place }: a line does not follow from the one before
finding-key = { $place }: no key of that name
finding-list = { $place }: the list and the folder name different files
finding-revoked = { $place }: the certificate had been revoked
finding-root = { $place }: the root you named is not there
finding-strange = { $place }: is no plain file
finding-signature = { $place }: the signature does not verify
finding-signer = { $place }: names another signer
finding-time = { $place }: the time of the proof is missing
finding-stated = { $place }: says that it was made when it cannot have been
finding-unvouched = { $place }: nobody says whose key this is

pref-line = { $name } = { $value }  ({ $about })
pref-idle = not yet in effect
pref-lock-after = The window locks after so long without a key or a move of the pointer: 1 min to 60 min
pref-money-per-deal = The most that one deal may cost, in euro or play money: EUR 0.00 to EUR 10000.00
pref-third-arbiters = The third parties that may decide, by host or host:port, separated by a comma and a space. Nobody named means all that you know
pref-unknown = There is no such preference
    .standing = Nothing was changed
    .advice = Look at their names: semper-wallet preferences list
pref-no-effect = This version does nothing with { $name } yet, so it is not set
    .standing = Nothing was changed
    .advice = Look at those with an effect: semper-wallet preferences list
pref-lowers = This change of { $name } would make the wallet less safe
    .standing = Nothing was changed
    .advice = If you mean it, say so with --lower

terms-shop = Shop: { $name } ({ $organisation })
terms-none = No terms of business
terms-service = { $title } ({ $service } { $version }), offered until { $until }, package { $package }
terms-grade = Grade { $grade }, { $words }, by { $by }
terms-unbelieved = Grade 0, { $words }
terms-uncounted = Does not count: { $by }: { $why }
terms-finding = { $check } { $place }: { $says }
terms-first-seen = You have not accepted these terms before
terms-unchanged = You have accepted these terms
terms-update = A newer version than the one you accepted: { $old } → { $new }
terms-widened = It asks for more ({ $capability }): { $old } → { $new }
terms-lower-grade = It is believed less than before: grade { $old } → { $new }
terms-refused = { $service } { $version } is refused: { $why } ({ $code })
evaluator-none = You trust no evaluator of terms of business
evaluator-trusted = { $name }: up to grade { $most }, up to { $ceiling }, until { $until }, key { $key }, { $words }
evaluator-unconfirmed = The words of this certificate are: { $words }. Compare them with those that the evaluator tells you by another way, then say --compared
evaluator-real-money = Evaluators are trusted here for play money only. Give the sum as XTS 1000.00
evaluator-form = This is not written as it should be: { $text }
evaluator-unknown = You do not trust such an evaluator. List them with: semper-wallet trust list
