#!/usr/bin/awk -f
# Dot gain calculator.
#
# Reads lines of three numbers with white space between: the tone value in the file in per cent, the density of the
# tint, and the density of the solid, all measured on the printing paper with the densitometer set to zero on it.
# Writes for each line: tone value in the file, tone value by Murray-Davies, gain, tone value by Yule-Nielsen, gain.
#
#     awk -v n=1.65 -f dot-gain.awk measured.txt
#
#     50 0.42 1.45        gives        50.0  64.3  14.3  51.1   1.1
#
# n is the Yule-Nielsen factor: 1 gives Murray-Davies, 1.4 to 1.9 is usual on paper. Without -v n=... it is 1.65.
# Lines that begin with # are comments. A line that cannot be right is named on the standard error, and the program
# ends with status 1.
#
# Murray-Davies:  a = (1 - 10^-Dt)     / (1 - 10^-Ds)
# Yule-Nielsen:   a = (1 - 10^(-Dt/n)) / (1 - 10^(-Ds/n))

function power(exponent) { return exp(exponent * log(10)) }
function tone(tint, solid, factor) { return 100 * (1 - power(-tint / factor)) / (1 - power(-solid / factor)) }
function number(text) { return text ~ /^[0-9]+(\.[0-9]+)?$/ }

BEGIN {
    if (n == "") n = 1.65
    if (!number(n) || n < 1 || n > 3) {
        print "n is a number from 1 to 3" > "/dev/stderr"
        wrong = 1
        exit 1
    }
    printf "%6s  %6s  %6s  %6s  %6s\n", "file", "M-D", "gain", "Y-N", "gain"
}

/^[ \t]*(#|$)/ { next }

NF != 3 || !number($1) || !number($2) || !number($3) || $1 > 100 || $3 <= 0 || $2 > $3 {
    printf "line %d cannot be right: %s\n", NR, $0 > "/dev/stderr"
    wrong = 1
    next
}

{
    murray = tone($2, $3, 1)
    yule = tone($2, $3, n)
    printf "%6.1f  %6.1f  %6.1f  %6.1f  %6.1f\n", $1, murray, murray - $1, yule, yule - $1
}

END { exit wrong }
