#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the image has: the programs, an operator's shell, what they look up; as any user, with nothing writable.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
trap gone EXIT

# inside TEXT: a line of shell there.
inside() {
	expect 0 box "${@:2}" -- sh -ec "$1"
}

# ---- programs ----

expect 0 podman run --rm --label "box=$BOX" --network none "$TEST_IMAGE"
grep -q '^usage: tarseal PROGRAM' "$CASE_BASE/stdout" || fail "no help: $(cat "$CASE_BASE/stdout")"
version=$(sed -n 's/.*"\(.*\)";/\1/p' "$TOP/cli/version.c")
for user in 0:0 10001:10001 65534:65534 1234567:0; do
	for program in backup verify restore manifest; do
		expect 0 box --user "$user" -- "$program" --version
		[ "$(cat "$CASE_BASE/stdout")" = "$program (Tarseal) $version" ] || fail "$program: $(cat "$CASE_BASE/stdout")"
	done
done
expect 0 box -- tarseal verify --help
expect 0 box -- ci-drill --help
expect 2 box -- backup --no-such-option
expect 2 box -- /usr/libexec/tarseal/programs

# ---- a shell: what the seed's texts use, and kubectl cp ----

# shellcheck disable=SC2016 # for the shell there
inside 'for c in sh ls cat tar gzip zcat wget timeout sha256sum base64 awk sed grep sort find date df du sync vi less; do
	command -v $c >/dev/null || { echo "no $c"; exit 1; }; done'
# Nothing is what another program would take for restore.
# shellcheck disable=SC2016 # for the shell there
inside '[ "$(command -v restore)" = /usr/bin/restore ]; [ "$PATH" = /usr/bin:/bin ]; [ -z "${TZ-}" ]'

# ---- nothing can be written, and nothing needs it ----

expect 1 box -- sh -c 'touch /x'
expect 1 box -- sh -c 'touch /tmp/x'
inside 'touch /tmp/x' --tmpfs /tmp --user 10001:10001
# shellcheck disable=SC2016 # for the shell there
inside '[ "$(stat -c %a /tmp)" = 1777 ]; ls -d /backups /data >/dev/null'

# ---- users have names, and nobody else's library is asked for them ----

# shellcheck disable=SC2016
inside '[ "$(id -un)" = nobody ]; [ "$(id -gn)" = nogroup ]' --user 65534:65534

# ---- what lies in it ----

box=$(podman create --label "box=$BOX" "$TEST_IMAGE")
root=$(podman mount "$box")
[ -z "$(find "$root" -xdev ! -uid 0 -o -xdev ! -gid 0)" ] || fail "not root's: $(find "$root" ! -uid 0)"
[ -z "$(find "$root" -xdev -type f -perm /6022)" ] || fail "others may write, or set-id: $(find "$root" -type f -perm /6022)"
epoch=$(date -d "$(podman image inspect -f '{{index .Labels "org.opencontainers.image.created"}}' "$TEST_IMAGE")" +%s)
[ -z "$(find "$root/usr" "$root/bin" -xdev -newermt "@$epoch" -o -xdev ! -newermt "@$((epoch - 1))")" ] || fail "times differ"
file=$root/usr/libexec/tarseal/programs
! grep -qaF -e "$TOP/" -e /tarseal/ "$file" || fail "paths of the build are in it"
! od -An -c -N 4096 "$file" | tr -d ' \n' | grep -q 'ld-linux' || fail "it wants an interpreter"
for f in etc/ssl/certs/ca-certificates.crt usr/share/zoneinfo/Europe/Kyiv usr/lib/locale/C.utf8/LC_CTYPE; do
	[ -s "$root/$f" ] || fail "no $f"
done
for f in right posix; do
	[ ! -e "$root/usr/share/zoneinfo/$f" ] || fail "zones twice: $f"
done
while read -r package version _; do
	[ "$version" ] || fail "no version of $package"
	[ -s "$root/usr/share/doc/$package/copyright" ] || fail "no licence of $package"
done <"$root/usr/share/doc/tarseal/packages"
podman umount "$box" >/dev/null
for label in title description version licenses source revision created base.name; do
	[ "$(podman image inspect -f "{{index .Labels \"org.opencontainers.image.$label\"}}" "$TEST_IMAGE")" ] || fail "no label $label"
done
[ "$(podman image inspect -f '{{.Config.Entrypoint}}' "$TEST_IMAGE")" = "[]" ] || fail "it has an entry point"
! podman image inspect "$TEST_IMAGE" | grep -qF -e "\"$(hostname)" -e "$(hostname)\"" || fail "the machine's name is in the labels"
