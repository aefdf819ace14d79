### What every screen shares: bar, navigation, status line.

bar-line = Only TINGUIN can show your picture and words
bar-door = These are your two words. Type your password only when you see them
bar-seal = Your picture
bar-words = Your words: { $first } { $second }

chip-identified = { $shop } knows your name
chip-pseudonym = { $shop } knows you as { $nick }
chip-anonymous = { $shop } cannot recognise you again
chip-degraded = Less anonymous: { $leak }
chip-online = Online
chip-offline = Offline since { $time }
chip-lock = Lock
chip-lock-name = Lock now
chip-demo = Play money

# $n: count
tray-label = Waiting for you ({ $n })
tray-short = Waiting for you
tray-none = Nothing waits for you

place-home = Home
place-purses = Purses
place-archive = Archive
place-contacts = Contacts
place-terms = Terms
place-statements = Statements
place-log = Log
place-settings = Settings
place-menu = Menu
place-rail = Navigation

status-name = Last event
status-log = Open the log
status-quiet = Nothing has happened since start

clock-warn = The clock of this computer differs by { $span } from signed time. Signing stops above 5 minutes

secret-caps = Caps Lock is on
secret-full = This field takes no more letters
secret-mask = Filled in
