#!/bin/sh
# Checks a file of evidence with sh, sha256sum and openssl (3.0 or later) only.
#   sh verify.sh ROOT_SHA256
# ROOT_SHA256 is the fingerprint (SHA-256 of the DER) of the root certificate you trust, from a source of
# your own: the letter of the registration authority, its web page, a notary. A file that was made up with
# roots of its own is refused, since its root has another fingerprint.
# Prints a line for each object; the last line says ACCEPTED or REFUSED, and the exit code is 0 or 1.
LC_ALL=C; export LC_ALL; umask 077
cd "$(dirname "$0")" || exit 2
root=$1; rc=0; count=0
bad() { echo "FAIL $*"; rc=1; }
sha() { sha256sum < "$1" | cut -c1-64; }
line() { sed -n "s/^$2: //p" "$1" | sed -n 1p; }
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
case $root in *[!0-9a-f]*|"") echo "usage: sh verify.sh ROOT_SHA256 (64 lower-case hexadecimal digits)"; exit 2;; esac
[ ${#root} = 64 ] || { echo "usage: sh verify.sh ROOT_SHA256 (64 lower-case hexadecimal digits)"; exit 2; }

# 1. The root: the one you named, and no other.
openssl x509 -in "roots/$root.pem" -outform DER -out "$work/root.der" 2>/dev/null || bad "the root $root is not in roots/"
[ -f "$work/root.der" ] && [ "$(sha "$work/root.der")" = "$root" ] || bad "roots/$root.pem is not the certificate of that fingerprint"
openssl x509 -in "roots/$root.pem" -out "$work/root.pem" 2>/dev/null

# 2. The list of files: whole, nothing beside it, and signed.
sha256sum -c --quiet --strict MANIFEST.sha256 >/dev/null 2>&1 || bad "a file differs from MANIFEST.sha256"
find . -type f ! -name 'MANIFEST.*' ! -path ./verify.sh | sed 's,^\./,,' | sort > "$work/there"
cut -c67- MANIFEST.sha256 | sort > "$work/listed"
cmp -s "$work/there" "$work/listed" || bad "files beside those in MANIFEST.sha256, or missing ones"
[ -z "$(find . -type l)" ] || bad "a link instead of a file"
[ "$(sed -n 1p MANIFEST.tbs)" = "semper-statement/1 dossier" ] || bad "MANIFEST.tbs is no dossier"
[ "$(line MANIFEST.tbs manifest-sha256)" = "$(sha MANIFEST.sha256)" ] || bad "MANIFEST.tbs names another list of files"
[ "$(line MANIFEST.tbs verify-sha256)" = "$(sha verify.sh)" ] || bad "verify.sh is not the one named in MANIFEST.tbs"

# 3. Certificates and keys: each under its own name.
: > "$work/chain.pem"
for c in certs/*.pem; do [ -f "$c" ] || continue
  openssl x509 -in "$c" -outform DER -out "$work/c.der" 2>/dev/null || { bad "no certificate: $c"; continue; }
  [ "certs/$(sha "$work/c.der").pem" = "$c" ] || bad "name of $c"
  openssl x509 -in "$c" >> "$work/chain.pem"; done
for k in keys/*.pem; do [ -f "$k" ] || continue
  openssl pkey -pubin -in "$k" -outform DER -out "$work/k.der" 2>/dev/null || { bad "no key: $k"; continue; }
  [ "keys/$(sha "$work/k.der").pem" = "$k" ] || bad "name of $k"; done

# signed DIR-OR-PREFIX SIGNER TIME: the signature, whose key it is, and the chain up to the root at that time.
signed() { s=${2#* }; a=
  [ -n "$3" ] && a="-attime $3"
  case $2 in
  "cert "*) openssl x509 -in "certs/$s.pem" -noout -pubkey > "$work/p.pem" 2>/dev/null || { bad "certificate of $1"; return; }
    openssl verify -no-CApath -no-CAstore -CAfile "$work/root.pem" -untrusted "$work/chain.pem" $a "certs/$s.pem" \
      >/dev/null 2>&1 || bad "chain of $1" ;;
  "key "*) cp "keys/$s.pem" "$work/p.pem" 2>/dev/null || { bad "key of $1"; return; }
    grep -l "^owner: $s\$" evidence/*/object.tbs >/dev/null 2>&1 || bad "nobody says whose key signed $1" ;;
  *) bad "signer of $1"; return ;; esac
  openssl pkey -pubin -in "$work/p.pem" -outform DER -out "$work/p.der" 2>/dev/null || bad "key of $1"
  [ "$(line "$1.tbs" signer)" = "$(sha "$work/p.der")" ] || bad "$1 names another signer"
  openssl pkeyutl -verify -pubin -inkey "$work/p.pem" -rawin -in "$1.tbs" -sigfile "$1.sig" >/dev/null 2>&1 || bad "signature of $1"; }

# 4. Every signed object.
signed MANIFEST "$(cat MANIFEST.signer)" "$(cat MANIFEST.at)"
for d in evidence/*/; do [ -f "${d}object.tbs" ] || continue
  before=$rc; rc=0
  signed "${d}object" "$(cat "${d}signer.txt")" "$(cat "${d}at.txt" 2>/dev/null)"
  [ $rc = 0 ] && echo "ok   $d $(sed -n '1s/^[^ ]* //p' "${d}object.tbs")" && rc=$before
  count=$((count+1)); done

# 5. Attachments: each under its hash.
for f in attachments/*; do [ -f "$f" ] || continue; [ "attachments/$(sha "$f")" = "$f" ] || bad "name of $f"; done

# 6. The record: each line names the one before, and the signed head names the last.
for j in journal/*.txt; do [ -f "$j" ] || continue; h=${j%.txt}
  p=0000000000000000000000000000000000000000000000000000000000000000; n=0
  [ -f "$h.prev" ] && p=$(cat "$h.prev")
  while read -r seq at kind deal payload prev rest; do
    [ "$prev" = "$p" ] && [ -z "$rest" ] || bad "$j entry $seq"; n=$seq
    p=$(printf '%s\n' "$seq $at $kind $deal $payload $prev" | sha256sum | cut -c1-64); done < "$j"
  [ "$(line "$h.head.tbs" hash)" = "$p" ] && [ "$(line "$h.head.tbs" seq)" = "$n" ] || bad "$j does not end at its signed head"
  k=$(line MANIFEST.tbs journal-key)
  [ "$(line "$h.head.tbs" signer)" = "$k" ] || bad "the head of $j has another signer than the dossier names"
  openssl pkeyutl -verify -pubin -inkey "keys/$k.pem" -rawin -in "$h.head.tbs" -sigfile "$h.head.sig" >/dev/null 2>&1 || bad "head of $j"; done

[ $rc = 0 ] && echo "ACCEPTED $count objects, root $root" || echo "REFUSED"
exit $rc
