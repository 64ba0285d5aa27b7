#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Old backups go by the rules of the run, once the new one is sealed.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime jq
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
sample_tree data
make_repo repo
echo "from before" >repo/autolab-backup-20260101_000005.tar.gz
export TARSEAL_TRUST=key.pub
night() {
	run faketime -f "@2026-02-$1" backup --source data --repo repo --key key \
	    --timezone Europe/Kyiv "${@:2}"
}
quiet_night() {
	quiet faketime -f "@2026-02-$1" backup --source data --repo repo --key key \
	    --timezone Europe/Kyiv "${@:2}"
}
holds() { sed -n 's/^# \(name\|sequence\|policy\|holds\): /\1 /p' "$(newest repo).seal"; }

echo "-- the first one leaves a number for the archive without a seal; nothing goes without a rule"
quiet_night '01 22:00:05'
quiet_night '02 22:00:05'
run holds

echo "-- the lines of the script that backup replaces"
quiet_night '03 22:00:05' --keep-last 3
night '04 22:00:05' --keep-last 3
run holds
quiet verify --repo repo --all

echo "-- other rules"
night '05 22:00:05' --keep-last 2 --keep-daily 2 --keep-weekly 1
night '05 22:30:05' --keep-daily 2 --keep-yearly 3 -v

echo "-- an incomplete one takes no place, and goes with the next complete one"
mkdir -m 000 data/secret
if [ "$(id -u)" = 0 ]; then
	chown -R 65534:65534 data repo key
fi
as_user faketime -f '@2026-02-06 22:00:05' backup --source data --repo repo --key key \
    --keep-last 1 >/dev/null 2>&1 || echo "exit $?"
run holds
rm -r data/secret
night '07 22:00:05' --keep-last 1

echo "-- what would go"
quiet_night '08 22:00:05'
quiet_night '09 22:00:05'
night '10 22:00:05' --keep-last 2 --dry-run
run_sh "backup --source data --repo repo --key key --keep-last 2 --dry-run --json | jq '{policy, pruned, not_pruned, kept}'"
run_sh "backup --source data --repo repo --keep-last 2 --dry-run -q; ls repo/*.seal"

echo "-- as JSON"
run_sh "backup --source data --repo repo --key key --keep-last 2 --keep-monthly 1 --json | jq '{status, policy, pruned, not_pruned, kept, holds}'"

echo "-- options"
run backup --source data --repo repo --key key --make-room
run backup --source data --repo repo --key key --keep-last -1
run backup --source data --repo repo --key key --keep-lasst 1

echo "-- unsigned ones by unsigned runs"
mkdir plain
for i in 1 2 3; do
	quiet faketime -f "@2026-02-0$i 00:00:05" backup --source data --repo plain --unsigned --keep-last 2
done
run_sh 'ls plain/*.seal'
run_sh 'cat repo/autolab-backup-20260101_000005.tar.gz'
