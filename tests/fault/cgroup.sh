#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# timeout: 1200
# Inside control groups with little memory and little processor, like a container's: all four
# programs do their work, nobody is killed, and -v says what follows from the limits.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
[ "$TEST_VARIANT" = plain ] || skip "sanitizers take memory of their own"
[ "$(stat -f -c %T .)" != tmpfs ] || skip "what is written here would itself be memory"

# Where CONTROLLER's groups are, of version 1; or those of version 2.
mount_of() {
	awk -v want="$1" '{
		for (i = 7; $i != "-"; i++)
			;
		if ($(i + 1) == "cgroup2" && want == "cgroup2" ||
		    $(i + 1) == "cgroup" && index("," $(i + 3) ",", "," want ","))
			{ print $5; exit }
	}' /proc/self/mountinfo
}

# Groups for this test, one below the other: the limits are the upper one's, the programs run in
# the lower one.
group=tarseal-test-$$
memory=$(mount_of memory)
cpu=$(mount_of cpu)
if [ -n "$memory" ] && [ -n "$cpu" ]; then
	version=1
else
	version=2
	memory=$(mount_of cgroup2)
	cpu=$memory
	[ -n "$memory" ] || skip "no control groups are mounted"
fi
upper=("$memory/$group" "$cpu/$group")
remove_groups() {
	local dir
	for dir in "${upper[@]}"; do
		[ ! -d "$dir/low" ] || rmdir "$dir/low"
		[ ! -d "$dir" ] || rmdir "$dir"
	done
}
trap remove_groups EXIT
for dir in "${upper[@]}"; do
	mkdir -p "$dir" 2>/dev/null || skip "control groups cannot be made here"
	if [ "$version" = 2 ]; then
		echo "+memory +cpu" 2>/dev/null >"$memory/cgroup.subtree_control" || true
		{ echo "+memory +cpu" >"$dir/cgroup.subtree_control"; } 2>/dev/null ||
		    skip "control groups cannot be given these controllers here"
	fi
	mkdir -p "$dir/low"
done

# limit BYTES MICROSECONDS: memory, and processor of each 100000
limit() {
	if [ "$version" = 1 ]; then
		echo "$1" >"$memory/$group/memory.limit_in_bytes"
		echo 100000 >"$cpu/$group/cpu.cfs_period_us"
		echo "$2" >"$cpu/$group/cpu.cfs_quota_us"
	else
		echo "$1" >"$memory/$group/memory.max"
		echo "$2 100000" >"$cpu/$group/cpu.max"
	fi
}

kills() {
	if [ "$version" = 1 ]; then
		awk '$1 == "oom_kill" { print $2 }' "$memory/$group/low/memory.oom_control"
	else
		awk '$1 == "oom_kill" { print $2 }' "$memory/$group/memory.events"
	fi
}

# within CMD...: in the lower groups
# shellcheck disable=SC2016 # for the inner shell
within() {
	quiet bash -c 'echo $$ >"$1/cgroup.procs" && echo $$ >"$2/cgroup.procs" && shift 2 && exec "$@"' \
	    within "$memory/$group/low" "$cpu/$group/low" "$@"
	[ "$(kills)" = 0 ] || fail "killed for want of memory: $*"
}

# said TEXT: what the last one said with -v
said() {
	grep -qxF "$1" "$CASE_BASE/quiet" || fail "not \"$1\":
$(cat "$CASE_BASE/quiet")"
}

# cycle: each program once
cycle() {
	within backup -v --source src --repo repo --key key
	said "backup: $1"
	within verify -v --repo repo --trust key.pub
	said "verify: $1"
	within verify -v --repo repo --trust key.pub --level deep
	said "verify: $1"
	within restore -v --repo repo --trust key.pub --target out
	said "restore: $1"
	within manifest rebuild --repo repo --trust key.pub
	diff -r src out
	rm -r out
}

"$TESTS/make-tree" many src 20000
{
	noise 100000000 1
	seq 1 20000000 | head -c 100000000 || true
} >src/large
for i in {1..30}; do
	noise 1000000 "$i" >"src/noise-$i"
done
make_repo repo

# Two processors at most, so that the memory limit decides: 64M has room for two workers, not for
# all of the jobs that they would like to have.
limit $((64 << 20)) 200000
if [ "$(nproc)" -ge 2 ]; then
	workers="2 workers, for $([ "$(nproc)" -gt 2 ] && echo 'a CPU quota of 2' || echo '2 processors')"
	cycle "$workers; up to 4 members in memory at a time, for a memory limit of 64M"
	limit $((40 << 20)) 200000
	cycle "1 worker, because of the memory limit; up to 2 members in memory at a time, for a memory limit of 40M"
fi

# The chart's own limits, for what is short.
limit $((256 << 20)) 20000
[ "$(nproc)" = 1 ] || reason="for a CPU quota of 200m"
within verify -v --repo repo --trust key.pub
said "verify: 1 worker, ${reason:-for 1 processor}; up to 4 members in memory at a time, for a memory limit of 256M"

# What --jobs says is done, whatever that takes.
within verify -v --jobs 3 --repo repo --trust key.pub
said "verify: 3 workers, as --jobs says; up to 8 members in memory at a time, for a memory limit of 256M"
