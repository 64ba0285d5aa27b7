#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# timeout: 600
# The four programs through a small job under valgrind: no invalid access, no leak,
# no use of what was never set, no descriptor left open.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need valgrind
[ "$TEST_VARIANT" = plain ] || skip "valgrind and sanitizers exclude each other"

# checked STATUS PROGRAM ARGUMENT...
checked() {
	local want=$1 program=$2
	shift 2
	expect "$want" valgrind --quiet --error-exitcode=99 --leak-check=full \
	    --errors-for-leak-kinds=definite,indirect --track-origins=yes \
	    "$(command -v "$program")" "$@"
	if grep -q '^==[0-9]*== ' "$CASE_BASE/stderr"; then
		cat "$CASE_BASE/stderr" >&2
		fail "valgrind found something in $program $*"
	fi
}

sample_tree data
noise 1200000 1 >data/db/blob # a large file, and not larger than that takes
mkdir repo
checked 0 manifest keygen --key key --public key.pub
checked 0 backup --source data --repo repo --key key --jobs 2
echo more >>data/logs/app.log
rm data/db/table-link
checked 0 backup --source data --repo repo --key key --jobs 2
for level in quick standard deep; do
	checked 0 verify --all --repo repo --trust key.pub --level "$level" --jobs 2
done
checked 0 manifest list --repo repo --trust key.pub
checked 0 manifest show --repo repo --trust key.pub
checked 0 manifest ls --repo repo --trust key.pub
checked 0 manifest find '**' --repo repo --trust key.pub
checked 0 manifest history logs/app.log --repo repo --trust key.pub
checked 1 manifest diff previous latest --repo repo --trust key.pub
checked 0 manifest stats --json --repo repo --trust key.pub
checked 0 manifest rebuild --repo repo --trust key.pub
held=$(basename "$(newest repo)")
checked 0 manifest hold "$held" --reason 'for valgrind' --repo repo --trust key.pub
checked 0 backup --source data --repo repo --key key --jobs 2 --keep-last 1 --make-room --json
checked 0 backup --source data --repo repo --key key --jobs 2 --keep-last 2 --dry-run
echo again >>data/logs/app.log
checked 0 backup --source data --repo repo --key key --jobs 2
checked 2 manifest prune --repo repo --trust key.pub --keep-last 1
checked 0 manifest prune --repo repo --trust key.pub --keep-last 1 --dry-run --json
checked 0 manifest prune --repo repo --key key --keep-last 1
checked 0 manifest release "$held" --repo repo --trust key.pub
tar -C data -czf repo/old-20260101_000005.tar.gz --format=posix .
head -c 1000 repo/old-20260101_000005.tar.gz >repo/old-20260102_000005.tar.gz
checked 1 manifest import --repo repo --series old --dry-run
checked 1 manifest import --repo repo --key key --series old --remove-original --jobs 2 --json
rm repo/old-*
mkdir dest
checked 0 manifest copy dest --new --repo repo --trust key.pub
checked 0 manifest copy dest --repo repo --trust key.pub --json
checked 0 restore --repo repo --trust key.pub --target out --jobs 2
same_tree data out
checked 0 restore --repo repo --trust key.pub --stdout config.json
cmp "$CASE_BASE/stdout" data/config.json
checked 0 restore --repo repo --trust key.pub --target some 'db/*'

# The ways of failing clean up as well.
checked 2 backup --repo repo
checked 1 restore --repo repo --trust key.pub --target none no/such/path
checked 1 manifest history no/such/path --repo repo --trust key.pub
flip "$(newest repo).manifest.gz" 150
checked 1 manifest diff previous latest --repo repo --trust key.pub
flip "$(newest repo).manifest.gz" 150
flip "$(newest repo).tar.gz" 2000
checked 1 verify --repo repo --trust key.pub
rm dest/*
checked 1 manifest copy dest --repo repo --trust key.pub
rm dest/*.seal
checked 1 manifest copy dest --repo repo --trust key.pub
flip "$(newest repo).seal" 100
checked 5 verify --repo repo --trust key.pub
checked 1 manifest copy dest --repo repo --trust key.pub
