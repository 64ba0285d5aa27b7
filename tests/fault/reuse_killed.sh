#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# A night that copies, killed at each system call that changes the repository: the backup that it
# copied from verifies at once, and the next run copies from that all the same.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace faketime jq
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"
need_ctimes

mkdir -p data/sub
for i in $(seq 30); do
	noise 50000 "$i" >"data/sub/$i"
done
noise 3300000 9 >data/large
make_repo base
later 1h backup --source data --repo base --key key -q
earlier=$(basename "$(newest base)")
# Some is copied, some is not: a large file that is passed again for what cannot be, too.
echo more >>data/sub/4
chunk=$(zcat "base/$earlier.manifest.gz" | grep -a '^#@ c .* 1048576 ./large$' | cut -d' ' -f3)

killed_at() {
	rm -rf repo
	cp -r base repo
	status=0
	# In a shell of its own, which keeps its "Killed" to itself.
	(later 2h strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2" \
	    backup --source data --repo repo --key key --jobs 2 >out 2>err) 2>shell || status=$?
}

all_is_well() {
	local where="$1"
	verify --repo repo --trust key.pub "$earlier" >out 2>&1 ||
	    fail "$where: the earlier backup does not verify: $(cat out)"
	later 3h backup --source data --repo repo --key key --json >told 2>err || fail "$where: the next run: $(cat err)"
	[ "$(jq .members_copied told)" -gt 4 ] || fail "$where: the next run copied $(jq .members_copied told)"
	verify --repo repo --trust key.pub --all --level deep >out 2>&1 || fail "$where: after the next run: $(cat out)"
	[ -z "$(find repo -name '.*' ! -name .lock -type f)" ] || fail "$where: left $(ls -A repo)"
}

kills=0
for call in pwrite64 renameat2 fsync unlinkat ftruncate; do
	for ((n = 1; n < 100; n++)); do
		killed_at $call "$n"
		[ "$status" -ne 0 ] || break
		[ "$status" -eq 137 ] || fail "$call $n: exit $status: $(cat err)"
		kills=$((kills + 1))
		all_is_well "killed at $call $n"
	done
done
[ $kills -gt 15 ] || fail "killed only $kills times"

# While a member that is damaged has the large file passed again.
flip "base/$earlier.tar.gz" $(($(zcat "base/$earlier.manifest.gz" | grep -a '^#@ h .* ./large$' | cut -d' ' -f3) + 20))
passed_again=0
for ((n = 1; n < 4; n++)); do
	killed_at ftruncate "$n"
	[ "$status" -ne 0 ] || break
	passed_again=$((passed_again + 1))
	later 3h backup --source data --repo repo --key key --json >told 2>err || fail "the next run: $(cat err)"
	grep -q 'large: cannot be copied from the last backup' err || fail "$(cat err)"
	verify --repo repo --trust key.pub --level deep >out 2>&1 || fail "after the next run: $(cat out)"
done
[ $passed_again -gt 0 ] || fail "the large file was not passed again"
[ "$chunk" -gt 0 ]
