#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Values that are none: of options, of variables, in files of patterns.  Exit status 2, and one
# line that says where it stands and what would be right.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir data repo
echo 1 >data/file
make_key
b() { run backup --source data --repo repo --key key "$@"; }

echo "-- numbers"
for value in abc -3 +3 ' 3' 3.5 0x10 1e3 257 99999999999999999999999 ''; do
	b --jobs "$value"
done
b -j0
b --compression 13
echo "-- durations"
for value in 5x -1 1.5h h 99999999999999999999 ''; do
	b --wait-lock "$value"
done
echo "-- words"
b --progress loud
b --json=maybe
b --series 'a b'
b --series .hidden
b --series "$(printf 'x%.0s' {1..177})"
b --run-id -
b --run-id ''
echo "-- time zones"
for zone in Europe/Nowhere europe/kyiv Europe ../../etc/passwd /etc/passwd EET-25 ''; do
	b --timezone "$zone"
done
run_sh 'TZ=Nowhere/Town backup --source data --repo repo --key key'
run_sh 'TZDIR=/nonexistent backup --source data --repo repo --key key --timezone Europe/Kyiv'
echo "-- patterns"
for pattern in '' / . .. ./.. a/../b a//b; do
	b --exclude "$pattern"
done
printf '# comment\n*.tmp\n\n../up\n' >patterns
b --exclude-from patterns
printf 'one\0two\n' >binary
b --exclude-from binary
b --exclude-from missing
b --exclude-from data
echo "-- options"
b --keep-lats 3
b --sries x
b --keyfile key
b --dryrun
b --excludes x
b --xyzzy
b -Z
b -qZ
b --key
b --key --series
b --source data
b --series a --series b
b -j 1 --jobs 2
b data
b -- data
b --quiet --verbose
echo "-- variables"
run_sh 'TARSEAL_JOBS=abc backup --source data --repo repo --key key'
run_sh 'TARSEAL_SERIES=a/b backup --source data --repo repo --key key'
run_sh 'TARSEAL_TIMEZONE=Mars backup --source data --repo repo --key key'
run_sh 'TARSEAL_KEY=nokey backup --source data --repo repo'
run_sh 'TARSEAL_REPO=norepo backup --source data --key key'
run_sh 'TARSEAL_BACKUP_SOURCE=nosource backup --repo repo --key key'
run_sh 'TARSEAL_BACKUP_WAIT_LOCK=soon backup --source data --repo repo --key key'
run_sh 'TARSEAL_BACKUP_DRY_RUN=perhaps backup --source data --repo repo --key key'
# shellcheck disable=SC2016 # for the inner shell
run_sh 'TARSEAL_BACKUP_EXCLUDE=$(printf "ok\n..\n") backup --source data --repo repo --key key'
run_sh 'TARSEAL_BACKUP_UNSIGNED=1 backup --source data --repo repo --key key'
echo "-- a name that nothing reads is told, and stops nobody"
run_sh 'TARSEAL_BACKUP_COMPRESION=3 backup --source data --dry-run'
run_sh 'TARSEAL_REPOSITORY=x backup --source data --dry-run'
echo "-- nothing was written"
run_sh 'ls -A repo'
