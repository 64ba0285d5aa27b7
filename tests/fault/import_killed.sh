#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# manifest import killed at each system call that changes the repository, with --remove-original:
# what was there verifies, the next run takes up where this one ended, each archive is there
# once, as it was or as a backup, and the newest backup holds them all.
# long
# timeout: 900
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace busybox
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir -p data/sub
noise 1100000 9 >data/large
make_repo base
for day in 10 11; do
	noise 3000 $day >data/sub/$day
	busybox tar -czf "base/autolab-backup-202601${day}_000005.tar.gz" -C data .
done
backup_tree data base
digests=$(cd base && sha256sum -- autolab-backup-2026011?_000005.tar.gz)

import() {
	manifest import --repo repo --key key --remove-original --jobs 2
}

# What a run that was cut short may leave: no archive is lost.
none_lost() {
	local digest file
	while read -r digest file; do
		[ -f "repo/$file" ] && [ "$(sha256sum <"repo/$file" | cut -d' ' -f1)" = "$digest" ] && continue
		grep -q "^# source: import of $file sha256:$digest" repo/*.seal ||
		    fail "$1: $file is neither there nor imported"
	done <<<"$digests"
}

all_is_well() {
	none_lost "$1"
	verify --repo repo --trust key.pub --all >out 2>&1 || fail "$1: what is there: $(cat out)"
	import >out 2>&1 || fail "$1: the next run: $(cat out)"
	verify --repo repo --trust key.pub --all --level deep >out 2>&1 ||
	    fail "$1: after the next run: $(cat out)"
	[ -z "$(find repo -name '.*' ! -name .lock -type f)" ] || fail "$1: left $(ls -A repo)"
	[ "$(find repo -name '*.seal' | wc -l)" = 3 ] || fail "$1: $(ls repo)"
	[ "$(find repo -name '*.tar.gz' | wc -l)" = 3 ] || fail "$1: $(ls repo)"
	[ "$(sed -n 's/^# sequence: //p' repo/*.seal | sort -n | tr '\n' ' ')" = "1 2 3 " ] ||
	    fail "$1: sequences"
	[ "$(grep -c '^# holds: ' "$(newest repo).seal")" = 2 ] || fail "$1: the newest does not hold them"
}

# killed_at CALL N SIGNAL
killed_at() {
	rm -rf repo
	cp -rp base repo
	status=0
	(strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=$3:when=$2" \
	    manifest import --repo repo --key key --remove-original --jobs 2 >out 2>err) 2>shell || status=$?
}

kills=0
for call in renameat2 unlink unlinkat fsync pwrite64 write openat; do
	step=1
	[ $call != pwrite64 ] || step=6
	[ $call != openat ] || step=11
	for ((n = 1; n < 400; n += step)); do
		killed_at $call "$n" SIGKILL
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 137 ] || fail "$call $n: exit $status: $(cat err)"
		kills=$((kills + 1))
		all_is_well "killed at $call $n"
	done
done
[ $kills -gt 30 ] || fail "killed only $kills times"

# Asked to stop, it cleans up itself.
stops=0
for n in 1 5 9 13; do
	killed_at pwrite64 $n SIGTERM
	[ "$status" -eq 143 ] || fail "pwrite64 $n: exit $status after SIGTERM: $(cat err)"
	[ -z "$(find repo -name '.*' ! -name .lock -type f)" ] || fail "stopped at $n: left $(ls -A repo)"
	stops=$((stops + 1))
	all_is_well "stopped at pwrite64 $n"
done
