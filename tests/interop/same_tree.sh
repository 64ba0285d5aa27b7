#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# GNU tar, bsdtar, busybox tar and Python's tarfile extract an archive of plain
# files, directories and links to the same tree.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need bsdtar busybox python3 rsync

"$TESTS/make-tree" portable src
make_repo repo
backup_tree src repo
archive=$(newest repo).tar.gz
gzip -t "$archive"

extract_with() {
	mkdir "out-$1"
	case $1 in
	gnu) tar -xpzf "$archive" -C out-gnu ;;
	bsd)
		bsdtar -xpf "$archive" -C out-bsd
		# It leaves the time of "./" itself alone (docs/INTEROP.md).
		touch -r src out-bsd
		;;
	busybox)
		busybox tar -xpzf "$archive" -C out-busybox
		# It sets directories' times before it fills them, and those of links never.
		RSYNC_EXTRA='--omit-dir-times --omit-link-times'
		;;
	python)
		python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall("out-python")' "$archive"
		RSYNC_EXTRA=--omit-link-times # it never sets them
		;;
	esac
	same_tree src "out-$1"
	RSYNC_EXTRA=
}

for reader in gnu bsd busybox python; do
	extract_with "$reader"
done
