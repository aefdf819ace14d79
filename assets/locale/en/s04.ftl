### S04 Gather randomness.

s04-title = Make your keys
s04-pad = Move the pointer here, or type anything. It is not stored
s04-mixed = Your movements are mixed with the computer's own randomness, never used alone
# $n: count
# $total: count
s04-short = { $n } of { $total } events so far. Go on a little
s04-regular = This input repeats itself and does not count. Move the pointer or type freely
s04-skip = Continue without my part
s04-stop = This computer offers no random numbers. Keys made now would be unsafe. Nothing was made
s04-computer = Randomness of the computer
# $n: count
# $total: count
s04-yours = From you: { $n } of { $total } events
s04-yours-skipped = From you: nothing, as you wished
s04-keys = Keys
s04-making = Your keys and your archive are being made
s04-failed = The wallet was not made: { $reason }
