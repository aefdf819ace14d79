#!/bin/sh
# Checks a file of evidence with sh, sha256sum and openssl (3.0 or later) only.
#   sh verify.sh ROOT_SHA256
# ROOT_SHA256 is the fingerprint (SHA-256 of the DER) of the root certificate you trust, from a source of
# your own: the letter of the registration authority, its web page, a notary. A file that was made up with
# roots of its own is refused, since its root has another fingerprint.
# Prints a line for each object; the last line says ACCEPTED or REFUSED, and the exit code is 0 or 1.
# Nothing of the folder is run or printed but names, which are plain: whoever made it may be a forger.
LC_ALL=C; export LC_ALL; umask 077; unset CDPATH
root=$1; rc=0; count=0
bad() { printf 'FAIL %s\n' "$*"; rc=1; }
stop() { bad "$@"; echo REFUSED; exit 1; }
is_hash() { case $1 in *[!0-9a-f]*) return 1;; esac; [ ${#1} = 64 ]; }
sha() { set -- $(sha256sum < "$1"); echo "$1"; }
line() { sed -n "/^$2: /{s///p;q;}" "$1"; }
is_hash "$root" || { echo "usage: sh verify.sh ROOT_SHA256 (64 lower-case hexadecimal digits)"; exit 2; }
case :$PATH: in *:[!/]*) echo "PATH names a relative folder: a file of the evidence could be run"; exit 2;; esac
cd "$(dirname "$0")" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# 1. The folder: plain files with plain names, statements of plain text, and exactly the files that are listed.
[ -z "$(find . ! -type f ! -type d)" ] || stop "a link or another thing instead of a file"
[ -z "$(find . -path './*' \( -name '*[!0-9A-Za-z._-]*' -o -name '[.-]*' \))" ] || stop "an unusual name of a file"
[ -z "$(find . -type f -size +20480 ! -path './attachments/*')" ] || stop "a file too large for what it is"
[ -z "$(find . \( -name '*.tbs' -o -path './journal/*.txt' \) -exec grep -al '[[:cntrl:]]' {} +)" ] ||
  stop "a statement or record that is not plain text"
find . -type f ! -path ./MANIFEST.sha256 ! -path ./MANIFEST.tbs ! -path ./MANIFEST.sig ! -path ./MANIFEST.signer \
  ! -path ./MANIFEST.at ! -path ./verify.sh -exec sha256sum {} + | sed 's,  \./,  ,' | sort -k 2 > "$work/list"
cmp -s "$work/list" MANIFEST.sha256 || stop "a file differs from MANIFEST.sha256, is missing there, or is not listed"
[ "$(sed -n 1p MANIFEST.tbs)" = "semper-statement/1 dossier" ] || bad "MANIFEST.tbs is no dossier"
[ "$(line MANIFEST.tbs manifest-sha256)" = "$(sha MANIFEST.sha256)" ] || bad "MANIFEST.tbs names another list of files"
[ "$(line MANIFEST.tbs verify-sha256)" = "$(sha verify.sh)" ] || bad "verify.sh is not the one named in MANIFEST.tbs"

# 2. The root: the one you named, and no other.
openssl x509 -passin pass: -in "roots/$root.pem" -outform DER -out "$work/root.der" 2>/dev/null || stop "the root $root is not in roots/"
[ "$(sha "$work/root.der")" = "$root" ] || stop "roots/$root.pem is not the certificate of that fingerprint"
openssl x509 -in "$work/root.der" -out "$work/root.pem" 2>/dev/null

# 3. Certificates and keys: each under its own name. (An empty pass phrase: a file that asks for one is no certificate.)
: > "$work/chain.pem"
for c in certs/*.pem; do [ -f "$c" ] || continue
  openssl x509 -passin pass: -in "$c" -outform DER -out "$work/c.der" 2>/dev/null || { bad "no certificate: $c"; continue; }
  [ "certs/$(sha "$work/c.der").pem" = "$c" ] || bad "name of $c"
  openssl x509 -in "$work/c.der" >> "$work/chain.pem"; done
for k in keys/*.pem; do [ -f "$k" ] || continue
  openssl pkey -passin pass: -pubin -in "$k" -outform DER -out "$work/k.der" 2>/dev/null || { bad "no key: $k"; continue; }
  [ "keys/$(sha "$work/k.der").pem" = "$k" ] || bad "name of $k"; done

# vouched KEY: whether a statement pay/acct names its owner, under a certificate with the role of a bank.
vouched() { for v in evidence/*/; do
  [ "$(sed -n 1p "${v}object.tbs")" = "semper-statement/1 pay/acct" ] && [ "$(line "${v}object.tbs" owner)" = "$1" ] || continue
  b=$(cat "${v}signer.txt"); is_hash "${b#cert }" || continue
  openssl x509 -passin pass: -in "certs/${b#cert }.pem" -noout -ext extendedKeyUsage 2>/dev/null |
    grep -qE '1\.3\.6\.1\.4\.1\.32473\.1\.5(,|$)' && return 0; done; return 1; }

