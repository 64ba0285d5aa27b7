#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copies in another repository: made, continued, proven; nothing there is replaced.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo dest
backup_tree data repo
first=$(basename "$(newest repo)")
echo 'line 4' >>data/logs/app.log
backup_tree data repo
second=$(basename "$(newest repo)")
c() {
	run manifest copy "$@" --repo repo --trust key.pub
}

# A directory that may be one whose volume is not mounted.
c ''
c nowhere
c dest
[ -z "$(ls -A dest)" ] || fail "something was made: $(ls -A dest)"

# What would be done, and that it is nothing yet.
run_sh "manifest copy dest --new --dry-run --repo repo --trust key.pub | sed 's/[^ ]* is free/SPACE is free/'"
[ -z "$(ls -A dest)" ] || fail "a dry run wrote: $(ls -A dest)"
c dest --new
quiet verify --all --repo dest --trust key.pub
for file in repo/auto*; do
	cmp "$file" "dest/${file#repo/}" || fail "$file is another one in the copy"
done
sqlite3 dest/catalog.sqlite3 'select count(*) from backup' | grep -qx 2 || fail "the catalog is not up to date"

# Again, and with one more: only that goes.  What is on hold is so there too.
echo "the auditor wants it" >"repo/$first.hold"
c dest
cmp "repo/$first.hold" "dest/$first.hold" || fail "it is not on hold there"
echo "another reason" >"dest/$first.hold"
c dest
rm data/config.json
backup_tree data repo
third=$(basename "$(newest repo)")
printf 'by\thand\n' >"repo/$third.hold"
c dest -v
quiet verify --all --repo dest --trust key.pub --level deep
manifest find --repo repo --trust key.pub '**' >in_repo
manifest find --repo dest --trust key.pub '**' | diff in_repo - || fail "the copy's catalog answers otherwise"
quiet restore --repo dest --trust key.pub --target out
same_tree data out

grep -qx "another reason" "dest/$first.hold" || fail "the hold there was changed"
[ -f "dest/$third.hold" ] || fail "a hold by hand is lost"

# What was pruned at the source stays in the copy.
rm repo/"$first".*
c dest
[ -f "dest/$first.seal" ] || fail "the copy lost what the source pruned"

# By name: the newest there speaks of what is not there.
mkdir some
c some --new "$third"
c some "$second" "$third"
c some latest nothing
c some autolab-backup-

# Not what it is asked to be.
c repo
ln -s repo link
c link
mkdir repo/inside
c repo/inside --new
rmdir repo/inside
run manifest copy some --repo none --trust key.pub
run manifest copy --repo repo --trust key.pub
c dest --series other
run_sh 'manifest copy dest --json --repo repo --trust key.pub | jq "del(.milliseconds)"'
run_sh 'manifest copy dest --json --dry-run --repo repo --trust key.pub | jq -c "del(.milliseconds, .backups, .free_bytes)"'
# One writer at a time.
python3 -c 'import fcntl, os, struct, time
fd = os.open("dest/.lock", os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
open("locked", "w").close()
time.sleep(100)' &
holder=$!
while [ ! -f locked ]; do sleep 0.05; done
c dest
c dest --wait-lock 1
kill "$holder"
