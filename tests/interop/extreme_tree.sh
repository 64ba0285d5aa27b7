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
# What libarchive cannot (docs/INTEROP.md): the time of "./" itself, fractions of a
# second before 1970, and names in decomposed Unicode, which it composes.
touch -r src out-bsd
RSYNC_EXTRA='--exclude=/odd/*-decomposed --exclude=/times/before-1970 --exclude=/times/minus-half'
same_tree src out-bsd
