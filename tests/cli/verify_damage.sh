#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify names what is hurt, all of it in one pass, and says so with its status.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo whole
backup_tree data whole
first=$(basename "$(newest whole)")
touch -d '2020-02-09 08:00 UTC' data/logs/app.log
backup_tree data whole
last=$(basename "$(newest whole)")
fresh() {
	rm -rf repo
	cp -a whole repo
}
v() { run verify --repo repo --trust key.pub "$@"; }

echo "-- two bits of the archive: in a large file and in the small ones"
fresh
size=$(stat -c %s "repo/$last.tar.gz")
flip "repo/$last.tar.gz" 1000000
flip "repo/$last.tar.gz" $((size - 100))
v
v --level deep
v --level quick
run_sh "verify --repo repo --trust key.pub --json | sed -n '/\"files\"/,/]/p'"

echo "-- a cut archive"
fresh
truncate -s 1500000 "repo/$last.tar.gz"
v

echo "-- a bit of the manifest"
fresh
flip "repo/$last.manifest.gz" 300
v
v --level deep

echo "-- a missing archive, a missing backup"
fresh
rm "repo/$last.tar.gz"
v --all
fresh
rm "repo/$first".*
v

echo "-- a seal that was changed, and one of a stranger"
fresh
sed -i 's/^# entries: .*/# entries: 1/' "repo/$last.seal"
v
fresh
manifest keygen --key stranger --public stranger.pub >/dev/null
run verify --repo repo --trust stranger.pub --level quick
run verify --repo repo --untrusted --level quick
cat key.pub stranger.pub >both.pub
run verify --repo repo --trust both.pub --level quick

echo "-- it was noted that it failed"
fresh
flip "repo/$last.tar.gz" 1000000
verify --repo repo --trust key.pub >/dev/null || true
run_sh 'manifest list --repo repo --trust key.pub | tail -n +2'
