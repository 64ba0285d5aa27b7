#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A repository that is too small: refused at once where that can be known, else cleaned up.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
mkdir repo
mount -t tmpfs -o size=4m tmpfs repo 2>/dev/null || skip "no right to mount"
trap 'umount repo' EXIT
make_key

# Nothing is known of this series: it runs until the volume is full.
mkdir data
noise 6000000 1 >data/blob
expect 3 backup --source data --repo repo --key key
grep -q 'repo/.*: No space left on device' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
[ "$(ls -A repo)" = .lock ] || fail "left $(ls -A repo)"

# With a backup of 2.2 MB there, 1.8 MB are too few for another, but not by far: it is tried.
noise 2200000 1 >data/blob
quiet backup --source data --repo repo --key key
expect 3 backup --source data --repo repo --key key
grep -q 'warning: repo: space may run out' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
grep -q 'No space left' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"

# 0.8 MB are.
noise 1000000 2 >repo/other
expect 3 backup --source data --repo repo --key key
grep -q 'repo: no space for another backup: .* is free, about 2.1M is needed' "$CASE_BASE/stderr" ||
    fail "$(cat "$CASE_BASE/stderr")"

# But not when the source has shrunk meanwhile.
noise 300000 1 >data/blob
quiet backup --source data --repo repo --key key
quiet verify --all --repo repo --trust key.pub
[ "$(find repo -name '*.seal' | wc -l)" -eq 2 ] || fail "$(ls -A repo)"
[ -z "$(find repo -name '.*.new')" ] || fail "left $(ls -A repo)"
