#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A volume that is too small for an import: told before where that can be known, and else when it
# is full; nothing is left, nothing is removed, and with more room it goes on.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
make_key
mkdir src repo
noise 6000000 1 >src/noise
seq 1 100000 >src/numbers
tar -C src -czf archive.tar.gz .
mount -t tmpfs -o size=20m none repo 2>/dev/null || skip "no right to mount"
trap 'umount repo' EXIT
N=autolab-backup-20260101_000005
cp archive.tar.gz "repo/$N.tar.gz"
import=(manifest import --repo repo --key key --remove-original)

clean() {
	[ "$(sha256sum <"repo/$N.tar.gz")" = "$(sha256sum <archive.tar.gz)" ] || fail "$1: the archive changed"
	[ "$(find repo -mindepth 1 ! -name .lock ! -name "$N.tar.gz" | wc -l)" = 0 ] ||
	    fail "$1: left $(ls -A repo)"
}

# 16 MiB and two and a half times the archive: known before.
expect 3 "${import[@]}"
grep -q "repository repo: to import $N.tar.gz takes about 3[0-9]M beside it, for a while, and 1[0-9]M is free" \
    "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
clean "too small"

# Somebody else fills the volume meanwhile: at each write it is full.
mount -o remount,size=60m repo
full=0
for ((n = 1; n < 200; n += 3)); do
	status=0
	strace -f -qq -o /dev/null -e trace=pwrite64 -e "inject=pwrite64:error=ENOSPC:when=$n" \
	    "${import[@]}" --jobs 2 >out 2>err || status=$?
	[ $status -ne 0 ] || break
	[ $status -eq 3 ] || fail "pwrite64 $n: exit $status: $(cat err)"
	grep -q -e 'No space left' -e 'full' err || fail "pwrite64 $n: $(cat err)"
	grep -q repo err || fail "pwrite64 $n: where? $(cat err)"
	clean "pwrite64 $n"
	full=$((full + 1))
done
[ $full -gt 5 ] || fail "full only $full times"
if [ -f "repo/$N.tar.gz" ]; then
	quiet "${import[@]}"
fi

# Through: the original went, and its room is there again.
[ "$(find repo -name '*.tar.gz')" = "repo/$N-2.tar.gz" ] || fail "$(ls repo)"
quiet verify --repo repo --trust key.pub --level deep --all
mkdir back
quiet restore --repo repo --trust key.pub --target back
same_tree src back

# No inode: told, with nothing left.
umount repo
mount -t tmpfs -o size=60m,nr_inodes=4 none repo
cp archive.tar.gz "repo/$N.tar.gz"
expect 3 "${import[@]}"
grep -q 'No space left on device\|no inode' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
clean "no inode"
