#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/VERIFY-BY-HAND.md, command by command: signatures of each kind of key, digests,
# and an archive that is taken apart member by member with tail, head and gzip.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need openssl sha256sum busybox

sample_tree src
mkdir repo

# seal_with MAKER...: make key and key.pub, and one more backup signed with them.
spki=(openssl pkey -pubin -in key.pub -outform DER)
seal_with() {
	quiet "$@"
	openssl pkey -in key -pubout -out key.pub
	backup_tree src repo
	name=$(newest repo)
	head -n -1 "$name.seal" >signed
	sed '$d' "$name.seal" | cmp - signed
	tail -n 1 "$name.seal" | awk '{print $4}' | base64 -d >signature
	keyid=$("${spki[@]}" | sha256sum)
	[ "${keyid%% *}" = "$(tail -n 1 "$name.seal" | awk '{print $3}')" ] || fail "key id of $*"
}

refused() {
	sed -i 's/^# changed: 0/# changed: 1/' signed
	if "$@" >/dev/null 2>&1; then fail "accepts a forged text: $*"; fi
}

check_ed25519=(openssl pkeyutl -verify -rawin -pubin -inkey key.pub -in signed -sigfile signature)
check_sha256=(openssl dgst -sha256 -verify key.pub -signature signature signed)

seal_with openssl genpkey -algorithm ED25519 -out key
quiet "${check_ed25519[@]}"
refused "${check_ed25519[@]}"

seal_with openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key
quiet "${check_sha256[@]}"
refused "${check_sha256[@]}"

spki+=(-ec_conv_form uncompressed)
seal_with openssl ecparam -name prime256v1 -genkey -noout -conv_form compressed -out key
quiet "${check_sha256[@]}"
spki=("${spki[@]:0:7}")

seal_with openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert.pem -subj /CN=backup
openssl x509 -in cert.pem -noout -pubkey | cmp - key.pub
quiet "${check_sha256[@]}"
refused "${check_sha256[@]}"

# Digests; the seal's chain to the backups before it.  (The name is the newest one's from here on.)
(cd repo && quiet sha256sum -c "${name##*/}.seal")
grep -v '^#' "$name.seal" | (cd repo && quiet busybox sha256sum -c -)

# The whole, by the files' own digests.
mkdir whole
tar -xpzf "$name.tar.gz" -C whole
zcat "$name.manifest.gz" |
    sed -n 's/^\.\/\([^\\ ]*\) type=file .* sha256digest=\(.*\)$/\2  \1/p' >sums
[ "$(wc -l <sums)" -ge 4 ] || fail "the sums of the manifest are missing"
(cd whole && sha256sum --quiet -c ../sums)

# One path, and the member by member way.
mkdir one
tar -xzf "$name.tar.gz" -C one config.json
cmp one/config.json src/config.json

mkdir pieces
# tail dies of SIGPIPE when head has enough.
run_of() (
	set +o pipefail
	tail -c +$(($1 + 1)) "$name.tar.gz" | head -c "$2"
)
large_from=
zcat "$name.manifest.gz" | grep '^#@ [fhce] ' >members
while read -r _ kind offset packed _ digest _; do
	[ "$(run_of "$offset" "$packed" | sha256sum)" = "$digest  -" ] || fail "member at $offset"
	[ "$kind" = f ] && run_of "$offset" "$packed" | gzip -d | tar -xf - -C pieces
	[ "$kind" = h ] && large_from=$offset
	if [ "$kind" = c ]; then large_to=$((offset + packed)); fi
done <members
[ "$large_from" ] || fail "the sample has no large file"
run_of "$large_from" $((large_to - large_from)) | gzip -d | tar -xf - -C pieces
diff -r --no-dereference whole pieces
