#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Command lines of restore and manifest (and verify, beside verify_refuses) that cannot be meant:
# one line that says which word is wrong, and what would do; status 2, and nothing is made.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir data
echo one >data/file
make_repo repo
backup_tree data repo
rm repo/catalog.sqlite3
export TARSEAL_REPO=repo TARSEAL_TRUST=key.pub

echo "-- options that are not there, given twice, without a value, of another program"
run restore --targte out
run restore --targ out
run restore --target out --keep-last 3
run restore --target out --target out2
run restore --target out --as-of 2026-01-01 --as-of 2026-01-02
run restore --target
run restore --target --dry-run
run restore --target=
run restore --dry-run=perhaps --target out
run restore -x
run restore -T
run manifest
run manifest lsit
run manifest delete x
run_sh 'manifest help | diff - <(manifest --help)'
run_sh 'manifest help hold | diff - <(manifest hold --help)'
run manifest help lsit
run manifest ls --recrusive
run manifest ls --repo repo --repo other
run manifest find --sha265 x
run manifest prune --keep-lats 3
run manifest history
run manifest history a b
run manifest show a b
run manifest --json
run manifest ls --backup
run manifest copy
run verify --anchor
run verify --anchro x
run verify --max-age 1h --max-age 2h

echo "-- numbers, times, zones, digests, modes"
for n in 0 -1 257 x '' ' 2' 2.5 99999999999999999999; do
	run restore --target out --jobs "$n"
done
for time in yesterday 2026-13-01 2026-02-30 '2026-02-01 25:00' '2026-02-01T01:00:00+99:00' 1770000000 ''; do
	run restore --target out --as-of "$time"
	run manifest ls --as-of "$time"
done
run restore --target out --timezone Europe/Kiew
run manifest list --timezone Nowhere
run manifest prune --key key --keep-last many
run manifest prune --key key --keep-daily -1
run manifest find --sha256 abc
run manifest find --sha256 "$(printf 'x%.0s' {1..64})"
run restore --target out --progress loud
run manifest ls --progress loud

echo "-- what excludes each other, or is missing"
run restore
run restore --target out --stdout
run restore --stdout --json file
run restore --target out --backup latest --as-of 2026-01-01
run manifest ls --backup latest --as-of 2026-01-01
run manifest find
run manifest prune
run verify --anchor a --untrusted
run_sh 'unset TARSEAL_REPO; restore --target out'
run_sh 'unset TARSEAL_REPO; manifest ls'

echo "-- patterns and paths"
run restore --target out ../file
run restore --target out a/../../file
run restore --target out ''
run manifest ls ../file
run manifest history ../file
run manifest find ''
run restore --dry-run '['
run restore --dry-run 'x['
run manifest find '['

echo "-- by the environment"
run_sh 'TARSEAL_RESTORE_AS_OF=soon restore --target out'
run_sh 'TARSEAL_JOBS=all restore --target out'
run_sh 'TARSEAL_RESTORE_DRY_RUN=maybe restore --target out'
run_sh 'TARSEAL_RESTORE_TARGTE=out restore --stdout file'
run_sh 'TARSEAL_MANIFEST_NOCATALOG=1 manifest ls'
run_sh 'TARSEAL_VERIFY_ANCHOR=repo/anchor verify'
[ ! -e out ] || fail "something was made"
