#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Which part of a backup comes back, and under which names.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir -p data/users/{alice,bob}/conf data/logs data/cache
echo alice >data/users/alice/p.jpg
echo bob >data/users/bob/q.jpg
echo x >data/users/alice/conf/x
echo y >data/users/bob/conf/y
ln data/users/alice/p.jpg data/logs/p-link
echo temporary >data/cache/file.tmp
noise 3000000 1 >data/cache/blob
chmod 711 data/users/alice
set_times data
make_repo repo
backup_tree data repo
first=$(basename "$(newest repo)")
r() {
	run restore --repo repo --trust key.pub "$@"
}
found() {
	run_sh "cd $1 && find . | sort"
}

# Left out: names anywhere, paths from the top, directories with all that is in them.
r --target some --exclude '*.tmp' --exclude /logs --exclude 'conf/'
found some
mkdir expected
(cd data && find . -mindepth 1 \( -name '*.tmp' -o -path ./logs -o -name conf \) -prune -o -print0) |
    quiet rsync -a --from0 --files-from=- --no-implied-dirs data/ expected/
RSYNC_EXTRA=--omit-dir-times same_tree expected some
# What holds the data of a link may be left out.
r --target linked logs --exclude '/users'
found linked
run_sh 'cat linked/logs/p-link'
# What is excluded stays where it is: so it is merged, and nothing else.
echo mine >some/logs
r --target some --exclude /logs
run_sh 'cat some/logs'
r --target some --exclude /logs --mode stage
r --target some --exclude /logs --mode wipe
r --target none --exclude '' users
r --target none users/alice --exclude alice
TARSEAL_RESTORE_EXCLUDE=$'users\nlogs' r --target environment
found environment
r --stdout --exclude p.jpg 'users/*/*.jpg'

# Without the first components of names.
r --target alice users/alice --strip-components 2
found alice
run_sh 'stat -c "%a %h" alice/p.jpg'
r --target link logs/p-link users/alice --strip-components 1
found link
[ link/p-link -ef link/alice/p.jpg ] || fail "p-link is a file of its own"
run_sh 'stat -c %a link/alice'
r --target blob cache/blob --strip-components 1
cmp data/cache/blob blob/blob || fail "blob differs"
r --target all --strip-components 1
found all
# Two that would be one: nothing is begun.
mkdir data/users/carol
echo carol >data/users/carol/p.jpg
backup_tree data repo
r --target both users --strip-components 2
run_sh 'ls -d both'
r --target both 'users/*/p.jpg' --strip-components 2 --dry-run
# So it is of a file and a directory, whichever comes first, and when only what is in the directory
# is asked for; directories are merged.
mkdir -p kinds/{1,2,3}/same kinds/3/x kinds/4
echo 1 >kinds/1/x
echo 3 >kinds/3/x/f
echo 4 >kinds/4/same
mkdir kinds-repo
backup_tree kinds kinds-repo --series kinds
k() {
	run restore --repo kinds-repo --trust key.pub "$@"
}
k --target both --strip-components 1
k --target both --strip-components 1 1/x 3/x/f
k --target both --strip-components 1 3 4
run_sh 'ls -d both'
k --target kinds-both --strip-components 1 1 2
found kinds-both
# The archive alone knows no less.
kinds=$(basename "$(newest kinds-repo)")
rm kinds-repo/*.seal kinds-repo/*.manifest.gz
k --target both --strip-components 1 --untrusted --backup "$kinds"
run_sh 'ls -d both'
r --target both users --strip-components 2 --exclude carol
found both
r --target none users/alice --strip-components 9
r --target none logs --strip-components 1 --mode stage
r --stdout logs/p-link --strip-components 1

# The newest backup that has it; of itself it names what is restored.
rm -r data/users/bob
backup_tree data repo
last=$(basename "$(newest repo)")
r --target found --containing users/bob/q.jpg
found found
r --target found/bob --containing users/bob users/bob/conf --strip-components 2
found found/bob
r --stdout --containing users/alice/p.jpg
r --target none --containing users/dave
r --target none --containing users/bob --as-of 2020-01-01
r --target none --containing users/bob --backup latest
r --target none --containing ''
r --target none --containing users/bob --dry-run
run_sh 'ls -d none'
# A manifest that is lost may have had it.
cp -a repo hurt
rm "hurt/$last.manifest.gz"
run restore --repo hurt --trust key.pub --target hurt-1 --containing users/bob/q.jpg
found hurt-1
# Who cannot be believed does not choose.
sed -i 's/^# source: .*/# source: elsewhere/' "hurt/$last.seal"
run restore --repo hurt --trust key.pub --target hurt-2 --containing users/bob/q.jpg
: >"hurt/$last.seal"
run restore --repo hurt --trust key.pub --target hurt-2 --containing users/bob/q.jpg
run_sh 'ls -d hurt-2'
run_sh "restore --repo repo --trust key.pub --target known --backup $first --containing x"
