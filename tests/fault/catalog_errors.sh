#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each system call of a rebuild, and of bringing the catalog up to date, made to fail in
# turn, or the program killed there: questions are answered as before, and the next
# rebuild succeeds.
# timeout: 300
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

# The old catalog may stand, the new one, or none: the answers do not change.
judge() {
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
if [ $tried -lt 200 ] || [ $failed -lt 50 ]; then
	fail "only $tried failures were tried, and $failed were felt"
fi
quiet manifest rebuild --repo repo --trust key.pub
judge "in the end"
[ -z "$(find repo -name '.catalog*' -o -name '*-journal')" ] || fail "work files were left"
