#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Archives, manifests and seals that are missing, cut, changed, or another night's: what verify,
# restore and manifest say, each with its status; what was there before stays, and what is written
# is right.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=UTC
mkdir -p data/db
make_repo whole
night() { # DAY [OPTION...]
	local day=$1
	shift
	set_times data
	quiet faketime "2026-02-$day 01:00:00" backup --source data --repo whole --key key "$@"
}
noise 1500000 1 >data/big
seq 1000 >data/db/table
night 01
seq 1001 >data/db/table
echo more >data/more
night 02
night 02 --series shop
rm whole/catalog.sqlite3
one=autolab-backup-20260201_010000 two=autolab-backup-20260202_010000 shop=shop-20260202_010000
export TARSEAL_REPO=repo TARSEAL_TRUST=key.pub TARSEAL_SERIES=autolab-backup
fresh() {
	rm -rf repo
	cp -a whole repo
}
# What could not be restored, in one order, whichever worker met it first.
ordered() { awk '/not restored:/ { print | "sort"; next } { close("sort"); print; fflush() }'; }
restores() {
	rm -rf out
	run restore --target out | ordered
	# What came back is right.
	[ ! -d out ] || (cd out && find . -type f -exec cmp {} ../data/{} \;)
	rm -rf out
	run restore --target out db/table
	[ ! -e out/db/table ] || cmp out/db/table data/db/table
	rm -rf out
	run restore --stdout more
	run restore --target out --dry-run
	[ ! -e out ] || fail "a dry run made something"
}
asks() {
	run_sh 'manifest show | grep NOT'
	run manifest ls
	run manifest ls --no-catalog
	run manifest history more
	run manifest diff previous latest
	run_sh 'manifest rebuild >/dev/null'
}

echo "-- the archive: missing, empty, cut, a bit changed, another night's, a directory, a link"
fresh
rm repo/$two.tar.gz
run verify
restores
run_sh 'manifest show | grep ^archive'
: >repo/$two.tar.gz
run verify
restores
run_sh 'manifest show | grep ^archive'
fresh
truncate -s 1400000 repo/$two.tar.gz
run verify
restores
fresh
flip repo/$two.tar.gz 1000000
run verify
restores
fresh
cp repo/$one.tar.gz repo/$two.tar.gz
run verify
restores
rm repo/$two.tar.gz
mkdir repo/$two.tar.gz
run verify
restores
rmdir repo/$two.tar.gz
ln -s $one.tar.gz repo/$two.tar.gz
run verify
restores

echo "-- the manifest: missing, cut, edited, another night's, another series'"
fresh
rm repo/$two.manifest.gz
run verify
restores
asks
fresh
truncate -s -1 repo/$two.manifest.gz
run verify
restores
asks
fresh
zcat repo/$two.manifest.gz | sed 's/size=3893/size=3894/' | gzip -n >repo/x
mv repo/x repo/$two.manifest.gz
run verify
restores
asks
fresh
cp repo/$one.manifest.gz repo/$two.manifest.gz
run verify
restores
asks
fresh
cp repo/$shop.manifest.gz repo/$two.manifest.gz
run verify
restores

echo "-- the seal: missing, empty, cut, edited, another night's, another series', of a newer version"
fresh
rm repo/$two.seal
run verify
rm -rf out
run restore --target out
run restore --target none --backup $two
asks
seals() {
	run verify --level quick
	rm -rf out
	run restore --target out
	run restore --target out --backup $two
	[ ! -e out ] || fail "a target was made"
	run_sh 'manifest show >/dev/null'
	run_sh "manifest show $two | grep ^signature"
	run_sh 'manifest list >/dev/null'
	run manifest ls
	run manifest diff $one $two
	run_sh 'manifest rebuild >/dev/null'
}
fresh
: >repo/$two.seal
seals
fresh
truncate -s -10 repo/$two.seal
seals
fresh
sed -i 's/^# entries: .*/# entries: 3/' repo/$two.seal
seals
fresh
cp repo/$one.seal repo/$two.seal
seals
fresh
cp repo/$shop.seal repo/$two.seal
seals
fresh
sed -i '1s/1$/2/' repo/$two.seal
seals
