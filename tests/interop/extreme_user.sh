#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The hard tree as far as a plain user can make it goes round without any right of
# root.  What root backed up a user restores as its own, and is told what is not so.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need rsync setpriv python3
cp "$TESTS/make-tree" "$CASE_BASE/make-tree"
chmod 755 "$CASE_BASE/make-tree"
chmod 777 "$CASE_DIR"

as_user "$CASE_BASE/make-tree" extreme src
as_user manifest keygen --key key --public key.pub
as_user mkdir repo
as_user backup --source src --repo repo --key key
as_user verify --repo repo --trust key.pub --level deep
as_user restore --repo repo --trust key.pub --target out 2>told
[ ! -s told ] || fail "there was nothing to tell: $(cat told)"
same_tree src out

need_root
"$TESTS/make-tree" extreme root-src
mkdir root-repo
backup --source root-src --repo root-repo --key key
chmod 755 root-repo
chmod 644 root-repo/*
expect 0 as_user restore --repo root-repo --trust key.pub --target root-out
grep -q 'warning: not restored.* owner of 1[0-9][0-9], set-id bits of 3, device of 2, extended attributes of 3' \
    "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
RSYNC_EXTRA='--no-owner --no-group --exclude=/special/null --exclude=/special/block --exclude=/modes/[fd][2-7]* --exclude=/attributes/capable
    --exclude=/attributes/xattr-dir --exclude=/attributes/link-with-xattr' same_tree root-src root-out
