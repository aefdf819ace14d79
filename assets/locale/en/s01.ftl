### S01 Welcome and language, and what the steps of the first start share.

s01-title = TINGUIN
s01-lead = Your own window for buying safely on the Internet
s01-why = What pages show you can be faked. What this window shows was checked on this computer
s01-language = Language
s01-new = Set up this computer
s01-restore = Restore from recovery sheet…
s01-demo = Try with demo money
s01-demo-why = With demo money this wallet also calls shops and banks that run on this computer
s01-err-folder = TINGUIN cannot write to its folder { $folder }. Check the permissions, then start again
s01-x11 = On this desktop (X11) other programs can read your keyboard. A Wayland session is safer. More under Settings, Protection

# $i: count
# $n: count
first-step = Step { $i } of { $n }
first-back = Back
first-continue = Continue
