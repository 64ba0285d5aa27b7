#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What differs between two backups: every kind of difference, for people, scripts and programs.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
printf 'a file like any other\n' >data/kind
printf 'to be gone\n' >data/gone
printf 'the same length A\n' >data/quiet
mkdir data/old data/old/deep
printf 'old\n' >data/old/deep/file
ln data/quiet data/zz-quiet-link
mkfifo data/pipe
set_times data
make_repo repo
backup_tree data repo
backup_tree data repo
one=$(basename "$(newest repo)")

d() {
	run manifest diff --repo repo --trust key.pub "$@"
}
# Nothing changed.
d previous latest
d -q previous latest
d --null previous latest
run_sh 'manifest diff --repo repo --trust key.pub previous latest --json | sed "s/\(entries\|bytes\)\(_[a-z]*\)\{0,1\}\": [0-9]*/\1\2\": N/"'

printf 'line 4\n' >>data/logs/app.log
rm -r data/gone data/old
rm data/kind && mkdir data/kind
chmod 600 data/config.json
printf 'changed content\n' >>data/db/table # db/table-link is the same file
printf 'the same length B\n' >data/quiet   # and the same time, below
printf 'new\n' >data/$'new \e[31m\nname'
printf 'new\n' >data/$'latin-\xe9'
ln -sf logs data/current
touch -h -d '2020-03-01 UTC' data/pipe
rm data/db/blob && ln data/config.json data/db/blob
for f in data/db data data/kind data/logs data/quiet; do
	touch -d '2020-02-08 22:00:00.123456789 UTC' "$f"
done
touch -d '2020-03-02 UTC' data/db/table data/logs/app.log data/new* data/latin*
touch -h -d '2020-03-02 UTC' data/current
backup_tree data repo

d "$one" latest
d -c "$one" latest
d latest previous -q
run_sh 'manifest diff -0 --repo repo --trust key.pub previous latest | tr "\0" "\n" | od -An -c'
d previous latest logs
d previous latest ./db/
d previous latest empty
d previous latest no/such/path
run_sh 'manifest diff --repo repo --trust key.pub previous latest db --json'
run_sh 'manifest diff --repo repo --trust key.pub previous latest --json | grep -A 1 "latin"'
run_sh 'manifest diff --repo repo --trust key.pub previous latest --json | grep -B 1 -A 3 "\"type\": \"fifo\""'

# Damage is told, and makes no differences.
last=$(newest repo).manifest.gz
flip "$last" 150
d -c previous latest
run_sh 'manifest diff --repo repo --trust key.pub previous latest --json 2>/dev/null | tail -n 15'
flip "$last" 150
flip "$last" $(($(stat -c %s "$last") - 20))
d -c previous latest
flip "$last" $(($(stat -c %s "$last") - 20))

# What cannot be asked.
d latest
d previous previous
d nothing latest
d auto latest
d "$one" latest ../x
run manifest diff previous latest --repo repo -q
# A manifest that is gone, with all else there.
mv "repo/$one.manifest.gz" saved
d "$one" latest
mv saved "repo/$one.manifest.gz"
