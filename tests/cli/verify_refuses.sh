#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify refuses what it cannot understand or do, each with its status.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo empty
backup_tree data repo

run verify
run verify --repo repo
run verify --repo nowhere --trust key.pub
run verify --repo repo --trust nowhere
run verify --repo repo --trust key
run verify --repo empty --trust key.pub
run verify --repo repo --trust key.pub nothing
run verify --repo repo --trust key.pub --all one
run verify --repo repo --trust key.pub --level full
run verify --repo repo --trust key.pub --series a/b
run verify --repo repo --trust key.pub --max-age soon
run verify --repo repo --trust key.pub --timezone Nowhere/Atlantis
run verify --repo repo --trust key.pub --jobs 0
run verify --repo repo --trust key.pub --levle quick
run_sh 'verify --repo repo --trust key.pub >/dev/full'
run_sh 'verify --repo repo --trust key.pub >&-'
run_sh 'TARSEAL_VERIFY_LEVLE=quick verify --repo repo --trust key.pub --quiet'
