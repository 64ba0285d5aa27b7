#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A live tree against a backup: every kind of difference, and what is none.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need setfattr setfacl
sample_tree data
mknod data/null c 1 3
mkfifo data/pipe
printf 'latin\n' >data/$'latin-\xe9'
truncate -s 80M data/holes
printf 'end' >>data/holes
printf 'three names\n' >data/one
ln data/one data/db/two
ln data/one data/three
printf 'a\n' >data/copy-a
printf 'a\n' >data/copy-b
setfattr -n user.note -v kept data/config.json 2>/dev/null || skip "needs extended attributes"
setfacl -m u:12:r data/logs/app.log 2>/dev/null || skip "needs ACLs"
set_times data
cp -a data pristine
make_repo repo
backup_tree data repo
name=$(basename "$(newest repo)")

v() {
	run verify --repo repo --trust key.pub --source data "$@"
}
# again: data as it was backed up.
again() {
	rm -rf data
	cp -a pristine data
}
# Times of directories that something was put into are set back.
dirs() {
	find data -type d -exec touch -h -d '2020-02-08 22:00:00.123456789 UTC' {} +
}

v
v "$name" --quiet
v latest --jobs 1

# Content, with and without a trace; the last byte of a large file, and one behind a hole.
flip data/db/blob 2999999
flip data/holes 83886081
set_times data
v
echo more >>data/logs/app.log
v
again

# Facts alone.
chown -h 12:13 data/empty data/current
chmod 4711 data/config.json
touch -d '2021-01-01 00:00:00 UTC' data/one
touch -d '2020-02-08 22:00:00.123456790 UTC' data/pipe
v
again
setfattr -n user.note -v other data/config.json
setfattr -n user.note -v new data/db
setfacl -m u:12:rw data/logs/app.log
v
again

# What came, what went, what is something else now.
ln -sfn db data/current
rm data/null data/pipe data/empty -r
mknod data/null c 1 5
mkdir data/pipe
echo inside >data/pipe/inside
printf 'new\n' >data/$'new\n\xff\e[31m'
rm data/$'latin-\xe9'
set_times data
v
again

# Links that were broken, and one that was made; a link whose target is gone.
cp -p --remove-destination data/one data/db/two
ln -f data/copy-a data/copy-b
dirs
v
rm data/one
flip data/db/two 0
set_times data
v
again

# What is left out is neither new nor gone; what the backup left out is new.
rm data/logs/app.log
echo new >data/new.tmp
echo more >>data/db/table
dirs
v --exclude logs --exclude '*.tmp' --exclude '/db'
v -x nothing --one-file-system
again

# As a user, who may not read all.
chmod 700 data/db
chmod 600 data/copy-a
chmod 755 . "$CASE_BASE" 2>/dev/null
chmod -R a+rX repo
chmod a+r key.pub
run as_user verify --repo repo --trust key.pub --source data
again

# An empty tree, and an empty backup.
mkdir none
touch -d '2020-02-08 22:00:00 UTC' none
run verify --repo repo --trust key.pub --source none --quiet
backup_tree none repo --series empty --allow-empty
run verify --repo repo --trust key.pub --source none --series empty
touch none/first
touch -d '2020-02-08 22:00:00 UTC' none
run verify --repo repo --trust key.pub --source none --series empty

# Which backup: there are two series now.
v
v "$name" --quiet

# Not trusted: no comparison with what anybody may have written.
make_key other
run verify --repo repo --trust other.pub --source data "$name"
run verify --repo repo --trust other.pub --source data "$name" --untrusted
sed -i 's/^# changed: 0/# changed: 1/' "repo/$name.seal"
v --series autolab-backup
sed -i 's/^# changed: 1/# changed: 0/' "repo/$name.seal"

# A damaged manifest is told; what it still has is compared.
cp "repo/$name.manifest.gz" sound
flip "repo/$name.manifest.gz" 200
v --series autolab-backup
flip "repo/$name.manifest.gz" $(($(stat -c %s sound) - 50))
v --series autolab-backup
rm "repo/$name.manifest.gz"
v --series autolab-backup
cp sound "repo/$name.manifest.gz"

# A held backup is gone: the comparison is made all the same.
backup_tree data repo --series autolab-backup
rm "repo/$name.seal"
v --series autolab-backup

# What cannot be done.
v --all
v --level quick
v --anchor file
v --max-age 1h
v one two
run verify --repo repo --trust key.pub --exclude x
run verify --repo repo --trust key.pub --one-file-system
v --exclude ../x --series empty
run verify --repo repo --trust key.pub --series empty --source missing
run verify --repo repo --trust key.pub --series empty --source key.pub
run verify --repo repo --trust key.pub --series empty --source .
run verify --repo repo --trust key.pub --series empty --source repo
mkdir -m 700 data/.tarseal-restore
v --series autolab-backup
