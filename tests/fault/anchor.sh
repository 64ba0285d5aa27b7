#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# Each system call that writes an anchor made to fail in turn, or verify killed there: the anchor is
# the old one or the new one, whole; a failure is told; the next run is content and leaves nothing
# beside it.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir data keep
echo one >data/file
make_repo repo
backup_tree data repo
v() { verify --repo repo --trust key.pub --level quick --anchor keep/anchor "$@"; }
quiet v
cp keep/anchor old
echo two >data/file
backup_tree data repo
rm repo/catalog.sqlite3 # its calls are no business of this test
newest=$(basename "$(newest repo)")

tried=0 failed=0
for call in openat fcntl ftruncate write fchmod fchown fsync renameat unlinkat close; do
	for inject in error=EIO error=ENOSPC signal=KILL; do
		for n in $(seq 1 80); do
			cp old keep/anchor
			status=0
			strace -qq -o trace -e trace="$call" -e signal=none \
			    -e inject="$call:$inject:when=$n" \
			    verify --repo repo --trust key.pub --level quick --anchor keep/anchor \
			    >out 2>err || status=$?
			grep -qE 'INJECTED|killed by' trace || break
			tried=$((tried + 1))
			what="$call $n $inject: exit $status"
			# One line of the old, or of the new; nothing else.
			if ! cmp -s old keep/anchor; then
				[ "$(wc -l <keep/anchor)" = 2 ] || fail "$what: $(cat keep/anchor)"
				grep -q "^autolab-backup 2 $newest " keep/anchor ||
				    fail "$what: $(cat keep/anchor)"
			elif [ $status -eq 0 ]; then
				fail "$what: it did not move, and nobody was told"
			fi
			case $status in
			0 | 137 | 127) ;;
			*)
				failed=$((failed + 1))
				[ -s err ] || [ -s out ] || fail "$what: without a word"
				;;
			esac
			# Without the lock it may be somebody else's.
			[ $status -eq 137 ] || [ ! -e keep/.anchor.tarseal.new ] ||
			    [[ $call = unlinkat || $call = fcntl ]] ||
			    fail "$what: left $(ls -A keep)"
			quiet v
			[ "$(ls -A keep)" = anchor ] || fail "$what: then left $(ls -A keep)"
			grep -q "^autolab-backup 2 $newest " keep/anchor || fail "$what: then it did not move"
		done
	done
done
if [ $tried -lt 60 ] || [ $failed -lt 15 ]; then
	fail "only $tried failures were tried, and $failed were felt"
fi
