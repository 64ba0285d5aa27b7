#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is in a repository: each command, for people and as JSON.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
backup_tree data repo
first=$(basename "$(newest repo)")
echo 'line 4' >>data/logs/app.log
rm data/config.json
touch -d '2020-02-09 08:00 UTC' data/logs/app.log data/logs data
backup_tree data repo
q() {
	local command=$1
	shift
	run manifest "$command" --repo repo --trust key.pub "$@"
}
q list
q list --json
q show
q ls
q ls logs
q ls --recursive
q ls --backup "$first"
q ls no/such/dir
run_sh "manifest ls -l --repo repo --trust key.pub | awk '{ \$2 = \$3 = \"ID\"; print }'"
q find '*.log'
q find '**/t*'
q find 'odd*'
run_sh 'manifest find -0 --repo repo --trust key.pub "o*" | od -c'
q find nothing
q history logs/app.log
q history ./config.json
q history --json config.json
q history nothing
q ls --as-of 2019-01-01

# Without the catalog, and with a broken one, the answers are the same.
manifest find --repo repo --trust key.pub '**' >with
manifest find --repo repo --trust key.pub '**' --no-catalog | diff with - || fail "--no-catalog differs"
echo garbage >repo/catalog.sqlite3
manifest find --repo repo --trust key.pub '**' | diff with - || fail "with a broken catalog it differs"
rm repo/catalog.sqlite3
chmod 555 repo
manifest find --repo repo --trust key.pub '**' | diff with - || fail "without a catalog it differs"
chmod 755 repo
q rebuild
manifest find --repo repo --trust key.pub '**' | diff with - || fail "after rebuild it differs"
