#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Restoring over what is there: what each mode says, does, and refuses.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need jq
mkdir -p data/users/alice data/db
echo picture >data/users/alice/p.jpg
echo notes >data/users/notes
echo database >data/db/db
set_times data
make_repo repo
backup_tree data repo
name=$(basename "$(newest repo)")
r() {
	run restore --repo repo --trust key.pub "$@"
}
# dry ARG...: how much is free is the machine's.
dry() {
	run_sh "restore --repo repo --trust key.pub --dry-run $* | sed 's/, [^ ]* is free/, MUCH is free/'"
}
# as_before: a live tree that is not the backup's.
as_before() {
	rm -rf live
	cp -a data live
	echo newer >live/users/notes
	touch -d 2038-01-01 live/users/notes
	rm live/users/alice/p.jpg
	mkdir live/extra
	echo mine >live/extra/mine
}

# All of it: in place of what is there.
as_before
dry --target live
[ ! -e live/users/alice/p.jpg ] || fail "a dry run restored"
r --target live
same_tree data live
run_sh 'ls -A live'

# One file: among what is there, which stays.
as_before
dry --target live users/alice/p.jpg users/notes
r --target live users/alice/p.jpg
run_sh 'cat live/users/alice/p.jpg live/users/notes live/extra/mine'
r --target live --overwrite never users
r --target live --overwrite if-newer users
run_sh 'cat live/users/notes'
r --target live users
run_sh 'cat live/users/notes'
r --target live --mode merge
run_sh 'ls -A live'

# Swapping users to bring back one picture would cost all others theirs.
as_before
r --target live --mode stage users/alice/p.jpg
r --target live --mode stage 'user*'
r --target live --mode wipe users
r --target live --mode stage --overwrite never
r --target live --mode stage users
same_tree data/users live/users
run_sh 'ls -A live; cat live/extra/mine'

r --target live --mode wipe
same_tree data live
run_sh 'restore --repo repo --trust key.pub --target live --json | jq -c "[.mode, .replaced, .stayed]"'
run_sh 'restore --repo repo --trust key.pub --target live -n --json users/notes | jq -c "[.mode, .replaced, .stayed, .needed, .planned[].action]"'

# A directory is never replaced by a file, nor anything through a link.
as_before
rm -r live/users live/db
ln -s "$PWD/data/users" live/users
mkdir -p live/db/db/precious
r --target live users/notes db
run_sh 'cat data/users/notes; ls live/db/db'

# Where it may not be.
r --target repo
r --target .
mkdir repo/inside
r --target repo/inside
rm -r repo/inside

# A damaged backup does not take the place of what may be better.
cp -a repo hurt
as_before
flip "$(newest hurt).tar.gz" "$(($(stat -c %s "$(newest hurt).tar.gz") - 60))"
before=$(find live -printf '%p %T@\n' | sort | sha256sum)
run restore --repo hurt --trust key.pub --target live
run restore --repo hurt --trust key.pub --target live --mode wipe
[ "$(find live -printf '%p %T@\n' | sort | sha256sum)" = "$before" ] || fail "live has changed"
run restore --repo hurt --trust key.pub --target live --force

# What a run that was cut short says, and what comes of it.
# cut STATE: as a run leaves it that is killed then.
cut() {
	as_before
	mkdir -p live/.tarseal-restore/new live/.tarseal-restore/old
	chmod 700 live/.tarseal-restore
	cp -a data/. live/.tarseal-restore/new
	printf 'tarseal-restore: 1\nstate: %s\nbackup: %s\nbegan: 2026-02-09T00:00:00Z\nwhole: %s\nroot-time: 1700000000.000000005\n' \
	    "$1" "$name" "${2-yes}" >live/.tarseal-restore/state
}
for state in staging merging wiping out in 'done'; do
	cut $state
	[ $state != 'done' ] || rm -r live/.tarseal-restore/new
	run restore --status --target live
	run backup --source live --repo repo --key key
	run restore --recover --target live
	run_sh 'ls -A live; stat -c %y live | cut -c 1-29'
done
cut wiping
r --target live users/notes
r --target live --dry-run --quiet
r --target live
same_tree data live
cut in no
run restore --recover --target live
run_sh 'ls -A live'
cut in
echo 'state: else' >live/.tarseal-restore/state
run restore --status --target live
run restore --recover --target live
run_sh 'restore --status --target data --json'
cut staging
run_sh 'restore --recover --target live --json | jq -c "[.type, .state]"'
run restore --status
run restore --recover --target live users

# Somebody else could tell root what to do.
cut in
chmod 777 live/.tarseal-restore
run restore --recover --target live
r --target live
