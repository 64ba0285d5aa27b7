#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# The volume of the backups is full: status 3, the path and the cause, nothing left behind, what was there is whole.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
disk data 200M
disk backups 60M
pair
noise 20000000 1 >data/first
expect 0 backup_pod
before=$(names backups)
noise 60000000 2 >data/second
expect 3 backup_pod --keep-last 10
grep -q 'not enough space\|No space left on device' "$CASE_BASE/stderr" || fail "not told: $(cat "$CASE_BASE/stderr")"
grep -q '/backups' "$CASE_BASE/stderr" || fail "not where: $(cat "$CASE_BASE/stderr")"
[ "$(names backups)" = "$before" ] || fail "left behind: $(names backups)"
cat "$CASE_BASE/stderr" >&2
expect 0 verify_pod --all

# Filled while it writes, what no estimate sees.
rm data/second
fill=$(($(df -B1 --output=avail backups | tail -n 1) - 30000000))
fallocate -l "$fill" backups/.filled
noise 25000000 3 >data/second
# 25 MB fit when it begins; at a fifth of a processor there is time to take them.
backup_pod >"$CASE_BASE/out" 2>"$CASE_BASE/err" &
pid=$!
for _ in {1..100}; do
	compgen -G "backups/.*.tar.gz.new" >/dev/null && break
	sleep 0.1
done
fallocate -l "$(df -B1 --output=avail backups | tail -n 1)" backups/.more 2>/dev/null || dd if=/dev/zero of=backups/.more bs=64k status=none 2>/dev/null || true
status=0
wait "$pid" || status=$?
[ "$status" = 3 ] || fail "exit $status: $(cat "$CASE_BASE/out" "$CASE_BASE/err")"
grep -q 'No space left on device' "$CASE_BASE/err" || fail "not told: $(cat "$CASE_BASE/err")"
rm -f backups/.filled backups/.more
[ "$(names backups)" = "$before" ] || fail "left behind: $(names backups)"
expect 0 verify_pod --all
rm data/first
expect 0 backup_pod