# signed PREFIX SIGNER TIME: the signature, whose key it is, and the chain up to the root at that time.
signed() { s=${2#* }; is_hash "$s" || { bad "signer of $1"; return; }
  case $3 in *[!0-9]*|""|?????????????*) bad "time of $1"; return;; esac
  case $2 in
  "cert "*) openssl x509 -passin pass: -in "certs/$s.pem" -noout -pubkey > "$work/p.pem" 2>/dev/null || { bad "certificate of $1"; return; }
    openssl verify -no-CApath -no-CAstore -CAfile "$work/root.pem" -untrusted "$work/chain.pem" -attime "$3" "certs/$s.pem" \
      >/dev/null 2>&1 || bad "chain of $1" ;;
  "key "*) cp "keys/$s.pem" "$work/p.pem" 2>/dev/null || { bad "key of $1"; return; }
    vouched "$s" || bad "no bank says whose key signed $1" ;;
  *) bad "signer of $1"; return ;; esac
  openssl pkey -passin pass: -pubin -in "$work/p.pem" -outform DER -out "$work/p.der" 2>/dev/null || bad "key of $1"
  [ "$(line "$1.tbs" signer)" = "$(sha "$work/p.der")" ] || bad "$1 names another signer"
  openssl pkeyutl -verify -pubin -inkey "$work/p.pem" -rawin -in "$1.tbs" -sigfile "$1.sig" >/dev/null 2>&1 || bad "signature of $1"; }

# 4. Every signed object, and as many as the dossier says.
signed MANIFEST "$(cat MANIFEST.signer)" "$(cat MANIFEST.at)"
[ "$(date -u -d "@$(cat MANIFEST.at)" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null)" = "$(line MANIFEST.tbs at)" ] ||
  bad "MANIFEST.at is not the time in MANIFEST.tbs"
for d in evidence/*/; do [ -f "${d}object.tbs" ] || { [ ! -d "$d" ] || bad "no object in $d"; continue; }
  before=$rc; rc=0; kind=$(sed -n '1s,^semper-statement/1 \([a-z0-9/-]*\)$,\1,p' "${d}object.tbs")
  [ -n "$kind" ] || bad "no statement: $d"
  signed "${d}object" "$(cat "${d}signer.txt" 2>/dev/null)" "$(cat "${d}at.txt" 2>/dev/null)"
  [ $rc = 0 ] && echo "ok   $d $kind" && rc=$before
  count=$((count+1)); done
[ "$(line MANIFEST.tbs objects)" = "$count" ] || bad "the dossier names another number of objects"

# 5. Attachments: each under its hash.
for f in attachments/*; do [ -f "$f" ] || continue; [ "attachments/$(sha "$f")" = "$f" ] || bad "name of $f"; done

# 6. The record: each line names the one before, and the signed head names the last.
for j in journal/*.txt; do [ -f "$j" ] || continue; h=${j%.txt}
  p=0000000000000000000000000000000000000000000000000000000000000000; n=0; i=0
  [ -f "$h.prev" ] && p=$(cat "$h.prev")
  while IFS= read -r l || [ -n "$l" ]; do i=$((i+1)); set -f; set -- $l; set +f; n=$1
    [ $# = 6 ] && [ "$*" = "$l" ] && [ "$6" = "$p" ] || bad "$j, line $i"
    p=$(printf '%s\n' "$l" | sha256sum); p=${p%% *}; done < "$j"
  [ "$(line "$h.head.tbs" hash)" = "$p" ] && [ "$(line "$h.head.tbs" seq)" = "$n" ] || bad "$j does not end at its signed head"
  k=$(line MANIFEST.tbs journal-key); is_hash "$k" || { bad "the dossier names no key for $j"; continue; }
  [ "$(line "$h.head.tbs" signer)" = "$k" ] || bad "the head of $j has another signer than the dossier names"
  openssl pkeyutl -verify -pubin -inkey "keys/$k.pem" -rawin -in "$h.head.tbs" -sigfile "$h.head.sig" >/dev/null 2>&1 || bad "head of $j"; done

[ $rc = 0 ] && echo "ACCEPTED $count objects, root $root" || echo "REFUSED"
exit $rc
