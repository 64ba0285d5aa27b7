#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# From the archive alone: a manifest that is lost, a seal that is lost too, archives that never had one.
# Only where --untrusted says so; and what is there goes only for what is whole.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need busybox
sample_tree data
make_repo repo
backup_tree data repo
name=$(basename "$(newest repo)")
r() {
	run restore --repo repo --trust key.pub "$@"
}
fresh() {
	rm -rf repo
	cp -a whole repo
}
cp -a repo whole

echo "-- the manifest is missing"
rm repo/*.manifest.gz
r --target out
r --target out --untrusted
same_tree data out
r --target out --untrusted
same_tree data out
r --target out --untrusted --dry-run | sed 's/, [^ ]* is free/, MUCH is free/'
r --target out --untrusted --mode wipe --quiet
same_tree data out
r --target some --untrusted db/table-link 'logs/*.log' no/such
run_sh 'find some | sort; cmp some/db/table-link data/db/table'
r --target none --untrusted no/such
[ ! -e none ] || fail "it made a target for nothing"
r --untrusted --stdout logs
restore --repo repo --trust key.pub --untrusted --stdout db/table-link 2>/dev/null | cmp - data/db/table
r --untrusted --stdout current

echo "-- among what is there"
echo mine >out/logs/app.log
touch -d '2020-02-09 UTC' out/logs/app.log
echo mine >out/logs/other
chmod 700 out/logs
r --target out --untrusted --overwrite if-newer logs
run_sh 'cat out/logs/app.log out/logs/other; stat -c %a out/logs'
r --target out --untrusted logs/app.log
run_sh 'cat out/logs/app.log; stat -c %a out/logs'

echo "-- the manifest's end is damaged"
fresh
flip "repo/$name.manifest.gz" $(($(stat -c %s "repo/$name.manifest.gz") - 100))
r --target out --backup "$name"
r --target new --untrusted
same_tree data new

echo "-- by nobody's key"
make_key other
rm -rf new repo/*.manifest.gz
run restore --repo repo --trust other.pub --target new
run restore --repo repo --trust other.pub --target new --untrusted
same_tree data new

echo "-- the archive is not what the seal signs"
tar -C data -czf "repo/$name.tar.gz" .
rm -rf new
r --target new --untrusted
same_tree data new
echo mine >new/mine
r --target new --untrusted
r --target new --untrusted --mode wipe --force
[ -e new/mine ] || fail "what was there is gone"
r --target new --untrusted --force
[ ! -e new/mine ] || fail "--force did nothing"
same_tree data new

echo "-- a seal that cannot be read"
fresh
echo nonsense >"repo/$name.seal"
rm -rf new
r --target new --backup "$name"
r --target new --backup "$name" --untrusted
same_tree data new
r --target new --untrusted

echo "-- no seal"
rm "repo/$name.seal"
r --target new
r --target new --backup "$name"
r --target new --backup "${name%-*}"
rm -rf new
r --target new --backup "$name" --untrusted
same_tree data new
r --target new --backup "$name.tar.gz" --untrusted --json config.json | sed 's/"milliseconds": .*/"milliseconds": N,/'

echo "-- of busybox and GNU tar"
for by in "busybox tar" "tar"; do
	rm -rf repo/* new
	(cd data && $by -czf ../repo/autolab-backup-20260101_000005.tar.gz .)
	run restore --repo repo --untrusted --backup autolab-backup-20260101_000005 --target new
	(cd data && find . -type f -print0 | sort -z | xargs -0 sha256sum) | (cd new && sha256sum --quiet -c)
	[ new/db/table -ef new/db/table-link ] || fail "$by: two files"
	[ "$(stat -c '%a %s %Y' new/config.json new/db)" = "$(stat -c '%a %s %Y' data/config.json data/db)" ] ||
	    fail "$by: $(stat -c '%a %s %Y' new/config.json new/db)"
done
r --target new --untrusted --backup latest

echo "-- of names alone: the top of the target stays as it is"
rm -rf repo/* new
(cd data && tar -czf ../repo/autolab-backup-20260101_000005.tar.gz logs config.json)
mkdir -m 750 new
touch -d '2021-01-01 UTC' new
run restore --repo repo --untrusted --backup autolab-backup-20260101_000005 --target new
run_sh 'stat -c "%a %y" new; find new | sort'

echo "-- of files alone: directories on the way that nobody speaks of"
rm -rf repo/* new
(cd data && tar -czf ../repo/autolab-backup-20260101_000005.tar.gz logs/app.log db/table config.json)
mkdir -p new/db
chmod 700 new/db
run restore --repo repo --untrusted --backup autolab-backup-20260101_000005 --target new --mode merge
run_sh 'find new | sort | xargs stat -c "%a %n"'

echo "-- a tail that is missing"
rm -rf repo/* new
tar -C data --sort=name -cf whole.tar .
gzip -1 <whole.tar >repo/autolab-backup-20260101_000005.tar.gz
truncate -s 2500000 repo/autolab-backup-20260101_000005.tar.gz
half() {
	run restore --repo repo --untrusted --backup autolab-backup-20260101_000005 "$@"
}
half --dry-run
half --stdout db/blob | wc -c
half --target new
run_sh 'find new | sort; cmp new/config.json data/config.json'
rm -rf new/*
echo mine >new/mine
half --target new
half --target new --mode wipe --force
half --target new config.json
half --target new --force config.json
run_sh 'find new | sort'
half --stdout config.json
half --target new --force
[ ! -e new/mine ] || fail "--force did nothing"

echo "-- under shorter names, without some"
rm -rf short data/deep
mkdir -p data/deep/a/b
echo x >data/deep/a/b/file
echo y >data/deep/a/left-out
ln data/deep/a/b/file data/zz-link
chmod 711 data/deep/a/b
touch -d 2020-02-02 data/deep/a/b data/deep/a
tar -C data -czf repo/short.tar.gz .
r --target short --untrusted --backup short --strip-components 2 deep/a/b/file
run_sh 'cd short && find . | sort && stat -c "%a %Y" b'
r --target short --untrusted --backup short --exclude left-out --strip-components 1 deep
run_sh 'cd short && find . | sort'
r --target linked --untrusted --backup short --exclude /deep zz-link
run_sh 'cat linked/zz-link'
r --target linked --untrusted --backup short --containing zz-link
r --target linked --untrusted --backup short --all-versions zz-link
