#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One JSON document, and nothing else on standard output.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need jq
sample_tree data
mkfifo data/fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("data/socket")'
make_repo repo
run_sh 'backup --source data --repo repo --key key --json --run-id job-1 --exclude "*.log" | sed "s/\"milliseconds\": .*/\"milliseconds\": N,/"'
run_sh 'backup --source data --repo repo --key key --json --run-id job-1 | jq -S "{made_now, status, name, holds}"'
run_sh 'backup --source data --json --dry-run --exclude "*.log"'
# With -q there is a document all the same: it was asked for.
run_sh 'backup --source data --repo repo --unsigned --json --quiet --series other | jq .key_id'
run backup --source empty --repo repo --key key --json
