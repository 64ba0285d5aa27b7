#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# Retention cut short: killed at each system call between the seal and the end of pruning, a
# removal that fails, and volumes without room.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace faketime jq
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir data
noise 30000 1 >data/file
make_repo base
at() {
	local when=$1
	shift
	faketime -f "@2026-02-$when 00:00:05" "$@"
}
for i in 1 2 3; do
	quiet at 0$i backup --source data --repo base --key key
done
quiet verify --repo base --trust key.pub autolab-backup-20260202_000005
echo "from before" >base/autolab-backup-20200101_000000.tar.gz

sealed() {
	find repo -maxdepth 1 -name '*.seal' -printf '%f\n' | sort | sed 's/.*-\(2026....\).*/\1/' | paste -sd' '
}

# What no kill may ever cost: the newest, the last verified one, the foreign archive.
stands() {
	local seals
	seals=$(sealed)
	case " $seals " in
	*" 20260202 "*) ;;
	*) fail "$1: the last verified one is gone: $seals" ;;
	esac
	case " $seals " in
	*" 20260203 "* | *" 20260204 "*) ;;
	*) fail "$1: the newest is gone: $seals" ;;
	esac
	[ "$(cat repo/autolab-backup-20200101_000000.tar.gz)" = "from before" ] ||
	    fail "$1: a foreign archive changed"
	# Not 5: what the newest seal holds is there.  What is half removed has no seal any more.
	verify --repo repo --trust key.pub --all --level quick --quiet >out 2>&1 || fail "$1: verify: $(cat out)"
}

is_clean() {
	local rest
	rest=$(find repo -name '.*' ! -name .lock -type f)
	[ -z "$rest" ] || fail "$1: left $rest"
	[ "$(find repo -name '*.manifest.gz' | wc -l)" = "$(find repo -name '*.seal' | wc -l)" ] ||
	    fail "$1: $(ls repo)"
	[ "$(find repo -name '*.tar.gz' | wc -l)" = $(($(find repo -name '*.seal' | wc -l) + 1)) ] ||
	    fail "$1: $(ls repo)"
}

# killed DAY CALL N CMD...: faketime(1) does not pass a kill on, and unless it is there to the end
# leaves a semaphore about that breaks another process with its number.
killed() {
	local when=$1 call=$2 n=$3
	shift 3
	# shellcheck disable=SC2016 # for the inner shell
	at "$when" bash -c '("$@" >out 2>err) 2>shell; echo $? >status' - \
	    strace -f -qq -o /dev/null -e trace="$call" -e inject="$call:signal=SIGKILL:when=$n" "$@"
	return "$(cat status)"
}

# each_kill WHAT CMD...: killed at each call that changes the repository, then done again by
# "again", which has to bring about $want.
each_kill() {
	local what=$1 call n step status
	shift
	for call in renameat2 unlinkat rename unlink fsync fdatasync pwrite64; do
		# The catalog's own writes are many, and its journal is SQLite's: some of them will do.
		[ "$call" = pwrite64 ] && step=7 || step=1
		for ((n = 1; n < 300; n += step)); do
			rm -rf repo
			cp -a base repo
			status=0
			killed 04 "$call" "$n" "$@" || status=$?
			[ "$status" -ne 0 ] || break
			[ "$status" -eq 137 ] || fail "$what, $call $n: exit $status: $(cat err)"
			kills=$((kills + 1))
			stands "$what killed at $call $n"
			again "$what killed at $call $n"
			is_clean "$what killed at $call $n"
			[ "$(sealed)" = "$want" ] || fail "$what killed at $call $n: $(sealed), not $want"
			stands "$what killed at $call $n, and again"
		done
	done
}

# A retry with the same id finishes what the killed one began.
kills=0
want="20260202 20260204"
again() {
	at 04 backup --source data --repo repo --key key --keep-last 1 --run-id job >out 2>&1 ||
	    fail "$1: the retry: $(cat out)"
}
each_kill backup backup --source data --repo repo --key key --keep-last 1 --run-id job
[ $kills -gt 20 ] || fail "killed only $kills times"

# Sealed anew, and killed: the history of verifications goes with the new seal.
kills=0
quiet verify --repo base --trust key.pub autolab-backup-20260203_000005
want="20260203"
stands() {
	verify --repo repo --trust key.pub --all --level quick --quiet >out 2>&1 || fail "$1: verify: $(cat out)"
	case " $(sealed) " in
	*" 20260203 "*) ;;
	*) fail "$1: the newest is gone" ;;
	esac
}
again() {
	at 04 manifest prune --repo repo --key key --keep-last 1 >out 2>&1 || fail "$1: again: $(cat out)"
}
each_kill prune manifest prune --repo repo --key key --keep-last 1
[ $kills -gt 10 ] || fail "killed only $kills times"
# The next night must still know that 03 was verified: it stays beside 04 and 05, which were not.
rm -rf repo
cp -a base repo
killed 04 pwrite64 1 manifest prune --repo repo --key key --keep-last 1 && fail "not killed"
quiet at 04 backup --source data --repo repo --key key --keep-last 1
quiet at 05 backup --source data --repo repo --key key --keep-last 1
[ "$(sealed)" = "20260203 20260205" ] || fail "after a reseal: $(sealed)"

# A removal that fails: the new backup stands, it is told once, and the next run tries again.
rm -rf repo
cp -a base repo
status=0
quiet at 04 strace -f -qq -o log -e trace=unlinkat backup --source data --repo repo --key key --keep-last 1
n=$(grep -n '20260201_000005.tar.gz' log | cut -d: -f1)
rm -rf repo
cp -a base repo
at 04 strace -f -qq -o /dev/null -e trace=unlinkat -e inject=unlinkat:error=EIO:when="$n" \
    backup --source data --repo repo --key key --keep-last 1 --json >out 2>err || status=$?
[ "$status" = 1 ] || fail "exit $status: $(cat out err)"
[ "$(grep -c '20260201_000005' err)" = 1 ] || fail "told: $(cat err)"
grep -q 'repo/autolab-backup-20260201_000005.tar.gz.*Input/output error' err || fail "told: $(cat err)"
[ "$(jq -r '.status, .not_pruned[0].name' out)" = "1
autolab-backup-20260201_000005" ] || fail "$(cat out)"
at 05 backup --source data --repo repo --key key --keep-last 1 >out 2>&1 || fail "$(cat out)"
is_clean "after a removal that failed"
[ "$(sealed)" = "20260203 20260205" ] || fail "after a removal that failed: $(sealed)"
