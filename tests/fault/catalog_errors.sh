#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# Each system call of a rebuild, and of bringing the catalog up to date with a backup that
# came and with one that went, made to fail in turn, or the program killed there: questions
# are answered as before, and the next rebuild succeeds.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

sample_tree data
make_repo repo
backup_tree data repo
cp repo/catalog.sqlite3 first.sqlite3
echo more >>data/logs/app.log
rm -r data/db
backup_tree data repo
ask() { manifest find --repo repo --trust key.pub --json '**' "$@"; }
ask --no-catalog >want
cp repo/catalog.sqlite3 both.sqlite3

# trial CALL INJECTION N COMMAND...: false when there is no Nth call.
trial() {
	local call=$1 inject=$2 n=$3 status=0
	shift 3
	strace -qq -o trace -e trace="$call" -e signal=none -e inject="$call:$inject:when=$n" \
	    manifest "$@" --repo repo --trust key.pub >out 2>err || status=$?
	grep -qE 'INJECTED|killed by' trace || return 1
	tried=$((tried + 1))
	case $status in
	0 | 137) ;;
	*)
		failed=$((failed + 1))
		[ -s err ] || fail "$call $n $inject: exit $status without a word"
		;;
	esac
	return 0
}

# On a volume that is mounted read-only nobody can roll back what a crash left.
can_mount=
unshare -rm mount --bind repo repo 2>/dev/null && can_mount=1
hot=0
ask_read_only() {
	hot=$((hot + 1))
	unshare -rm bash -c 'mount --bind repo repo && mount -o remount,bind,ro repo &&
	    ! touch repo/x 2>/dev/null && exec "$@"' - \
	    manifest find --repo repo --trust key.pub --json '**' >got 2>err || fail "$1: $(cat err)"
	cmp -s want got || fail "$1, read-only: another answer"
}

# The old catalog may stand, the new one, or none: the answers do not change.
judge() {
	if [ -s repo/catalog.sqlite3-journal ] && [ "$can_mount" ]; then
		ask_read_only "$1"
	fi
	ask -q >got 2>err || fail "$1: no answer: $(cat err)"
	cmp -s want got || fail "$1: another answer: $(diff want got | head -n 5)"
}

tried=0
failed=0
for call in openat pwrite64 fsync fdatasync renameat unlinkat unlink close; do
	for inject in error=EIO error=ENOSPC signal=KILL; do
		for n in $(seq 1 200); do
			trial "$call" "$inject" "$n" rebuild || break
			judge "rebuild: $call $n $inject"
		done
	done
done
for call in openat pwrite64 fsync fdatasync unlink close; do
	for inject in error=EIO error=ENOSPC signal=KILL; do
		for n in $(seq 1 200); do
			# A catalog that lacks the last backup is brought up to date by a question.
			rm -f repo/catalog.sqlite3*
			cp first.sqlite3 repo/catalog.sqlite3
			trial "$call" "$inject" "$n" ls || break
			judge "update: $call $n $inject"
		done
	done
done
# One that went: the oldest is taken out of the catalog that has both.
oldest=$(cd repo && printf '%s\n' *.seal | head -n 1)
rm "repo/${oldest%.seal}".*
ask --no-catalog >want
update_tried=$tried
for call in pwrite64 fdatasync unlink; do
	for inject in error=EIO error=ENOSPC signal=KILL; do
		for n in $(seq 1 200); do
			rm -f repo/catalog.sqlite3*
			cp both.sqlite3 repo/catalog.sqlite3
			trial "$call" "$inject" "$n" ls || break
			judge "taken out: $call $n $inject"
		done
	done
done
[ $((tried - update_tried)) -ge 30 ] || fail "only $((tried - update_tried)) failures while a backup is taken out"
if [ $tried -lt 200 ] || [ $failed -lt 50 ]; then
	fail "only $tried failures were tried, and $failed were felt"
fi
[ ! "$can_mount" ] || [ $hot -gt 0 ] || fail "no crash left a journal"
quiet manifest rebuild --repo repo --trust key.pub
judge "in the end"
[ -z "$(find repo -name '.catalog*' -o -name '*-journal')" ] || fail "work files were left"
