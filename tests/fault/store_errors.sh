#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each system call of what changes a repository (commit, prune, hold, release, seal anew) made to
# fail in turn, with an I/O error and a full disk: it says so, and after recovery the repository is as
# it was or as it is meant to be, to the byte; and done again, it succeeds.
# long
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
step=$TOP/build/$TEST_VARIANT/unit/test_store_crash
[ -x "$step" ] || skip "needs the unit tests"
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

fresh() {
	rm -rf repo
	cp -a before repo
}
same() { diff -rq "$1" repo >/dev/null; }

# try STEP CALL ERROR N: false when there is no Nth call.
try() {
	local status=0 where="$*"
	fresh
	strace -qq -o trace -e trace="$2" -e signal=none \
	    -e inject="$2:error=$3:when=$4" "$step" run "$1" repo 2>err || status=$?
	grep -q INJECTED trace || return 1
	# Only calls that touch the repository are ours; the loader's are not.
	[ $status -le 1 ] || grep -q 'error while loading' err || fail "$where: exit $status"
	if [ $status -eq 1 ]; then
		failed=$((failed + 1))
		[ -s err ] || fail "$where: failed without a word"
	fi
	[ $status -ne 0 ] || same after || fail "$where: success, and $(diff -rq after repo)"
	"$step" recover repo || fail "$where: recovery failed"
	if same before; then
		"$step" run "$1" repo || fail "$where: done again, it failed"
	fi
	same after || fail "$where: in the end $(diff -rq after repo)"
}

for name in commit prune hold hold-again release reseal; do
	rm -rf before after
	mkdir before after
	"$step" make $name before
	"$step" make $name after
	"$step" run $name after
	failed=0
	for call in openat write fsync renameat renameat2 unlinkat close; do
		case $call in
		openat | write) errors="EIO ENOSPC EDQUOT" ;;
		*) errors=EIO ;;
		esac
		for error in $errors; do
			n=1
			while try $name $call "$error" "$n"; do
				n=$((n + 1))
				[ $n -lt 80 ] || fail "$name $call: no end"
			done
		done
	done
	[ $failed -ge 3 ] || fail "$name: only $failed failures were tried"
	echo "$name: $failed failures" >&2
done
