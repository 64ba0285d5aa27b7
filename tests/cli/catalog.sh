#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What becomes of the catalog: one of an older version, one that lies, backups that go.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need sqlite3
mkdir repo
cp "$TESTS/data/format-1/"autolab*.{tar.gz,manifest.gz,seal} "$TESTS/data/catalog-1/catalog.sqlite3" repo
cp "$TESTS/data/format-1/key.pub" .
export TARSEAL_REPO=repo TARSEAL_TRUST=key.pub
version() { sqlite3 repo/catalog.sqlite3 'PRAGMA user_version'; }
verified() { manifest list | grep -oE ' (quick|standard|deep) .*' | cut -d' ' -f2; }

# What version 1 knew of verifications is there before and after it is built anew.
verified >before
run version
run manifest history -v logs/app.log
run version
verified >after
run cat after
run cmp before after

# One that says what cannot be.
sqlite3 repo/catalog.sqlite3 "UPDATE version SET last = 77 WHERE path = CAST('old' AS BLOB)"
run manifest history old
run manifest history --no-catalog old
quiet manifest rebuild
run manifest history old

# The oldest goes; nothing is built anew for that.
rm repo/autolab-backup-20261123_165113.*
run manifest history -v logs/app.log
run sqlite3 repo/catalog.sqlite3 "SELECT count(*) FROM version WHERE first <> 0 OR last IS NOT NULL"
verified
