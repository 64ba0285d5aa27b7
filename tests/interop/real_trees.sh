#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Real trees of this machine go round and come back without a difference:
# /usr/share, /usr/include, and this checkout.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need rsync

make_repo repo
for tree in /usr/share /usr/include "$TOP"; do
	series=tree-$(basename "$tree")
	backup --source "$tree" --repo repo --key key --series "$series" --exclude /build
	restore --repo repo --trust key.pub --series "$series" --target out
	RSYNC_EXTRA='--exclude=/build --omit-dir-times' same_tree "$tree" out
	rm -rf out
done
verify --all --repo repo --trust key.pub --level deep
