#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A backup killed at each system call that changes the repository: the earlier
# backup verifies at once, the next run succeeds and cleans up, and an archive that
# is not ours stays as it was.  Asked to stop instead of killed, it cleans up itself.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir -p data/sub
for i in 1 2 3; do
	noise 30000 "$i" >"data/sub/$i"
done
noise 1100000 9 >data/large
make_repo base
backup_tree data base
earlier=$(basename "$(newest base)")
echo "from before" >base/autolab-backup-20200101_000000.tar.gz
echo more >data/sub/4

leftovers() {
	find repo -name '.*' ! -name .lock -type f
}

# killed_at CALL N SIGNAL: run, and tell how it ended.
killed_at() {
	rm -rf repo
	cp -r base repo
	status=0
	# In a shell of its own, which keeps its "Killed" to itself.
	(strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=$3:when=$2" \
	    backup --source data --repo repo --key key --jobs 2 >out 2>err) 2>shell || status=$?
}

all_is_well() {
	local where="$1"
	verify --repo repo --trust key.pub "$earlier" >out 2>&1 ||
	    fail "$where: the earlier backup does not verify: $(cat out)"
	backup --source data --repo repo --key key >out 2>&1 || fail "$where: the next run: $(cat out)"
	verify --repo repo --trust key.pub --all >out 2>&1 || fail "$where: after the next run: $(cat out)"
	[ -z "$(leftovers)" ] || fail "$where: left $(leftovers)"
	[ "$(cat repo/autolab-backup-20200101_000000.tar.gz)" = "from before" ] ||
	    fail "$where: a foreign archive changed"
}

kills=0
for call in write fsync fdatasync renameat2 unlink unlinkat ftruncate pwrite64; do
	for ((n = 1; n < 400; n++)); do
		killed_at $call "$n" SIGKILL
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 137 ] || fail "$call $n: exit $status: $(cat err)"
		kills=$((kills + 1))
		all_is_well "killed at $call $n"
	done
done
[ $kills -gt 20 ] || fail "killed only $kills times"

# When the signal comes too late, the backup is there and whole; else nothing is.
stops=0
for call in write fsync renameat2; do
	for n in 1 2 3 4 5 6; do
		killed_at $call $n SIGTERM
		if [ "$status" -eq 0 ]; then
			[ "$(find repo -name '*.seal' | wc -l)" = 2 ] || fail "$call $n: success, and no seal"
		else
			[ "$status" -eq 143 ] || fail "$call $n: exit $status after SIGTERM: $(cat err)"
			[ "$(find repo -name '*.seal' | wc -l)" = 1 ] || fail "$call $n: stopped, and sealed"
			stops=$((stops + 1))
		fi
		[ -z "$(leftovers)" ] || fail "stopped at $call $n: left $(leftovers)"
	done
done
[ $stops -gt 0 ] || fail "never stopped"
