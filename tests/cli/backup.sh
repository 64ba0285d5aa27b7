#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# backup speaks in the lines of the script that it replaces, and makes three files.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
run backup --source data --repo repo --key key
run backup --source data --repo repo --key key --series other
run_sh 'ls -A repo'
run_sh "grep -v -e '^# signature' -e '^# host' -e '^# packer' -e '-size: ' -e '^# manifest-index' -e '^# created' $(newest repo).seal"
run backup --source data --repo repo --key key --quiet
run backup --source data --repo repo --key key --dry-run
run_sh 'ls repo/*.seal | wc -l'

# The same run again does nothing, and says how it went.
run backup --source data --repo repo --key key --run-id job-1
run backup --source data --repo repo --key key --run-id job-1
run_sh 'ls repo/*.seal | wc -l'

# Unsigned only when told; the time zone in the name; excludes.
run backup --source data --repo repo
run backup --source data --repo repo --unsigned --series plain --exclude '*.json' --exclude /db/
run_sh 'tar -tzf repo/plain-*.tar.gz'
