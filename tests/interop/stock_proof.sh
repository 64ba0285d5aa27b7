#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Stock tools alone check a backup: gzip, sha256sum, openssl, bsdtar and NetBSD
# mtree; a change in any of the files shows.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need openssl sha256sum bsdtar mtree busybox

"$TESTS/make-tree" portable src
make_repo repo
backup_tree src repo
name=$(newest repo)

gzip -t "$name.tar.gz" "$name.manifest.gz"
(cd repo && sha256sum --quiet -c "${name##*/}.seal")
grep -v '^#' "$name.seal" | (cd repo && busybox sha256sum -c -) >busybox.out

signature_holds() {
	head -n -1 "$1" >signed
	tail -n 1 "$name.seal" | awk '{print $4}' | base64 -d >signature
	openssl pkeyutl -verify -rawin -pubin -inkey key.pub -in signed -sigfile signature
}
signature_holds "$name.seal"
keyid=$(openssl pkey -pubin -in key.pub -outform DER | sha256sum | cut -d' ' -f1)
[ "$keyid" = "$(tail -n 1 "$name.seal" | awk '{print $3}')" ] || fail "key id is not the SPKI's digest"
sed 's/^# changed: 0/# changed: 1/' "$name.seal" >forged.seal
if signature_holds forged.seal; then fail "openssl accepts a forged seal"; fi

zcat "$name.manifest.gz" >manifest
bsdtar -tf manifest >listed
grep -qx './sub/deeper' listed || fail "bsdtar does not list ./sub/deeper"

restore --repo repo --trust key.pub --target out
mtree -f manifest -p out >differences || fail "mtree: $(cat differences)"
[ ! -s differences ] || fail "mtree: $(cat differences)"
echo more >>out/text
if mtree -f manifest -p out >/dev/null; then fail "mtree does not see a changed file"; fi
