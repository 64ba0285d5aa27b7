#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Clocks that run backwards, or are out of their mind.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
sample_tree data
make_repo repo
at() {
	faketime -f "@$1" backup --source data --repo repo --key key --timezone UTC -q "${@:2}"
}

echo "-- no seal can say that: refused before anything is packed"
run at '1960-01-01 00:00:00'
run_sh 'ls -A repo'

echo "-- order is the sequence, and latest the last one, whatever the clock says"
quiet at '2026-02-09 00:00:05'
quiet at '2001-01-01 00:00:00'
quiet at '2026-02-09 00:00:05'
quiet at '2500-01-01 00:00:00'
quiet at '2026-02-10 00:00:05'
run_sh 'grep -H "^# sequence" repo/*.seal'
run verify --repo repo --trust key.pub --all --quiet
run manifest show --repo repo --trust key.pub --timezone UTC
