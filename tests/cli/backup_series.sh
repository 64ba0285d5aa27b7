#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a backup builds on: its own series, under keys that it trusts.  All else is left alone.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
make_key other
cp key.pub trust.pem
cat other.pub >>trust.pem
facts() { sed -n 's/^# \(name\|sequence\|holds\): /\1 /p' "$(newest repo).seal"; }

backup_tree data repo
backup_tree data repo --series other
run backup --source data --repo repo --key key
run facts

# Another key: it does not build on what it does not trust ...
run backup --source data --repo repo --key other --series other
run_sh 'grep -hc "^# holds" repo/other-*.seal | sort'
# ... and does when told to.
run backup --source data --repo repo --key other --trust trust.pem
run facts

# Unsigned ones are held by unsigned ones only.
run backup --source data --repo repo --unsigned
run backup --source data --repo repo --unsigned --trust trust.pem
run facts

# One that was held and is gone is told, once; archives without a seal are left alone.
first=$(sed -n 's/^# holds: \([^ ]*\) 1 .*/\1/p' "$(newest repo).seal")
rm "repo/$first".*
sleep 1.1 # its name may not come again
echo old >repo/autolab-backup-20250101_000000.tar.gz
run backup --source data --repo repo --key other --trust trust.pem
run backup --source data --repo repo --key other --trust trust.pem
run_sh 'cat repo/autolab-backup-20250101_000000.tar.gz'
