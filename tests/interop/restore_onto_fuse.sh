#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Restores onto a file system of FUSE that takes upper and lower case for the same: what is removed while it is
# open keeps a name there, as on NFS, and is in nobody's way; of two names that are one there, one is told.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need lowntfs-3g mkntfs
truncate -s 60M img
quiet mkntfs -Q -F -q img
mkdir ntfs
# mounted OPTIONS: it says when it is ready, and goes on in the background.
mounted() {
	lowntfs-3g -o "permissions$1" img ntfs >mounting 2>&1 || skip "no FUSE: $(cat mounting)"
}
trap 'umount ntfs 2>/dev/null || umount -l ntfs' EXIT
mounted ''

mkdir -p data/sub/deep
seq 1 1000 >data/sub/numbers
noise 3000000 1 >data/large
echo x >data/sub/deep/x
ln -s sub data/link
# It counts time in steps of 100 ns.
find data -exec touch -h -d '2026-02-08 12:00:00.1234567' {} +
make_repo repo
backup_tree data repo
for mode in stage wipe merge stage; do
	expect 0 restore --repo repo --trust key.pub --target ntfs --mode $mode
	[ ! -s "$CASE_BASE/stderr" ] || fail "$mode: $(cat "$CASE_BASE/stderr")"
	diff -r --no-dereference data ntfs || fail "$mode: $(ls -AR ntfs)"
	[ ! -e ntfs/.tarseal-restore ] || fail "$mode: left $(ls -A ntfs/.tarseal-restore)"
	expect 0 restore --status --target ntfs
	[ $mode = merge ] || echo old >ntfs/large
done
rm -rf ntfs/*
expect 0 restore --drill --repo repo --trust key.pub --scratch ntfs --check-command 'test -s large'
[ -z "$(ls -A ntfs)" ] || fail "a drill left $(ls -A ntfs)"
# A drill that was killed is removed by the next.
# shellcheck disable=SC2016
expect 137 restore --drill --repo repo --trust key.pub --scratch ntfs --check-command 'kill -KILL $PPID'
[ -n "$(ls -A ntfs)" ] || fail "it was not killed"
expect 0 restore --drill --repo repo --trust key.pub --scratch ntfs
grep -q 'which a drill that was killed left, is removed' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
[ -z "$(ls -A ntfs)" ] || fail "left $(ls -A ntfs)"
umount ntfs

mounted ,ignore_case
rm -rf data repo
mkdir -p data/Dir data/dir
echo upper >data/File
echo lower >data/file
echo 1 >data/Dir/x
echo 2 >data/dir/y
find data -exec touch -h -d '2026-02-08 12:00:00' {} +
make_repo repo
backup_tree data repo
for mode in stage wipe merge; do
	rm -rf ntfs/*
	expect 1 restore --repo repo --trust key.pub --target ntfs --mode $mode
	grep -qi 'warning: file: not restored: ' "$CASE_BASE/stderr" ||
	    fail "$mode: $(cat "$CASE_BASE/stderr")"
	grep -qx 'upper\|lower' ntfs/file || fail "$mode: $(ls -AR ntfs)"
done
# What was there before goes.
rm -rf ntfs/*
echo old >ntfs/file
expect 0 restore --repo repo --trust key.pub --target ntfs file
[ "$(cat ntfs/file)" = lower ] || fail "$(cat ntfs/file)"
umount ntfs

# Names that it does not take cost only their files.
mounted ,windows_names
rm -rf data repo ntfs/*
mkdir data
echo a >data/plain
echo b >'data/a:b'
echo c >'data/trailing.'
find data -exec touch -h -d '2026-02-08 12:00:00' {} +
make_repo repo
backup_tree data repo
for mode in stage wipe merge; do
	rm -rf ntfs/*
	expect 1 restore --repo repo --trust key.pub --target ntfs --mode $mode
	for name in a:b trailing.; do
		grep -q "warning: $name: not restored: " "$CASE_BASE/stderr" || fail "$mode: $(cat "$CASE_BASE/stderr")"
	done
	[ "$(ls -A ntfs)" = plain ] || fail "$mode: $(ls -A ntfs)"
done
