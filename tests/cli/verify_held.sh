#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A set of backups in which something was removed, added, exchanged, or put into another order:
# verify says which, by name, with its status.  Whatever it looks at, at any level.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=UTC
mkdir data
make_repo whole
make_key stranger
night() { # DATE REPO [OPTION...]
	local when=$1 repo=$2
	shift 2
	quiet faketime "$when" backup --source data --repo "$repo" --timezone UTC --key key "$@"
}
noise 30000 1 >data/file
night '2026-02-01 01:00:00' whole
noise 40000 2 >data/file
seq 20 | split -l 1 - data/part # so that the manifests too have three lengths
night '2026-02-02 01:00:00' whole
noise 50000 3 >data/file
rm data/part?[a-m]
night '2026-02-03 01:00:00' whole
one=autolab-backup-20260201_010000 two=autolab-backup-20260202_010000 three=autolab-backup-20260203_010000
rm whole/catalog.sqlite3
rm data/part*
fresh() {
	rm -rf repo
	cp -a whole repo
}
v() { run verify --repo repo --trust key.pub --quiet "$@"; }
both() {
	v
	v --level quick --all
}
swap() { # A B: their contents
	mv "repo/$1" aside
	mv "repo/$2" "repo/$1"
	mv aside "repo/$2"
}

echo "-- all is well"
fresh
both

echo "-- removed: one in the middle; its seal; its archive; its manifest; the newest"
rm repo/$two.*
both
fresh
rm repo/$two.seal
v
fresh
rm repo/$two.tar.gz
both
fresh
rm repo/$two.manifest.gz
both
fresh
rm repo/$three.*
v

echo "-- cut: the archive of an old one, which is not read"
fresh
truncate -s 20000 repo/$one.tar.gz
v

echo "-- added: of a stranger, unsigned, from another repository, an old one of ours, a copy"
fresh
quiet faketime '2026-02-04 03:00:00' backup --source data --repo repo --key stranger
both
fresh
quiet faketime '2026-02-04 04:00:00' backup --source data --repo repo --unsigned
both
mkdir other
night '2026-01-05 01:00:00' other
cp other/autolab* repo
fresh
cp other/autolab* repo
both
fresh
for part in tar.gz manifest.gz seal; do
	cp repo/$one.$part repo/autolab-backup-20260204_010000.$part
done
both

echo "-- exchanged: two names; archives; manifests; seals"
fresh
for part in tar.gz manifest.gz seal; do
	swap $one.$part $two.$part
done
both
fresh
swap $one.tar.gz $three.tar.gz
both
v --all
fresh
swap $two.manifest.gz $three.manifest.gz
both
v --all
fresh
swap $two.seal $three.seal
both

echo "-- exchanged: archives of one length"
rm -rf even
mkdir even
noise 1100000 5 >data/file
set_times data
night '2026-02-01 01:00:00' even
noise 1100000 6 >data/file
set_times data
night '2026-02-02 01:00:00' even
rm -rf repo
cp -a even repo
[ "$(stat -c %s repo/$one.tar.gz)" = "$(stat -c %s repo/$two.tar.gz)" ] || fail "of two lengths"
swap $one.tar.gz $two.tar.gz
v
rm repo/catalog.sqlite3

echo "-- exchanged: another backup of our own, of a stranger, and of another series, under its name"
fresh
rm repo/$one.*
noise 30000 4 >data/file
mkdir own
night '2026-02-01 01:00:00' own
cp own/$one.* repo
both
fresh
rm repo/$one.*
mkdir theirs
quiet faketime '2026-02-01 01:00:00' backup --source data --repo theirs --timezone UTC --key stranger
cp theirs/$one.* repo
both
fresh
rm repo/$one.*
mkdir series
night '2026-02-01 01:00:00' series --series shop
for part in tar.gz manifest.gz seal; do
	cp series/shop-20260201_010000.$part repo/$one.$part
done
both

echo "-- a signature that was taken away, changed, made by another"
fresh
sed -i 's/^# signature: .*/# signature: none/' repo/$one.seal
both
fresh
signature=$(sed -n 's/^# signature: //p' whole/$two.seal)
sed -i "s|^# signature: .*|# signature: $signature|" repo/$one.seal
both
fresh
head -n -1 repo/$one.seal >text
openssl pkeyutl -sign -rawin -in text -inkey stranger -out sig
id=$(openssl pkey -pubin -in stranger.pub -outform DER | sha256sum | cut -d' ' -f1)
{
	cat text
	echo "# signature: $id $(base64 -w0 sig)"
} >repo/$one.seal
both
run verify --repo repo --trust key.pub --level quick

echo "-- another order: a number twice, a clock that was set back"
fresh
night '2026-02-04 01:00:00' repo
mkdir fork
cp -a whole/* fork
noise 30000 8 >data/file
night '2026-02-04 02:00:00' fork
night '2026-02-05 01:00:00' fork
cp fork/autolab* repo
both
fresh
rm repo/$three.*
night '2026-02-01 12:00:00' repo
run verify --repo repo --trust key.pub --level quick
run faketime -f '2026-02-02 14:00:30' verify --repo repo --trust key.pub --quiet --max-age 26h
run faketime -f '2026-02-02 13:59:50' verify --repo repo --trust key.pub --quiet --max-age 26h

echo "-- held no more: pruned by hand, or a pruning that was cut short"
fresh
rm repo/$one.seal repo/$one.manifest.gz repo/$one.tar.gz
run faketime '2026-02-06 01:00:00' backup --source data --repo repo --key key --quiet
v
cp whole/$one.* repo
run_sh "verify --repo repo --trust key.pub --level quick | grep note"

echo "-- in all words for programs"
fresh
rm repo/$two.*
cp theirs/$one.* repo
run_sh 'verify --repo repo --trust key.pub --level quick --json | grep -e \"kind -e \"code -e \"status -e \"text'
