#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A repository that is none: what is said of a missing directory, an empty one, a file, one that is
# somebody else's, and of names of backups that are not there.  Nothing is made.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=UTC
mkdir data empty stranger
echo one >data/file
make_repo repo
quiet faketime '2026-02-01 01:00:00' backup --source data --repo repo --key key
quiet faketime '2026-02-02 01:00:00' backup --source data --repo repo --key key
quiet faketime '2026-02-02 02:00:00' backup --source data --repo repo --key key --series other
rm repo/catalog.sqlite3
touch stranger/backup.tar.gz stranger/notes.txt
export TARSEAL_TRUST=key.pub
reads() { # REPO
	run verify --repo "$1"
	run restore --repo "$1" --target out
	for command in list show ls 'find file' 'history file' 'diff previous latest'; do
		# shellcheck disable=SC2086 # words
		run manifest $command --repo "$1"
	done
	run_sh "manifest stats --repo $1 | grep -v free"
	[ ! -e out ] || fail "a target was made"
}

echo "-- missing, a file, empty, without any backup"
reads nowhere
reads data/file
reads data/file/below
reads empty
reads stranger
for where in nowhere data/file; do
	for command in rebuild 'prune --key key' 'hold x' 'release x' 'import --key key' 'copy there'; do
		# shellcheck disable=SC2086 # words
		run manifest $command --repo $where
	done
done
[ "$(find empty stranger nowhere data 2>/dev/null | sort | tr '\n' ' ')" = \
    "data data/file empty stranger stranger/backup.tar.gz stranger/notes.txt " ] ||
    fail "something was made: $(find empty stranger)"

echo "-- no such backup, none so old, none of the series, several"
for which in 'no-such' 'autolab-backup-20260203' 'autolab-backup-2026' 'repo' ''; do
	run verify --repo repo --level quick "$which"
	run restore --repo repo --target out --backup "$which"
	run manifest ls --repo repo --backup "$which"
	run manifest show --repo repo "$which"
done
run restore --repo repo --target out --as-of '2026-01-31'
run restore --repo repo --target out --as-of '2026-02-01' --backup latest
run restore --repo repo --target out
run restore --repo repo --target out --series third
run manifest ls --repo repo
run manifest ls --repo repo --as-of '2026-01-31' --series other
run manifest diff no-such latest --repo repo
run manifest diff latest --repo repo
run manifest hold no-such --repo repo
run manifest release other --repo repo --series other
[ ! -e out ] || fail "a target was made"

echo "-- no such path"
run restore --repo repo --series other --target out nofile 'x*' file
run restore --repo repo --series other --target none nofile
run restore --repo repo --series other --target none2 /srv/data/file
run restore --repo repo --series other --target none3 latest autolab-backup-20260209 x-20260209/f
run restore --repo repo --series other --stdout nofile
run restore --repo repo --series other --stdout file nofile
run manifest ls nofile --repo repo --series other
run manifest find 'x*' --repo repo
run manifest history nofile --repo repo --series other
run manifest diff previous latest nofile --repo repo --series autolab-backup
[ ! -e none ] || fail "a target was made"

echo "-- not for us to read"
chmod 755 .
chmod 644 key.pub
chmod 000 repo
run as_user verify --repo repo
run as_user restore --repo repo --target out
run as_user manifest list --repo repo
chmod 111 repo
run as_user verify --repo repo
chmod 755 repo
chmod 000 repo/*
run as_user verify --repo repo --level quick
run as_user restore --repo repo --target /nowhere
run as_user manifest list --repo repo
