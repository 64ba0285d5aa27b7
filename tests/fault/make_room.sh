#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# --make-room on a volume that is too small for one backup more than the rules keep.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need faketime jq
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
mkdir repo
mount -t tmpfs -o size=5m tmpfs repo 2>/dev/null || skip "no right to mount"
trap "umount repo || umount -l repo" EXIT
make_key
mkdir data
noise 1000000 1 >data/blob
at() {
	local when=$1
	shift
	faketime -f "@2026-02-$when 00:00:05" "$@"
}
sealed() {
	find repo -maxdepth 1 -name '*.seal' -printf '%f\n' | sort | sed 's/.*-202602\(..\).*/\1/' | paste -sd' '
}
is() { [ "$(sealed)" = "$1" ] || fail "there are $(sealed), not $1: $(cat "$CASE_BASE/stderr")"; }
well() { quiet verify --repo repo --trust key.pub --all; }
night() {
	local when=$1
	shift
	at "$when" backup --source data --repo repo --key key "$@"
}

noise 700000 7 >repo/autolab-backup-20250101_000000.tar.gz
for i in 01 02 03 04; do
	quiet night $i
done
is "01 02 03 04"

# Without the option it is refused, and nothing is touched.
expect 3 night 05 --keep-last 3
is "01 02 03 04"

# Two have to go by the rules, and one is enough.  The newest is sealed anew first.
expect 0 night 05 --keep-last 3 --make-room --json
is "03 04 05"
jq -c '[.pruned[] | [.name, .for_room]]' "$CASE_BASE/stdout" >out
[ "$(cat out)" = '[["autolab-backup-20260201_000005",true],["autolab-backup-20260202_000005",false]]' ] ||
    fail "$(cat out)"
quiet verify --repo repo --trust key.pub --all --level quick

# The same in words.  04 is the last one that was verified.
noise 1000000 8 >repo/other
quiet verify --repo repo --trust key.pub autolab-backup-20260204
expect 0 night 06 --keep-last 2 --make-room
is "04 05 06"
grep -A1 '^Making room for the new backup (keeping last 2 backups)\.\.\.$' "$CASE_BASE/stdout" >out ||
    fail "$(cat "$CASE_BASE/stdout")"
grep -q "^removed 'repo/autolab-backup-20260203_000005.tar.gz'$" out || fail "$(cat out)"

# Nothing more may go: not the last verified one, not the newest, not one on hold.
quiet manifest hold --repo repo --trust key.pub autolab-backup-20260205
expect 3 night 07 --keep-last 1 --make-room
is "04 05 06"
grep -q 'no space for another backup: .* is free, about .* is needed; --make-room found nothing that may go' \
    "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"

# Still too little: what was removed is told, and the newest stands.
quiet manifest release --repo repo --trust key.pub autolab-backup-20260205
noise 3200000 1 >data/blob
expect 3 night 07 --keep-last 1 --make-room
is "04 06"
grep -q 'no space for another backup: .*; --make-room removed autolab-backup-20260205_000005' \
    "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
quiet verify --repo repo --trust key.pub --all --level quick

