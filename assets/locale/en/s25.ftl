### S25 Live log.

s25-title = Live log
s25-pause = Pause
s25-follow = Follow
s25-search = Search the log
s25-deal = Deal
s25-deal-all = All deals
s25-layer = Layer
s25-layer-all = All layers
s25-layer-commerce = Commerce
s25-layer-exchange = Exchange
s25-layer-transfer = Transfer
s25-layer-communication = Communication
s25-layer-here = This computer
s25-export = Export…
s25-empty = Nothing sent or received since start
s25-nomatch = No line matches
# $n: count
s25-paused =
    { $n ->
        [one] Paused, 1 new line
       *[other] Paused, { $n } new lines
    }
s25-secret = [kept on this computer]
s25-here = this computer
s25-to = to { $peer }
s25-from = from { $peer }
s25-bytes = { $size } B
# $n: count
s25-items =
    { $n ->
        [one] 1 item
       *[other] { $n } items
    }
s25-signed-you = signed by you
s25-signed-peer = signature checked
s25-signed-bad = signature wrong
s25-unkept = no signature kept
s25-unsigned = not signed
s25-unsent = not sent: { $reason }
s25-row = { $time }, { $way }, { $layer }, { $message }, { $size }, { $verdict }
s25-hex = Hex
s25-fields = Fields
s25-diagram = Show in the deal
s25-session = TLS peer
s25-more = { $size } B more are not shown here
