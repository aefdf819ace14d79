### S12 Sign, S13 Pay and exchange, S14 PIN, S15 Stopped: what a person confirms or declines.

s12-title-order = Order from { $party }
s12-title-contract = Contract with { $party }
s12-title-receipt = Receipt for { $party }
s12-title-statement = Statement for { $party }
s12-title-deal = Deal with { $party }
s12-title-certificate = Request to { $party }
s12-hold-order = Hold your picture to order for { $amount }
s12-hold-sign = Hold your picture to sign
s12-wait-read = Ready in { $s } s
s12-wait-front = Not ready: this window is not in front
s12-wait-seen = Not ready: you have not seen all facts
# $n: count
s12-wait-warn =
    { $n ->
        [one] Not ready: 1 warning to acknowledge
       *[other] Not ready: { $n } warnings to acknowledge
    }
s12-wait-fit = Not ready: a fact does not fit. Make the window larger or the zoom smaller
s12-wait-clock = Not ready: the clock of this computer is wrong by { $span }
s12-wait-moving = Not ready: the window is changing its size
s12-wait-touch = Not ready: move the pointer or press a key in this window
s12-wait-pin = Not ready: type the PIN
s12-wait-amount = Not ready: type the amount again
s12-ready = Ready
s12-keep = Keep holding
s12-sending = Signing…
s12-released = Released too early. Nothing was signed
s12-typed = Confirm by typing
s12-typed-back = Confirm by holding
s12-decline = Decline
s12-later = Decide later
s12-declined = Declined. { $party } is told that you declined, not why
s12-checked = Checked on this computer
s12-details = All details
s12-details-less = Fewer details
s12-bytes = What exactly is signed
s12-bytes-digest = SHA-256
s12-bytes-cut = The first { $shown } of { $all } characters. The evidence keeps all of them
s12-steps = Where this deal stands

s13-title = Pay { $party }
s13-title-x = Exchange with { $party }
s13-hold = Hold your picture to pay { $amount }

s14-wallet = PIN for this wallet
# $n: count
s14-wrong =
    { $n ->
        [one] Wrong PIN, 1 try left. Nothing was signed
       *[other] Wrong PIN, { $n } tries left. Nothing was signed
    }
# $minutes: count
s14-blocked = Too many wrong PINs. Try again in { $minutes } min
s14-none = This wallet has no PIN yet. Nothing was signed
s14-keypad = Show keypad
s14-keypad-hide = Hide keypad
s14-digit = Digit { $digit }
s14-back = Take back one digit
s14-retype = Amount in whole { $currency }
s14-checking = Checking the PIN

s15-changed = Stopped: the offer changed while you were looking
s15-expired = Time ran out at { $time }. Nothing was signed
s15-withdrawn = { $party } took the request back. Nothing was signed
s15-gone = Stopped: the deal no longer needs this. Nothing was signed
s15-restart = TINGUIN restarted. Look again before you confirm
s15-new = Look at the new offer
s15-back = Back to the deal
s15-was = { $label }, until now
s15-is = { $label }, now
s15-nothing = Nothing was signed

s17-title-load = Load a purse
s17-title-unload = Unload a purse
s17-title-move = Purse at { $party }
s17-hold-load = Hold your picture to load { $amount }
s17-hold-unload = Hold your picture to unload { $amount }

prompt-somebody = the other party
prompt-title-disclose = Tell { $party }
prompt-title-install = Terms of { $party }
prompt-title-trust = Trust { $party }
prompt-title-dispute = Complaint about { $party }
prompt-title-allow = Standing allowance for { $party }
prompt-title-revoke = Revoke
prompt-title-release = Take out of the wallet
prompt-title-setting = Change a setting
prompt-hold = Hold your picture to confirm
prompt-then-nothing = Then nothing is signed
prompt-then-refused = Then it counts as refused
prompt-then-draft = Then your draft is kept
prompt-left = { $time } left
prompt-file = “{ $name }”, { $size } B, { $media }
prompt-warning = A point to know ({ $key })
prompt-demo = PLAY MONEY
prompt-picture = { $hold }. { $state }
prompt-confirm = Confirm
prompt-decline-sure = Decline for good?
prompt-decline-told = { $party } is told that you declined, not why
prompt-decline-yes = Yes, decline
prompt-decline-no = No, go on looking
prompt-decline-name = Decline: { $what }
prompt-refused = Not confirmed: { $what }

w-first = First time with { $party }. Its certificate comes from { $ca }
w-final = No way back: this means of payment cannot be revoked and there is no exchange
w-uncertified = Nobody you trust has examined these terms
w-identity = { $party } will learn your name
w-ack = I have seen this
w-ack-name = I have seen this: { $warning }

### S26 Waiting for you.

s26-title = Waiting for you
s26-empty = Nothing waits for you
s26-open = Open
s26-open-name = Open: { $what }
s26-home = Something waits for you
