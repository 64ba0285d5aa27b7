#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What stands in the way where a copy goes: nothing is replaced but a seal that nobody speaks of.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
make_repo repo dest
mkdir data
# at DAY REPO [OPTION...]: a backup of data as of noon that day.
at() {
	quiet faketime -f "2026-02-0$1 12:00:00" backup --source data --repo "$2" --key key "${@:3}"
}
for i in 1 2 3; do
	noise 50000 "$i" >data/f
	at "$i" repo
done
c() {
	run manifest copy "$@" --repo repo --trust key.pub
}
first=autolab-backup-20260201_120000
second=autolab-backup-20260202_120000

echo "-- another history of the series: not one backup of the two is mixed"
at 1 dest
c dest
[ "$(find dest -name '*.seal' | wc -l)" = 1 ] || fail "$(ls dest)"
rm -r dest
mkdir dest
at 5 dest
c dest
run_sh "manifest copy dest --repo repo --trust key.pub --json | jq -c '.backups[] | del(.archive_size, .manifest_size)'"
[ "$(find dest -name '*.seal' | wc -l)" = 1 ] || fail "$(ls dest)"
# Whoever signed it.
make_key other
rm -r dest
mkdir dest
quiet backup --source data --repo dest --key other
c dest latest
c dest
rm -r dest

echo "-- another series is another place"
mkdir dest
at 5 dest --series other
c dest
quiet verify --all --repo dest --trust key.pub
rm -r dest

echo "-- files without a seal"
mkdir dest
echo "from before" >dest/$first.tar.gz
mkdir dest/$second.manifest.gz
c dest
[ "$(cat dest/$first.tar.gz)" = "from before" ] || fail "a foreign archive was replaced"
rm -r dest

echo "-- two in one place, as two repositories that were put together"
mkdir dest two
cp repo/* two
at 4 dest
for file in dest/auto*; do
	cp "$file" two
done
rm -r dest
mkdir dest
run manifest copy dest --new --repo two --trust key.pub
