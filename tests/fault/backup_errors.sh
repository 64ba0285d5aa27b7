#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each system call that changes the repository made to fail in turn: a backup that
# could not be made says why in one line, and leaves nothing; one that could is
# whole; earlier backups verify, and the next run succeeds.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir -p data/sub
for i in 1 2 3; do
	noise 30000 "$i" >"data/sub/$i"
done
noise 1100000 9 >data/large
make_repo base
backup_tree data base
earlier=$(basename "$(newest base)")
echo more >data/sub/4

failures=0
check_after() {
	local where=$1 status=$2 seals
	seals=$(find repo -name '*.seal' ! -name '.*' | wc -l)
	case $status in
	0)
		[ "$seals" = 2 ] || fail "$where: success, and no seal"
		;;
	3)
		[ "$(grep -c '^backup: ' err)" = 1 ] || fail "$where: not one line of error: $(cat err)"
		failures=$((failures + 1))
		# An fsync that fails after the rename of the seal may leave a whole backup.
		[ "$seals" = 1 ] || verify --repo repo --trust key.pub >out 2>&1 ||
		    fail "$where: failed, and left a bad backup: $(cat out)"
		;;
	*) fail "$where: exit $status: $(cat err)" ;;
	esac
	verify --repo repo --trust key.pub "$earlier" >out 2>&1 ||
	    fail "$where: the earlier backup does not verify: $(cat out)"
	backup --source data --repo repo --key key >out 2>&1 || fail "$where: the next run: $(cat out)"
	verify --repo repo --trust key.pub --all >out 2>&1 ||
	    fail "$where: after the next run: $(cat err out)"
	[ -z "$(find repo -name '.*' -type f ! -name .lock)" ] || fail "$where: left $(ls -A repo)"
}

# The catalog's calls are many and alike, and its failure is a warning: a few of them.
for call in write:EIO write:ENOSPC write:EDQUOT fsync:EIO fdatasync:EIO renameat2:EIO renameat2:ENOSPC \
    pwrite64:ENOSPC unlink:EIO; do
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		rm -rf repo
		cp -r base repo
		status=0
		strace -f -qq -o trace -e trace="${call%:*}" \
		    -e inject="${call%:*}:error=${call#*:}:when=$n" \
		    backup --source data --repo repo --key key --jobs 2 --quiet >out 2>err || status=$?
		grep -q INJECTED trace || break
		# What there is no space to rename would be in the way of what makes space.
		if [ "$call $n" = "renameat2:ENOSPC 1" ] && [ -n "$(find repo -name '.*.new')" ]; then
			fail "left where there was no space for names"
		fi
		check_after "${call%:*} $n ${call#*:}" "$status"
	done
done
[ $failures -gt 10 ] || fail "only $failures failures were met"

# A full volume: seen beforehand where the last backup tells, else when it is full.
[ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null || exit 0
noise 6000000 7 >data/larger
mkdir small
for size in 1700k 5m; do
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m bash -euc '
		mount -t tmpfs -o size='$size' tmpfs small
		cp -r base/. small
		status=0
		backup --source data --repo small --key key >out 2>err || status=$?
		[ $status -eq 3 ] || { echo "full: exit $status" >&2; exit 1; }
		ls -A small >left
		verify --repo small --trust key.pub >out
	'
	if grep -q '^\.[^l]' left; then fail "a full volume: left $(cat left)"; fi
	case $size in
	1700k) grep -q 'no space for another backup' err || fail "a full volume: $(cat err)" ;;
	*) grep -q 'No space left on device' err || fail "a full volume: $(cat err)" ;;
	esac
done
