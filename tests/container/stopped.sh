#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 600
# SIGTERM to process 1, as a deadline or a drained node sends it: status 143, nothing left behind, the next run is well.
# shellcheck source=tests/container-lib.sh
. "$TESTS/container-lib.sh"
disk data 400M
disk backups 400M
pair
echo first >data/first
expect 0 backup_pod
before=$(names backups)
for i in {1..150}; do
	noise 1000000 "$i" >"data/noise-$i"
done

# stopped POD [ARGUMENT...]: sends it when it is at work; with less processor than else, so that it is not done before.
stopped() {
	local pid status=0
	AS=(--name "$BOX" --stop-timeout 60 --cpus 0.05)
	"$@" >"$CASE_BASE/out" 2>"$CASE_BASE/err" &
	pid=$!
	for _ in {1..300}; do
		at_work && break
		sleep 0.1
	done
	at_work || fail "$1: never at work: $(cat "$CASE_BASE/out" "$CASE_BASE/err")"
	podman stop "$BOX" >/dev/null
	wait "$pid" || status=$?
	AS=()
	[ "$status" = 143 ] || fail "$1: exit $status: $(cat "$CASE_BASE/out" "$CASE_BASE/err")"
}
at_work() {
	compgen -G "backups/.*.tar.gz.new" >/dev/null
}
stopped backup_pod
[ "$(names backups)" = "$before" ] || fail "left behind: $(names backups)"
expect 0 verify_pod --all
expect 0 backup_pod

# It catches SIGTERM by now, which else is nothing to process 1.
at_work() {
	local pid caught
	pid=$(podman inspect -f '{{.State.Pid}}' "$BOX" 2>/dev/null) || return
	caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status" 2>/dev/null)
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = verify ] && ((0x${caught:-0} & 1 << 14))
}
stopped verify_pod --level deep

find data -mindepth 1 -not -path 'data/lost+found*' -delete
echo mine >data/mine
at_work() {
	[ -e data/.tarseal-restore ]
}
stopped restore_pod
[ "$(cat data/mine)" = mine ] || fail "what was there is gone"
expect 0 restore_pod
[ "$(cat data/first)" = first ] || fail "it is not back"
[ "$(names data | grep -v -e noise -e lost+found)" = first ] || fail "also there: $(names data)"
