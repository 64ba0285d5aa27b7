#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What verify says of sound, damaged, unsigned, strange, and missing backups.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
backup_tree data repo
first=$(newest repo)
echo 'line 4' >>data/logs/app.log
backup_tree data repo
second=$(newest repo)
v() {
	run verify --repo repo --trust key.pub "$@"
}
v
v --all --level quick
v --all
v --all --level deep
run_sh 'verify --repo repo --trust key.pub --level deep --json | grep -v -e bytes -e milliseconds'
v "$(basename "$first")" --quiet
v no-such-backup
v --max-age 1h
v --series nothing

# Damage is told by the names of the files that it touches.
cp "$second.tar.gz" sound
flip "$second.tar.gz" 1000000
v
v --level quick
cp sound "$second.tar.gz"
truncate -s 100000 "$second.tar.gz"
v
cp sound "$second.tar.gz"
cp "$second.manifest.gz" sound-manifest
flip "$second.manifest.gz" 200
v
cp sound-manifest "$second.manifest.gz"

# A seal that somebody changed; a key that nobody trusts; no signature.
cp "$second.seal" sound-seal
sed -i 's/^# changed: 0/# changed: 1/' "$second.seal"
v
cp sound-seal "$second.seal"
make_key other
run verify --repo repo --trust other.pub
quiet backup --source data --repo repo --unsigned --series plain
v --series plain
v --series plain --untrusted

# A backup that the newest seal holds is gone.
rm "$first.seal"
v
