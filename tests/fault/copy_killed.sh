#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# A copy killed at each system call that changes the destination: what is there verifies at once, the
# next run completes it, and the source is as it was.  Asked to stop, it cleans up itself.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir data
make_repo repo base
for i in 1 2 3; do
	noise 1200000 "$i" >data/blob
	backup_tree data repo
done
quiet manifest copy base --new --repo repo --trust key.pub "$(basename "$(find repo -name '*.seal' | sort | head -n 1)" .seal)"
echo "from before" >base/autolab-backup-20200101_000000.tar.gz
find repo -type f -exec sha256sum {} + | sort >sums

copy_at() { # CALL N SIGNAL: run, and tell how it ended.
	rm -rf dest
	cp -r base dest
	status=0
	# In a shell of its own, which keeps its "Killed" to itself.
	(strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=$3:when=$2" \
	    manifest copy dest --repo repo --trust key.pub >out 2>err) 2>shell || status=$?
}

all_is_well() {
	local where="$1" seal
	for seal in dest/*.seal; do
		sha256sum --status -c <(sed "s| autolab| dest/autolab|" "$seal" | grep -v '^#') ||
		    fail "$where: $seal is there, and not whole"
	done
	manifest copy dest --repo repo --trust key.pub >out 2>&1 || fail "$where: the next run: $(cat out)"
	verify --repo dest --trust key.pub --all >out 2>&1 || fail "$where: after the next run: $(cat out)"
	[ "$(find dest -name '*.seal' | wc -l)" = 3 ] || fail "$where: not all are there"
	[ -z "$(find dest -name '.*' ! -name .lock -type f)" ] || fail "$where: left $(ls -A dest)"
	[ "$(cat dest/autolab-backup-20200101_000000.tar.gz)" = "from before" ] ||
	    fail "$where: a foreign archive changed"
}

kills=0
for call in write fsync fdatasync renameat2 unlink unlinkat pwrite64; do
	for ((n = 1; n < 400; n++)); do
		copy_at $call "$n" SIGKILL
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 137 ] || fail "$call $n: exit $status: $(cat err)"
		kills=$((kills + 1))
		all_is_well "killed at $call $n"
	done
done
[ $kills -gt 40 ] || fail "killed only $kills times"

# When the signal comes too late, all are there; else those that are there are whole.
stops=0
for call in write fsync renameat2; do
	for n in 1 2 3 4 5 6 8 10; do
		copy_at $call $n SIGTERM
		[ -z "$(find dest -name '.*' ! -name .lock -type f)" ] || fail "$call $n: left $(ls -A dest)"
		if [ "$status" -ne 0 ]; then
			[ "$status" -eq 143 ] || fail "$call $n: exit $status after SIGTERM: $(cat err)"
			stops=$((stops + 1))
		fi
		all_is_well "stopped at $call $n"
	done
done
[ $stops -gt 5 ] || fail "stopped only $stops times"
sort <(find repo -type f -exec sha256sum {} +) | diff sums - || fail "the source changed"
