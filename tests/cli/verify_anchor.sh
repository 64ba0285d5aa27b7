#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify --anchor: what was seen once is missed when it is gone.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=UTC
mkdir data keep
echo one >data/file
make_repo repo
day=0
# A day on: no two of them have the same name, whatever became of the earlier one.
night() {
	day=$((day + 1))
	quiet faketime "2026-02-$(printf %02d $day) 01:00:00" backup --source data --repo repo "$@"
}
night --key key
cp -a repo monday
monday=$(basename "$(newest repo)")
export TARSEAL_VERIFY_LEVEL=quick
v() { run verify --repo repo --trust key.pub --anchor keep/anchor "$@"; }
put_back() {
	rm -rf repo
	cp -a "$1" repo
}

echo "-- the first time, and again"
v
v
run_sh "sed -E 's/[0-9a-f]{64}/DIGEST/g' keep/anchor"
run ls -A keep

echo "-- a newer one moves it, and one that is damaged does too"
night --key key
tuesday=$(basename "$(newest repo)")
cp -a repo tuesday
v
night --key key
flip "repo/$(basename "$(newest repo)").tar.gz" 40
v --level standard
run cut -d' ' -f1,2 keep/anchor
cp -a repo wednesday

echo "-- the whole repository as it was on Tuesday"
put_back tuesday
v
v --quiet
run cut -d' ' -f1,2 keep/anchor

echo "-- and the next backup gets the number of the one that is gone; so does the one after it tell"
night --key key
v
night --key key
v

echo "-- what the operator accepts"
sed -i '/^autolab-backup /d' keep/anchor
v
v

echo "-- other series: each is told of, or none"
put_back wednesday
night --key key --series other
rm keep/anchor
v
rm repo/other-*
v
v --series other
v --series autolab-backup
# shellcheck disable=SC2016 # for the other shell
run_sh 'verify --repo repo --trust key.pub --anchor keep/anchor --json | sed -n "/\"anchor\"/,\$p" | grep -v path'
night --key key --series third
v --series third

echo "-- an empty repository was not empty"
mkdir empty
run verify --repo empty --trust key.pub --anchor keep/anchor --quiet
run verify --repo empty --trust key.pub --anchor keep/none --quiet
[ ! -e keep/none ] || fail "an anchor of nothing was made"

echo "-- a held set with something wrong in it does not move the anchor"
put_back tuesday
rm -f keep/anchor
v
night --key key
mkdir aside
mv "repo/$monday".* aside
v
run cut -d' ' -f2 keep/anchor
mv aside/* repo
make_key stranger
night --key stranger
v
run cut -d' ' -f2 keep/anchor

echo "-- its own key is not trusted any more"
run verify --repo repo --trust stranger.pub --anchor keep/anchor

echo "-- the one that was seen, under another's seal"
put_back tuesday
rm keep/anchor
v --quiet
cp "repo/$tuesday.seal" sound.seal
sed -i 's/^# changed: 0/# changed: 1/' "repo/$tuesday.seal"
v
truncate -s 0 "repo/$tuesday.seal"
v
cp sound.seal "repo/$tuesday.seal"
v

echo "-- taken away quietly: --json tells it, and the status"
put_back monday
run_sh 'verify --repo repo --trust key.pub --anchor keep/anchor --json |
    grep -e "\"code\"" -e "\"state\"" -e "\"status\"" -e "\"new\""'
