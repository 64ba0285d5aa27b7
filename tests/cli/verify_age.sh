#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify --max-age: which series is too old, and what counts as its newest.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=UTC
mkdir data
echo one >data/file
make_repo repo
night() { # DATE [OPTION...]
	local when=$1
	shift
	quiet faketime -f "$when" backup --source data --repo repo "$@"
}
v() { # DATE [OPTION...]
	local when=$1
	shift
	run faketime -f "$when" verify --repo repo --trust key.pub --level quick --quiet "$@"
}
night '2026-02-01 01:00:00' --key key
rm repo/catalog.sqlite3

echo "-- up to the second"
v '2026-02-02 03:00:00' --max-age 26h
v '2026-02-02 03:00:01' --max-age 26h
v '2026-02-08 01:00:00' --max-age 7d
v '2026-02-08 01:00:01' --max-age 1w
v '2026-02-01 01:02:00' --max-age 60
v '2026-02-01 01:02:00' --max-age 15m

echo "-- a clock here that runs behind that of the backup: an hour is forgiven"
v '2026-02-01 00:30:00' --max-age 26h
v '2026-01-31 23:00:00' --max-age 26h

echo "-- an incomplete one is not the newest, and none at all is too old"
night '2026-02-02 01:00:00' --key key --series other
v '2026-02-03 02:00:00' --max-age 24h --series other
mkdir data/closed
touch data/closed/file
chmod 000 data/closed
chmod 777 repo
chmod 644 key.pub repo/*
chmod 666 repo/.lock
[ "$(id -u)" != 0 ] || chown 65534 key repo/.lock
expect 1 as_user faketime -f '2026-02-03 01:00:00' backup --source data --repo repo --key key --series other
chmod 755 data/closed
rm -r data/closed
rm -f repo/catalog.sqlite3
[ "$(id -u)" != 0 ] || chown 0 key
v '2026-02-02 02:00:00' --max-age 2h --series other
v '2026-02-03 02:00:00' --max-age 24h --series other

echo "-- each series for itself"
v '2026-02-03 02:00:00' --max-age 30h
v '2026-02-03 02:00:00' --max-age 3d
v '2026-02-03 02:00:00' --max-age 3d --series third
v '2026-02-03 02:00:00' --max-age 3d --series autolab

echo "-- who signed it counts"
make_key stranger
night '2026-02-03 01:30:00' --key stranger --series fourth
v '2026-02-03 02:00:00' --max-age 3d --series fourth
rm repo/fourth-*

echo "-- what is no age"
v '2026-02-03 02:00:00' --max-age 0
v '2026-02-03 02:00:00' --max-age 0h
v '2026-02-03 02:00:00' --max-age -1h
v '2026-02-03 02:00:00' --max-age 1.5h
v '2026-02-03 02:00:00' --max-age 26H
v '2026-02-03 02:00:00' --max-age 99999999999999999999d
v '2026-02-03 02:00:00' --max-age 18446744073709551615
