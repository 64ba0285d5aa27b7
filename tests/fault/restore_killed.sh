#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A restore over existing data, killed at each system call that changes its target, in each mode. At any
# time the target has what was there, whole, or says that it has not; nothing of it is backed up then;
# and the next run, or --recover, ends it.
# timeout: 900
# long
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir -p data/sub/deep data/logs
for i in 1 2; do
	noise 3000 "$i" >"data/sub/$i"
done
noise 1100000 9 >data/large
ln data/sub/1 data/sub/deep/hard
ln -s sub data/link
echo new >data/logs/app.log
set_times data
make_repo repo
backup_tree data repo

# What is there before: other files, other content, a directory that goes.
mkdir -p old/sub old/extra/more
echo old >old/sub/1
echo old >old/large
echo old >old/link
echo old >old/extra/more/file
set_times old

# What a merge of all makes of the two.
cp -a old both
rm both/large both/link both/sub/1
rsync -aH data/ both/

from=(--repo repo --trust key.pub)
r() {
	restore "${from[@]}" --target target --jobs 2 "$@"
}
same() {
	diff -r "$1" target >differs 2>&1
}
# busy: is the target marked?  Then nobody backs it up; else nothing of the work is left.
busy() {
	[ -d target/.tarseal-restore ]
}

at_rest() {
	busy && fail "$where: --recover left $(ls -A target/.tarseal-restore)"
	restore --status --target target >status || fail "$where: $(cat status)"
}

look() {
	if busy; then
		expect 1 restore --status --target target
		cp "$CASE_BASE/stdout" status
		expect 3 backup --source target --repo repo --key key --dry-run
		grep -q 'restore --status' "$CASE_BASE/stderr" || fail "$where: $(cat "$CASE_BASE/stderr")"
	else
		restore --status --target target >status || fail "$where: $(cat status)"
	fi
}

# What a person finds who has no more than --recover.
recovered() {
	local status=0
	restore --recover --target target >out 2>&1 || status=$?
	case $mode.$status in
	stage.0) at_rest; same old || same data || fail "$where: recovered: $(cat differs)" ;;
	merge.0) at_rest ;;
	wipe.0) at_rest; same old || same data || fail "$where: recovered: $(cat differs)" ;;
	wipe.3) grep -q 'only a restore of everything' out || fail "$where: $(cat out)" ;;
	*) fail "$where: --recover: exit $status: $(cat out)" ;;
	esac
}

# A merge leaves each file as it was, or as it shall be.
whole_files() {
	local f
	(cd target && find . -path ./.tarseal-restore -prune -o -type f -print) | while read -r f; do
		cmp -s "target/$f" "old/$f" || cmp -s "target/$f" "data/$f" || fail "$where: $f is neither"
	done
}

calls="mkdir mkdirat renameat renameat2 unlinkat linkat symlinkat fsync syncfs write pwrite64 ftruncate
    fchmod fchown fchownat fsetxattr fremovexattr utimensat"
# killed_at CALL N: false when the run came to its end without that.
killed_at() {
	local call=$1 n=$2 status=0
	where="${from[*]}: $mode, $call $n"
	rm -rf target
	cp -a old target
	(strace -f -qq -o trace -e trace="$call" -e inject="$call:signal=SIGKILL:when=$n" \
	    restore "${from[@]}" --target target --jobs 2 --mode $mode >out 2>err) 2>shell || status=$?
	[ "$status" -ne 0 ] || return 1
	[ "$status" -eq 137 ] || fail "$where: exit $status: $(cat err)"
	kills=$((kills + 1))
	look
	[ $mode != merge ] || whole_files
	rm -rf copy
	cp -a target copy
	recovered
	rm -rf target
	mv copy target
	r --mode $mode >out 2>&1 || fail "$where: the next run: $(cat out)"
	at_rest
	same "$goal" || fail "$where: the next run: $(cat differs)"
}
for mode in stage merge wipe; do
	[ $mode = merge ] && goal=both || goal=data
	kills=0
	for call in $calls; do
		n=1
		while killed_at "$call" $n; do
			n=$((n + 1))
			[ $n -lt 400 ] || fail "$mode, $call: no end"
		done
		same "$goal" || fail "$mode, $call, not killed: $(cat differs)"
	done
	[ $kills -ge 30 ] || fail "$mode: killed only $kills times"
done

# From the archive alone, it is the same way into the target: a few of these for each.
mkdir alone
cp repo/*.tar.gz repo/*.seal alone
from=(--repo alone --trust key.pub --untrusted)
for mode in stage merge wipe; do
	[ $mode = merge ] && goal=both || goal=data
	kills=0
	for call in mkdirat renameat2 unlinkat linkat pwrite64 fsync utimensat; do
		for n in 1 3 5; do
			killed_at "$call" $n || break
		done
	done
	[ $kills -ge 8 ] || fail "alone, $mode: killed only $kills times"
done
from=(--repo repo --trust key.pub)

# Of these facts a look at the content tells nothing.
rm -rf target
cp -a old target
chmod 700 target
r --quiet
same_tree data target

# Stopped, it takes back what it did: what was there is as it was.
stops=0
for call in mkdirat pwrite64 fsync; do
	for n in 1 2 3; do
		rm -rf target
		cp -a old target
		status=0
		strace -f -qq -o trace -e trace=$call -e inject=$call:signal=SIGTERM:when=$n \
		    restore --repo repo --trust key.pub --target target --jobs 2 >out 2>err || status=$?
		where="stopped, $call $n"
		at_rest
		if [ $status -eq 143 ]; then
			stops=$((stops + 1))
			same old || fail "$where: $(cat differs)"
		else
			[ $status -eq 0 ] || fail "$where: exit $status: $(cat err)"
			same data || fail "$where: $(cat differs)"
		fi
	done
done
[ $stops -gt 3 ] || fail "stopped only $stops times"
