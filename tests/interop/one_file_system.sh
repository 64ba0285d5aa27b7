#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# --one-file-system: a mount point is stored, and what is mounted on it is not; files
# are never compared, because overlay gives them other device numbers.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
unshare -m true 2>/dev/null || skip "no right to mount"
make_key
mkdir repo
export -f quiet quoted fail
unshare -m bash -euc '
	mkdir -p src/dir/volume src/overlaid lower upper work
	echo 1 >src/dir/own
	: >src/config
	mount -t tmpfs tmpfs src/dir/volume
	echo 2 >src/dir/volume/foreign
	echo 3 >src/dir/volume/config
	mount --bind src/dir/volume/config src/config # one file, as Kubernetes mounts them
	back_up() { quiet backup --source src --repo repo --key key --series "$@"; }
	back_up all
	back_up one --one-file-system
	# An overlay as the source: its layers are other devices.
	echo 4 >lower/low
	mount -t tmpfs tmpfs work
	mkdir work/upper work/work
	if mount -t overlay overlay -o lowerdir=lower,upperdir=work/upper,workdir=work/work src/overlaid; then
		echo 5 >src/overlaid/up
		quiet backup --source src/overlaid --repo repo --key key --series overlay --one-file-system
	fi
'
listed() {
	tar -tzf "repo/$1"-*.tar.gz | tr '\n' ' '
}
[ "$(listed all)" = './ config dir/ dir/own dir/volume/ dir/volume/config dir/volume/foreign overlaid/ ' ] ||
    fail "all: $(listed all)"
[ "$(listed one)" = './ config dir/ dir/own dir/volume/ overlaid/ ' ] || fail "one: $(listed one)"
if compgen -G 'repo/overlay-*.seal' >/dev/null; then
	[ "$(listed overlay)" = './ low up ' ] || fail "overlay: $(listed overlay)"
fi
