#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is wrong with a command line is said in one line, with exit status 2.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir repo data
make_key
for program in backup verify restore manifest; do
	run "$program"
	run "$program" --no-such-option
done
run backup --sorce data
run backup --source data --repo repo
run backup --source data --repo repo --key key --unsigned
run backup --source data --repo repo --key key --jobs 0
run backup --source data --repo repo --key key --compression 13
run backup --source data --repo repo --key key --timezone Europe/Nowhere
run backup --source data --repo repo --key key --series ../x
run backup --source data --repo repo --key key surplus
run backup --source data --source data --repo repo --key key
run verify --repo repo --trust key.pub --level deeper
run verify --repo repo --trust key.pub --all latest
run restore --repo repo --trust key.pub
run restore --repo repo --trust key.pub --target out --stdout x
run restore --repo repo --trust key.pub --target out --as-of yesterday
run manifest lst
run manifest history --repo repo
run_sh 'TARSEAL_JOBS=many backup --source data --repo repo --key key'