# Killed between the new seal and the removal: no harm, and the next one goes on.
rm repo/other
noise 1000000 1 >data/blob
quiet night 07 --keep-last 9
quiet night 08 --keep-last 9
is "04 06 07 08"
if command -v strace >/dev/null && strace -o /dev/null -e trace=none true 2>/dev/null; then
	for call in renameat2 unlinkat fsync; do
		for n in 1 2 3; do
			cp -a repo/. saved
			# Not faketime strace backup: tests/fault/retention.sh says why.
			# shellcheck disable=SC2016 # for the inner shell
			at 09 bash -c '("$@" >out 2>err) 2>shell || :' - strace -f -qq -o /dev/null \
			    -e trace=$call -e inject=$call:signal=SIGKILL:when=$n \
			    backup --source data --repo repo --key key --keep-last 1 --make-room
			quiet verify --repo repo --trust key.pub --all --level quick
			case "$(sealed)" in
			*04*0[89]) ;;
			*) fail "killed at $call $n: $(sealed)" ;;
			esac
			find repo -mindepth 1 ! -name .lock -delete
			cp -a saved/. repo
			rm -r saved
		done
	done
	# What cannot be removed: whatever comes of it, what the newest holds is there.
	for n in 1 2 3 4 5 6; do
		cp -a repo/. saved
		at 09 strace -f -qq -o /dev/null -e trace=unlinkat -e inject=unlinkat:error=EIO:when=$n \
		    backup --source data --repo repo --key key --keep-last 1 --make-room >out 2>err || :
		quiet verify --repo repo --trust key.pub --all --level quick
		[ "$(grep -c 'the next run tries again' err)" -le 1 ] || fail "unlinkat $n: $(cat err)"
		find repo -mindepth 1 ! -name .lock -delete
		cp -a saved/. repo
		rm -r saved
	done
fi
expect 0 night 09 --keep-last 1 --make-room
is "04 09"
well

# The source grows: the last backup alone would not have told.
noise 2600000 1 >data/blob
quiet night 10 --keep-last 1 --make-room
is "09 10"

# Content that packs worse than that of the last night: nobody could know, so it begins again.
find repo -mindepth 1 ! -name .lock -delete
noise 700000 7 >repo/autolab-backup-20250101_000000.tar.gz
noise 1000000 1 >data/blob
quiet night 01
quiet night 02
head -c 2600000 /dev/zero >data/blob
quiet night 03
noise 2600000 1 >data/blob
expect 3 night 04 --keep-last 1
is "01 02 03"
expect 0 night 04 --keep-last 1 --make-room --json
is "04"
jq -c '[.pruned[] | .for_room], .status' "$CASE_BASE/stdout" >out
[ "$(cat out)" = '[true,true,false]
0' ] || fail "$(cat out)"
grep -q 'the volume was full: with what is free now the backup begins again' "$CASE_BASE/stderr" ||
    fail "$(cat "$CASE_BASE/stderr")"
well
# And when that does not help, the newest is still there, and 04, the last one that was verified.
head -c 4900000 /dev/zero >data/blob
quiet night 05
quiet night 06
noise 4900000 1 >data/blob
expect 3 night 07 --keep-last 1 --make-room
is "04 06"
grep -q 'No space left on device; --make-room removed autolab-backup-20260205_000005$' \
    "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
[ -z "$(find repo -name '.*.new')" ] || fail "left $(ls -A repo)"
well

# Not a block is free: that cannot even be sealed, and is told with a way out.
noise 1000000 1 >data/blob
head -c 5000000 /dev/zero >repo/fill 2>/dev/null || :
for command in "night 08 --keep-last 1 --make-room" "manifest prune --repo repo --key key --keep-last 1"; do
	# shellcheck disable=SC2086 # words
	expect 3 $command
	is "04 06"
	grep -q 'No space left on device (some KiB are needed: repo/catalog.sqlite3 may go' "$CASE_BASE/stderr" ||
	    fail "$(cat "$CASE_BASE/stderr")"
done
rm repo/catalog.sqlite3
expect 0 manifest prune --repo repo --key key --keep-last 1
is "06"
rm repo/fill
quiet night 08
well

# The same without keys.
find repo -mindepth 1 ! -name .lock -delete
noise 1000000 1 >data/blob
noise 700000 7 >repo/autolab-backup-20250101_000000.tar.gz
for i in 01 02 03 04; do
	quiet at $i backup --source data --repo repo --unsigned
done
quiet at 05 backup --source data --repo repo --unsigned --keep-last 3 --make-room
is "03 04 05"
expect 0 verify --repo repo --untrusted --trust key.pub --all --level quick
[ "$(stat -c %s repo/autolab-backup-20250101_000000.tar.gz)" = 700000 ] || fail "a foreign archive changed"
