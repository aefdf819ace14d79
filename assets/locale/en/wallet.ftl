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
system-refused = { $path }: { $reason }
seed-os = The operating system gave no random bytes. Nothing was made
fault-advice = { $what }. { $advice }
wallet-keys = The keys of the wallet cannot be used: { $reason }
archive-header = The archive’s key file is damaged. Use your backup or recovery key

window-no-display = There is no screen to open a window on. Start the wallet in a graphical session, or install one; on Debian for tests: apt-get install xvfb
window-no-gl = This screen cannot draw with OpenGL. On Debian: apt-get install libgl1 libgl1-mesa-dri
window-no-library = A library of the window system is missing. On Debian: apt-get install { $package }
window-failed = The window could not be opened: { $reason }
window-inspected = EGUI_INSPECTION is set, which would let other programs work this window. Unset it and start again

s07-part-header = key file
s07-part-database = database
s07-part-journal = record

book-title = Deal { $short }
book-other = the other party
book-you = you

place-none = There is nothing here yet. This version of the wallet shows your deals and the live log
read-only = Opened read-only: nothing is signed, paid or written

evidence-none = No evidence is kept of any deal yet
# $n: count
evidence-deal =
    { $n ->
        [one] { $deal }  1 statement, { $first }: { $types }
       *[other] { $deal }  { $n } statements, { $first } to { $last }: { $types }
    }
evidence-answer = The answer cannot be written: { $reason }
