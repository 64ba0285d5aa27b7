#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# As the application's own user, who has no capability at all: all four programs, whole loss included.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
disk data 100M
disk backups 100M
AS=(--user 10001:10001)
pair
sample_tree data/app
rm -rf data/lost+found
chown -R -h 10001:10001 data backups keys public
chmod 400 keys/key
cp -a data was

expect 0 backup_pod --keep-last 10
[ ! -s "$CASE_BASE/stderr" ] || fail "warned: $(cat "$CASE_BASE/stderr")"
expect 0 verify_pod --level deep
expect 0 manifest_pod list
find data -mindepth 1 -delete
expect 0 restore_pod
[ ! -s "$CASE_BASE/stderr" ] || fail "warned: $(cat "$CASE_BASE/stderr")"
same_tree was data
# Over what is there, with the application's new files.
echo new >data/app/new
chown 10001:10001 data/app/new
expect 0 restore_pod
same_tree was data

# Another user's file is not for it, and it says so.
install -m 600 /dev/null data/app/root-only
expect 1 backup_pod
grep -q 'app/root-only: cannot be read: Permission denied' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
# Nor is another one's repository: it cannot say that all is well.
AS=(--user 10002:10002)
expect 1 verify_pod
grep -q 'Permission denied' "$CASE_BASE/stdout" || fail "$(cat "$CASE_BASE/stdout")"
