#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Standard output that is closed, full, or gone: no program says that all is well, each says what is
# wrong (but to a reader who went away), and what it does besides its output is done.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir data
echo one >data/file
seq 100000 >data/long
make_repo repo
backup_tree data repo
export TARSEAL_REPO=repo TARSEAL_TRUST=key.pub
name=$(basename "$(newest repo)")

echo "-- closed, and full"
for to in '>&-' '>/dev/full'; do
	run_sh "verify $to"
	run_sh "verify --json $to"
	run_sh "verify --quiet $to"
	run_sh "restore --target out --quiet $to"
	cmp out/file data/file
	rm -r out
	run_sh "restore --target out $to"
	cmp out/file data/file
	rm -r out
	run_sh "restore --stdout file $to"
	run_sh "restore --stdout long $to"
	run_sh "restore --dry-run $to"
	for command in list show ls 'find file' 'history file' stats rebuild 'prune --keep-last 1 --dry-run' \
	    "hold $name" "release $name" 'ls --json' 'list --json' --help --version; do
		run_sh "manifest $command $to"
	done
	run_sh "verify --help $to"
	run_sh "restore --version $to"
	[ ! -e repo/"$name".hold ] || fail "not released"
done

echo "-- what was found, and a full disk behind the report of it"
flip "repo/$name.manifest.gz" 200
run_sh 'verify >/dev/full'
run_sh 'verify >&-'
make_key other
run_sh 'verify --trust other.pub >/dev/full'
run_sh 'restore --trust other.pub --stdout file >/dev/full'
flip "repo/$name.manifest.gz" 200

echo "-- a reader who had enough"
# shellcheck disable=SC2016 # for the other shell
run_sh 'restore --stdout long | head -n 1; echo "${PIPESTATUS[0]}"'
# shellcheck disable=SC2016 # for the other shell
run_sh 'yes "$(printf "file%.0s\n" {1..50})" | head -n 1 >/dev/null; manifest ls | head -n 1; echo "${PIPESTATUS[0]}"'

echo "-- no standard error, no standard input"
run_sh 'verify --level quick 2>&-'
run_sh 'restore --stdout file 2>&- <&-'
run_sh 'manifest ls 2>&- <&-'
run_sh 'restore --stdout nothing 2>/dev/full'
