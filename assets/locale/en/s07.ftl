### S07 Unlock (the door).

s07-title = Unlock
s07-words = { $first } { $second }
s07-password = Password
s07-unlock = Unlock
s07-deriving = Opening your archive
s07-wrong = Wrong password. Nothing was opened
# $seconds: count
s07-throttle = Next try in { $seconds } s
s07-link = A page asks to open a deal. You will see it after unlocking
s07-notmine-link = Not your words? This is not your TINGUIN
s07-notmine = If these are not your two words, close this window. Start TINGUIN from your own menu
s07-forgot-link = Forgot the password
s07-forgot = Nobody can look up or replace a password. This version of the wallet has no recovery sheet: without the password it stays closed
s07-about = About
s07-about-text = TINGUIN { $version }, the wallet of SEMPER. It was not audited; use play money only
s07-damaged = The archive has a damaged part ({ $part }). Intact evidence can be opened read-only
s07-readonly = Open read-only
s07-second = TINGUIN is already running. Look for its window in the task bar
s07-busy = Unlocking has begun
s07-first = Type your password first
s07-wait = Wait until the time is up
