#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# timeout: 300
# Real trees of this machine go round and come back without a difference:
# /usr/share, /usr/include, and this checkout.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need rsync

# Tens of thousands of files are made and removed: in memory where there is plenty
# of it, because some file systems take a minute for that.
free_kb() {
	df --output=avail "$1" 2>/dev/null | tail -n 1
}
work=$CASE_DIR
available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
needed=$((3 * $(du -s /usr/share | cut -f1)))
if [ -w /dev/shm ] && [ "$(free_kb /dev/shm)" -gt "$needed" ] && [ "${available:-0}" -gt $((2 * needed)) ]; then
	work=$(mktemp -d /dev/shm/tarseal-test.XXXXXX)
	trap 'rm -rf "$work"' EXIT
	cd "$work" || fail "$work"
fi

make_repo repo
for tree in /usr/share /usr/include "$TOP"; do
	series=tree-$(basename "$tree")
	# Root reads everything; another user leaves out what it may not read.
	find "$tree" ! -type l ! -readable -printf '/%P\n' 2>/dev/null >unreadable || true
	sed 's/^/- /' unreadable >differ
	backup --source "$tree" --repo repo --key key --series "$series" --exclude /build \
	    --exclude-from unreadable
	restore --repo repo --trust key.pub --series "$series" --target out
	RSYNC_EXTRA="--exclude=/build --exclude-from=differ --omit-dir-times" same_tree "$tree" out
	# Who may not give files away has them under another owner.
	[ "$(id -u)" != 0 ] || verify --repo repo --trust key.pub --series "$series" --source out
	rm -rf out
done
verify --all --repo repo --trust key.pub --level deep
