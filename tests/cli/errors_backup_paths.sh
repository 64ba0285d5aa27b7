#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Source and repository that cannot be: the path, the cause, and nothing written.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
b() { run backup --quiet --key key "$@"; }

echo "-- no directory"
touch file
ln -s nowhere dangling
ln -s loop loop
for path in missing file data/config.json/x dangling loop; do
	b --source $path --repo repo
	b --source data --repo $path
done
b --source "$(printf 'x%.0s' {1..256})" --repo repo
b --source data --repo ''
b --source $'new\nline\e[31m' --repo repo

echo "-- one in the other, also by way of links"
mkdir data/inside repo/inside
ln -s data/inside to-inside
ln -s repo to-repo
ln -s ../repo data/to-repo
b --source data --repo data/inside
b --source data --repo to-inside
b --source data --repo data/../data
b --source repo/inside --repo repo
b --source to-repo/inside --repo repo
b --source to-repo --repo repo
b --source data --dry-run --repo data/inside
rmdir data/inside repo/inside

echo "-- nothing was written, not even a lock"
run_sh 'ls -A repo'
echo "-- a link in the source to the repository is just a link"
b --source data --repo repo
run_sh 'tar -tvzf repo/*.tar.gz | grep -o "to-repo.*"'

echo "-- empty, excluded, unreadable: not the same"
mkdir empty empty/lost+found
b --source empty --repo repo --series empty
b --source data --repo repo --series empty --exclude '*'
b --source empty --repo repo --series empty --dry-run
mkdir shut closed foreign
echo 1 | tee shut/a >shut/b
chmod 0 shut/a shut/b closed
cp key mine
if [ "$(id -u)" = 0 ]; then
	chown 65534:65534 shut mine foreign
fi
users() { run as_user backup --quiet --key mine "$@" | sed 's/user [0-9]*/user N/g; s/group [0-9]*/group N/'; }
users --source shut --repo foreign
users --source closed --repo foreign
users --source shut --repo foreign --dry-run
echo "-- a repository that this user may not write to, look into, or lock"
chmod 555 foreign
users --source data --repo foreign
chmod 0 foreign
users --source data --repo foreign
chmod 755 foreign
ls -A foreign >left
[ "$(cat left)" = .lock ] || fail "left $(cat left)"
chmod 0 foreign/.lock
if [ "$(id -u)" = 0 ]; then chown 0:0 foreign/.lock; fi
users --source data --repo foreign
chmod 0 mine
users --source data --repo foreign
chmod 700 closed
run_sh 'ls -A foreign'

echo "-- a backup that another user made: its number must not be given twice"
chmod 600 mine
mkdir theirs little
echo 1 >little/a
[ "$(id -u)" != 0 ] || chown 65534:65534 theirs little/a
users --source little --repo theirs
users --source little --repo theirs
last=$(newest theirs)
chmod 0 "$last.seal"
users --source little --repo theirs
users --source little --repo theirs --dry-run --keep-last 1
chmod 600 "$last.seal"
users --source little --repo theirs
run_sh 'grep -h "^# sequence" theirs/*.seal | sort'
