#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Blocks that cannot be shared are written, whatever the reason; a run that is killed while it
# shares them, or finds the volume full, leaves what was there; and what damage to blocks that
# many nights share does to them.
# timeout: 600
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need jq strace xfs_io mkfs.xfs
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"
make_key

mkdir data
for i in 1 2 3 4 5 6 7 8; do
	noise 1000000 "$i" >"data/$i"
done
volume v 300M mkfs.xfs -q
mkdir v/repo
backup=(backup --source data --repo v/repo --key key --json --jobs 2 --physical-every)
nights=("${backup[@]}" 3)
backup+=(1000)
expect 0 "${backup[@]}"
well() {
	quiet verify --all --repo v/repo --trust key.pub --level deep
	[ -z "$(find v/repo -name '.*.new')" ] || fail "left $(ls -A v/repo)"
}
is() { [ "$(jq -c "$1" "$CASE_BASE/stdout")" = "$2" ] || fail "$1 is not $2: $(cat "$CASE_BASE/stdout")"; }
count() { find v/repo -name '*.seal' | wc -l; }

# ---- blocks that are not to be had ----

# traced [STRACE-OPTION...]: a backup, and a trace of its ioctls.  Calls are counted thread by thread: the
# first of the main thread is FICLONE, all of the one that writes are FICLONERANGE.
traced() {
	expect 0 strace -f -qq -o trace -e trace=ioctl "$@" "${backup[@]}"
}
traced
is '[.members_copied, .bytes_shared == .bytes_copied]' '[9,true]'
[ "$(grep -c 'FICLONERANGE.* = 0$' trace)" = 9 ] || fail "$(cat trace)"

for error in ENOSPC EOPNOTSUPP EIO EINVAL EXDEV EINTR EPERM; do
	traced -e inject=ioctl:error=$error:when=2..5
	[ "$(grep -c 'FICLONERANGE.*(INJECTED)' trace)" = 4 ] || fail "$error: $(cat trace)"
	is '[.members_copied, (.bytes_copied - .bytes_shared) / 1003520, .warnings]' '[9,4,0]'
done
traced -e inject=ioctl:error=EOPNOTSUPP
is '[.members_copied, .bytes_shared]' '[9,0]'
well

# ---- killed ----

for n in 1 2 3 5 8 9; do
	before=$(count)
	# In a shell of its own, which keeps its "Killed" to itself.
	# shellcheck disable=SC2016 # for the inner shell
	bash -c '("$@" >out 2>err) 2>shell || :' - strace -f -qq -o /dev/null -e trace=ioctl \
	    -e inject=ioctl:signal=SIGKILL:when=$n "${backup[@]}" 2>/dev/null
	[ "$(count)" = "$before" ] || fail "killed at $n: $(ls -A v/repo)"
	quiet verify --all --repo v/repo --trust key.pub
	expect 0 "${backup[@]}"
	is '.bytes_shared == .bytes_copied' true
done
well

# ---- no space ----

noise 1000000 20 >data/1
noise 1000000 21 >data/8
before=$(count)
for n in 1 2 3; do
	expect 3 strace -f -qq -o trace -e trace=pwrite64 -e inject=pwrite64:error=ENOSPC:when=$n \
	    "${backup[@]}"
	grep -q 'v/repo/.*: No space left on device' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
	[ "$(count)" = "$before" ] || fail "a backup without space"
	well
done
head -c 1G /dev/zero >v/fill 2>/dev/null || :
expect 3 "${backup[@]}"
grep -q 'o space' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
rm v/fill
well
expect 0 "${backup[@]}"
is '.members_copied' 7

# ---- a sector that goes bad ----

# Two nights share, the third is a copy of its own, which two more share.
rm v/repo/*
for i in 1 2 3 4 5; do
	expect 0 "${nights[@]}"
done
# by_number N: the backup with that sequence.
by_number() { grep -lx "# sequence: $1" v/repo/*.seal | sed 's|.*/||; s/.seal$//'; }
# spoil N: a byte on the disk in the middle of that archive.
spoil() {
	local file block
	file=v/repo/$(by_number "$1").tar.gz
	block=$(blocks "$file" | sort -n | sed -n 1000p)
	umount v
	flip v.ram/img $((block * 4096 + 100))
	mount -o loop v.ram/img v
}
# damaged NUMBERS FILE: exactly these are, each with that file.
damaged() {
	expect 1 verify --all --repo v/repo --trust key.pub --json
	is '[.backups[] | select(.ok | not) | .sequence] | sort' "$1"
	is '[.backups[].findings[].files[].path] | unique' "[\"$2\"]"
}
spoil 1
damaged '[1,2]' 5

# In the newest: it is not copied from there, so the next night is whole again.
spoil 5
damaged '[1,2,3,4,5]' 5
expect 0 "${backup[@]}"
is '[.members_copied, .bytes_shared == .bytes_copied]' '[8,true]'
grep -q 'digest' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
damaged '[1,2,3,4,5]' 5
