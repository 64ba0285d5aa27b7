#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# After pruning verify is content, and so is the anchor; a pruning that was cut short is a note.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=UTC
mkdir data keep
make_repo repo
night() { # DAY [OPTION...]
	local day=$1
	shift
	echo "$day" >data/file
	quiet faketime "2026-02-$day 01:00:00" backup --source data --repo repo --key key "$@"
}
v() { run verify --repo repo --trust key.pub --level quick --anchor keep/anchor "$@"; }
name() { echo "autolab-backup-202602$1_010000"; }
fresh() {
	rm -rf repo
	cp -a whole repo
}

echo "-- each night one more, and one less"
for day in 01 02 03 04 05; do
	night $day --keep-last 3
	v
done
run_sh 'ls repo | sort'
run cut -d' ' -f2,3 keep/anchor

echo "-- the one that was seen is pruned meanwhile"
night 06 --keep-last 3
night 07 --keep-last 3
night 08 --keep-last 3
night 09 --keep-last 3
v --all

echo "-- sealed anew: the same backup, with another seal; the one before is no rollback that matters"
cp repo/"$(name 09)".seal old.seal
cp keep/anchor before
quiet manifest prune --repo repo --key key --keep-last 2
v
cmp -s before keep/anchor && fail "the anchor knows nothing of the new seal"
run cut -d' ' -f2,3 keep/anchor
cp -a repo whole
cp old.seal repo/"$(name 09)".seal
v
fresh

echo "-- on hold"
run manifest hold "$(name 08)" --repo repo --reason 'the audit'
night 10 --keep-last 1
v --all
run_sh 'ls repo | sort'

echo "-- cut short: behind the seal; behind the seal's removal; behind the archive's; behind both"
fresh
cp repo/"$(name 08)".* .
night 10 --keep-last 1
rm -rf whole
cp -a repo whole
cp "$(name 08)".* repo
rm -f repo/*.hold keep/anchor
v
mv repo/"$(name 08)".seal repo/."$(name 08)".seal.gone
v
rm repo/"$(name 08)".tar.gz
v
rm repo/"$(name 08)".manifest.gz
v
night 11 --keep-last 2
v --all
run_sh 'ls -A repo | sort'

echo "-- but what the newest holds may not go so"
mv repo/"$(name 10)".seal repo/."$(name 10)".seal.gone
v
