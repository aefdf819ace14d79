### The states every view can be in.

# $i: count
# $n: count
state-loading = { $step } ({ $i } of { $n })
state-offline = You are offline. You can still read deals, evidence and purses. Sending waits until you are back
state-offline-since = Offline since { $time }
# $seconds: count
state-slow = Still working, { $seconds } s so far
state-cancel = Cancel
state-error-what = What happened
state-error-why = Why
state-error-now = What you can do
state-skeleton = Loading
