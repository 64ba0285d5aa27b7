#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# manifest prune: what goes, what stays, and why; hold and release.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime jq
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
sample_tree data
make_repo repo
make_key other
backup_at() {
	quiet faketime -f "@2026-02-$1 00:00:05" backup --source data --repo repo --key key "${@:2}"
}
prune() { run manifest prune --repo repo "$@"; }
names() { run_sh 'ls repo | grep seal$'; }
for i in 1 2 3 4 5 6; do
	backup_at 0$i
done
echo "from before" >repo/autolab-backup-20260101_000005.tar.gz

echo "-- what is wrong with the question"
prune
prune --trust key.pub
prune --trust other.pub --keep-last 1
prune --trust key.pub --key key --unsigned
prune --trust key.pub --keep-last 1 extra
prune --key key.pub --keep-last 1
prune --trust key.pub --keep-last 1 --series none

echo "-- without a key one may look"
prune --trust key.pub --keep-last 4 --dry-run
prune --trust key.pub --keep-last 4
prune --trust key.pub --keep-last 4 --json
run_sh 'manifest prune --repo repo --trust key.pub --keep-last 4 -n -0 | tr "\0" "\n"'
names

echo "-- with it one removes"
prune --key key --keep-last 4
names
run verify --repo repo --trust key.pub --all --quiet
run_sh 'grep "^# \(policy\|holds\)" repo/*_06*.seal repo/*06_*.seal 2>/dev/null | sed "s/.*seal://"'

echo "-- and the next time by the same rules"
prune --key key
run_sh "manifest prune --repo repo --key key --json --keep-last 3 | jq 'del(.. | .manifest_size?)'"
run_sh 'manifest prune --repo repo --key key --keep-last 2 --null | tr "\0" "\n"'
names

echo "-- a pruning that was cut short leaves what the newest does not hold: that needs no key"
cp -r repo before
backup_at 07 --keep-last 1
cp -n before/*.tar.gz before/*.manifest.gz before/*.seal repo
run verify --repo repo --trust key.pub --quiet
prune --trust key.pub --dry-run
prune --trust key.pub
names
prune --trust key.pub

echo "-- hold"
backup_at 08
backup_at 09
run manifest hold --repo repo --trust key.pub autolab-backup-20260207 --reason 'before the migration; ask Ola'
run manifest hold --repo repo --trust key.pub autolab-backup-20260207
run_sh 'cat repo/*.hold'
run manifest hold --repo repo --trust key.pub --json latest autolab-backup-20260208
run manifest hold --repo repo --trust key.pub autolab-backup-20260208 autolab-backup-20260201
run manifest hold --repo repo --trust key.pub autolab
run manifest hold --repo repo --trust key.pub latest --reason $'two\nlines'
run manifest hold --repo repo --trust other.pub latest
run manifest hold --repo repo --trust key.pub
run manifest release --repo repo --trust key.pub autolab-backup-20260208
prune --key key --keep-last 1
backup_at 10 --keep-last 1
names
run verify --repo repo --trust key.pub --all --quiet
run manifest release --repo repo --trust key.pub autolab-backup-20260207
run manifest release --repo repo --trust key.pub --json latest
prune --key key
names
run_sh 'ls repo | grep hold$'

echo "-- a seal alone lets no other backup go"
backup_at 10
backup_at 10
mv "$(newest repo).tar.gz" away
prune --key key --keep-last 1
mv away "$(newest repo).tar.gz"
size=$(stat -c %s "$(newest repo).manifest.gz")
truncate -s $((size - 1)) "$(newest repo).manifest.gz"
# shellcheck disable=SC2016 # for that shell
run_sh 'manifest prune --repo repo --key key --keep-last 1 2>&1 | sed -E "s/[0-9]+ bytes, sealed were [0-9]+/N bytes, sealed were N/"; exit ${PIPESTATUS[0]}'
rm "$(newest repo)".*
quiet manifest prune --repo repo --key key --keep-last 1

echo "-- several series have rules of their own"
backup_at 11 --series db --keep-last 1
backup_at 12 --series db --keep-last 1
prune --key key
prune --key key --series db

echo "-- unsigned"
mkdir plain
for i in 1 2 3; do
	quiet faketime -f "@2026-03-0$i 00:00:05" backup --source data --repo plain --unsigned
done
run manifest prune --repo plain --trust key.pub --keep-last 1
run manifest prune --repo plain --unsigned --keep-last 1
run_sh 'ls plain | grep seal$'
run manifest prune --repo repo --trust key.pub --unsigned --keep-last 1 --series autolab-backup
run_sh 'cat repo/autolab-backup-20260101_000005.tar.gz'
