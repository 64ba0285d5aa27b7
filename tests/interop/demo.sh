#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# ./demo goes through, on its sample and on a directory of the caller's, which stays
# as it was; it proves what it says, and cleans up.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

[ "$TEST_VARIANT" = plain ] || skip "the demo builds and runs the plain variant"

proven() {
	[ "$(grep -c '^(no difference)$' "$1")" = 2 ] || fail "$1: the trees were not compared"
	grep -q '^Signature Verified Successfully$' "$1" || fail "$1: no signature was checked"
	grep -q '^(exit status 1)$' "$1" || fail "$1: no damage was found"
	grep -q '^the same$' "$1" || fail "$1: no file came back"
	scratch=$(sed -n 's/^Working in //p' "$1")
	[ -n "$scratch" ] || fail "$1: no scratch directory was named"
	[ ! -e "$scratch" ] || fail "$1: $scratch is still there"
}

expect 0 "$TOP/demo"
mv "$CASE_BASE/stdout" sample
proven sample

sample_tree own
cp -a own before
expect 0 "$TOP/demo" own
mv "$CASE_BASE/stdout" of-own
proven of-own
same_tree before own

expect 2 "$TOP/demo" --no-such-option
expect 2 "$TOP/demo" no/such/directory
