#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A tree with everything that a file system can hold: restore brings it back to the
# last fact; GNU tar and bsdtar do too when they are told to keep xattrs and ACLs.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need bsdtar rsync

"$TESTS/make-tree" extreme src
make_repo repo
backup_tree src repo
verify --repo repo --trust key.pub --level deep
restore --repo repo --trust key.pub --target out
same_tree src out

archive=$(newest repo).tar.gz
mkdir out-gnu out-bsd
tar --xattrs --xattrs-include='*' --acls --numeric-owner -xpzf "$archive" -C out-gnu
same_tree src out-gnu
bsdtar --numeric-owner -xpf "$archive" -C out-bsd
# It leaves the time of "./" itself alone (docs/INTEROP.md).
touch -r src out-bsd
same_tree src out-bsd
