#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A disk that does not give back what it holds, at each read in turn, and a stop in
# the middle: verify never says that all is well, and goes on to the end where it can.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

sample_tree data
noise 9000000 7 >data/more
make_repo repo
backup_tree data repo
rm repo/catalog.sqlite3 # its reads are no business of verify's

tampered() { # WHAT: an inject expression
	status=0
	strace -f -qq -o trace -e trace=pread64,openat,fstat,newfstatat -e signal=none -e inject="$1" \
	    verify --repo repo --trust key.pub --jobs 1 --level deep >out 2>err || status=$?
}

tried=0 findings=0
for n in $(seq 1 60); do
	tampered "pread64:error=EIO:when=$n"
	grep -q INJECTED trace || break
	# The loader reads libraries with it; then there is no verify.
	[ $status -ne 127 ] || continue
	tried=$((tried + 1))
	[ $status -eq 1 ] || [ $status -eq 3 ] || fail "read $n: exit $status"
	cat out err | grep -q 'Input/output error' || fail "read $n: not a word about it"
	[ $status -ne 1 ] || findings=$((findings + 1))
	# Without its seal there is nothing to check a backup against.
	[ $status -ne 1 ] || grep -q -e 'seal cannot be read' -e '(deep: ' out || fail "read $n: not to the end"
done
[ $tried -gt 10 ] || fail "only $tried reads were tried"
[ $findings -gt 5 ] || fail "of $tried reads that failed only $findings were told as damage"

# strace sends signals to the first thread only: at the seal, the root, the whole manifest.
for n in 3 4 6; do
	tampered "pread64:signal=SIGTERM:when=$n"
	[ $status -eq 143 ] || fail "read $n: exit $status after a SIGTERM"
	grep -q '^verify: ' err || fail "read $n: stopped without a word"
done
