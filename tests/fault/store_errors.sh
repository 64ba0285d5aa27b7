#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each system call of a commit made to fail in turn, with a full disk and with an
# I/O error: the commit says so, an earlier backup and a foreign archive stay as
# they were, and the next run succeeds.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
step=$TOP/build/$TEST_VARIANT/unit/test_store_crash
[ -x "$step" ] || skip "needs the unit tests"
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir before
"$step" commit before
mv before/n-2.seal n-1.seal # any earlier backup will do: nobody reads it here
fresh() {
	rm -rf repo
	mkdir repo
	cp n-1.seal repo/n-1.seal
	echo "from before" >repo/old-1.tar.gz
}
names() { (cd repo && find . -type f ! -name .lock | sort | tr '\n' ' '); }
kept='./n-1.seal ./old-1.tar.gz '
whole='./n-1.seal ./n-2.manifest.gz ./n-2.seal ./n-2.tar.gz ./old-1.tar.gz '

failed=0
for call in openat write fsync renameat2 close; do
	for error in EIO ENOSPC EDQUOT; do
		for n in $(seq 1 60); do
			fresh
			status=0
			strace -qq -o trace -e trace="$call" -e signal=none \
			    -e inject="$call:error=$error:when=$n" "$step" commit repo 2>err || status=$?
			grep -q INJECTED trace || break
			# Only calls that touch the repository are ours; the loader's are not.
			[ $status -eq 0 ] || [ $status -eq 1 ] || [ ! -e repo/.lock ] ||
			    fail "$call $n $error: exit $status"
			if [ $status -eq 1 ]; then
				failed=$((failed + 1))
				[ -s err ] || fail "$call $n $error: failed without a word"
			fi
			if [ $status -eq 0 ] && [ "$(names)" != "$whole" ]; then
				fail "$call $n $error: success, and there is only $(names)"
			fi
			"$step" recover repo || fail "$call $n $error: recovery failed"
			case $(names) in
			"$whole") ;;
			"$kept") "$step" commit repo || fail "$call $n $error: the next run failed" ;;
			*) fail "$call $n $error: left $(names)" ;;
			esac
			[ "$(names)" = "$whole" ] || fail "$call $n $error: in the end $(names)"
			cmp -s n-1.seal repo/n-1.seal || fail "$call $n $error: an earlier seal changed"
			[ "$(cat repo/old-1.tar.gz)" = "from before" ] || fail "a foreign archive changed"
		done
	done
done
[ $failed -gt 20 ] || fail "only $failed failures were tried"
