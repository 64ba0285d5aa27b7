#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a backup refuses, and what it leaves behind then: nothing.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

make_repo repo
mkdir empty
run backup --source empty --repo repo --key key
run backup --source missing --repo repo --key key
run backup --source key --repo repo --key key
sample_tree data
run backup --source data --repo missing --key key
run backup --source data --repo repo --key missing
run backup --source data --repo repo --key key.pub
mkdir data/inside
run backup --source data --repo data/inside --key key
run backup --source data --repo data --key key
run_sh 'ls -A repo'
run backup --source empty --repo repo --key key --series nothing --allow-empty
run_sh 'tar -tzf repo/*.tar.gz'

# A path that cannot be read: the backup is incomplete, and says which.
mkdir partial
chmod 0 data/logs
if [ "$(id -u)" = 0 ]; then
	chown -R 65534:65534 data partial key
fi
expect 1 as_user backup --source data --repo partial --key key --series partial
chmod 755 data/logs
cat "$CASE_BASE/stderr"
run_sh 'grep "^# complete" partial/*.seal'
run manifest list --repo partial --trust key.pub
