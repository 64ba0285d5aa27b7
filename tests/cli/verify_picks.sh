#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Which backups verify picks, and what it notes in the catalog and does not.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
backup_tree data repo
first=$(basename "$(newest repo)")
rm data/config.json
backup_tree data repo
backup_tree data repo --series other
v() { run verify --repo repo --trust key.pub "$@"; }

v
v --all --level quick
v --level deep --series other --jobs 1
v "$first" --series autolab-backup
v --quiet
v --max-age 26h
run_sh 'manifest list --repo repo --trust key.pub | tail -n +2 | sed -E "s/(standard|deep) [0-9]+s ago/verified/"'

# One document, whatever comes.
run_sh 'verify --repo repo --trust key.pub --json | grep -v -e milliseconds -e bytes'
TARSEAL_REPO=repo TARSEAL_TRUST=key.pub TARSEAL_VERIFY_LEVEL=quick run verify --series other

# An archive from before gets a note, no more.
cp "repo/$first.tar.gz" repo/autolab-backup-20200101_000000.tar.gz
v --level quick --series other
rm repo/autolab-backup-20200101_000000.tar.gz

# Without the catalog, or the right to write to it: the same, and no catalog is made.
rm repo/catalog.sqlite3
v --series other
[ ! -e repo/catalog.sqlite3 ] || fail "verify made a catalog"
run_sh 'verify --repo repo --trust key.pub --series other -v 2>&1 >/dev/null'
