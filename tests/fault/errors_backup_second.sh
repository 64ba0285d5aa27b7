#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Two backups at once, the first one busy for minutes: the second is refused at once, waits as
# long as it was told, can be stopped while it waits, and takes over when the first is killed.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
mkdir busy
# Its zeros are hashed for minutes.
truncate -s 500G busy/huge 2>/dev/null || skip "no large files here"
make_repo repo
args=(--repo repo --key key --quiet)
backup --source busy "${args[@]}" 2>first.err &
first=$!
trap 'kill -9 $first 2>/dev/null || true; wait || true' EXIT
for _ in {1..200}; do
	[ -z "$(find repo -name '.*.tar.gz.new')" ] || break
	sleep 0.05
done
[ -n "$(find repo -name '.*.tar.gz.new')" ] || fail "it never began: $(cat first.err)"
first_file=$(find repo -name '.*.tar.gz.new')

took() { # took LEAST MOST: the seconds that passed since $began
	local now=${EPOCHREALTIME/[.,]/}
	[ $((now - began)) -ge $(($1 * 1000000)) ] && [ $((now - began)) -le $(($2 * 1000000)) ]
}
began=${EPOCHREALTIME/[.,]/}
expect 4 backup --source data "${args[@]}"
grep -qx 'backup: repository repo: another run holds the lock' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
took 0 10 || fail "at once was not at once"

began=${EPOCHREALTIME/[.,]/}
expect 4 backup --source data "${args[@]}" --wait-lock 1
grep -qx 'backup: repository repo: another run still holds the lock, after 1 s' "$CASE_BASE/stderr" ||
    fail "$(cat "$CASE_BASE/stderr")"
took 1 20 || fail "a second was not a second"

# Stopped while it waits; not by timeout(1), which has a status of its own.
backup --source data "${args[@]}" --wait-lock 100 2>waiter.err &
waiter=$!
sleep 0.5
kill -TERM $waiter
status=0
wait $waiter || status=$?
[ $status -eq 143 ] || fail "stopped while it waited: exit $status: $(cat waiter.err)"
[ "$(cat waiter.err)" = 'backup: repository repo: stopped by SIGTERM' ] || fail "$(cat waiter.err)"

# Nobody touched the work of the first; when it is killed, a waiter clears up after it.
[ -e "$first_file" ] || fail "the second removed what the first is writing"
backup --source data "${args[@]}" --wait-lock 100 2>waiter.err &
waiter=$!
sleep 0.3
kill -9 $first
wait $first 2>/dev/null || true
status=0
wait $waiter || status=$?
[ $status -eq 0 ] || fail "after the first was killed: exit $status: $(cat waiter.err)"
[ ! -e "$first_file" ] || fail "left $first_file"
[ "$(find repo -name '*.seal' | wc -l)" = 1 ] || fail "$(ls -A repo)"
quiet verify --all --repo repo --trust key.pub
