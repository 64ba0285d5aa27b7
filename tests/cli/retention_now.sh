#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Retention without a false clock, so that it runs under the sanitizers too: by count and hold.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir data
noise 3000000 1 >data/file
make_repo repo
export TARSEAL_REPO=repo TARSEAL_KEY=key TARSEAL_TRUST=key.pub
sequences() { sed -n 's/^# sequence: //p' repo/*.seal | sort -n | paste -sd' '; }
# A name that was freed in this second is taken again: numbers of names would differ.
anon() { sed -E 's/autolab-backup-[0-9]{8}_[0-9]{6}(-[0-9]+)?/NAME/g'; }
export -f anon
name() { basename "$(grep -l "^# sequence: $1\$" repo/*.seal)" .seal; }
for _ in 1 2 3 4 5; do
	quiet backup --source data
done

echo "-- held, verified, and the newest two"
quiet manifest hold --reason 'for ever' "$(name 2)"
quiet verify "$(name 3)"
run_sh 'backup --source data --keep-last 2 2>&1 | anon'
run sequences
run verify --quiet --all

echo "-- the same id again: nothing is left to do"
run_sh 'backup --source data --keep-last 2 --run-id job 2>&1 | anon'
run_sh 'backup --source data --keep-last 2 --run-id job 2>&1 | anon'
run sequences

echo "-- room for many: --make-room changes nothing"
quiet backup --source data --keep-last 2 --make-room
run sequences

echo "-- by hand"
run_sh 'manifest prune --dry-run --keep-last 1 2>&1 | anon'
quiet manifest release "$(name 2)"
run_sh 'manifest prune --keep-last 1 --null | tr "\0" "\n" | wc -l'
run sequences
run verify --quiet --all

echo "-- twins: of two with one sequence the first by name is held, and the other is left alone"
cp -r repo second
quiet backup --source data
sleep 1.1 # else they would have one name, too
quiet backup --source data --repo second
cp -n second/* repo/
run sequences
run_sh 'backup --source data --keep-last 1 2>&1 | anon'
run sequences
run_sh 'manifest prune --keep-last 1 2>&1 | anon'
