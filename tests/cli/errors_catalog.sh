#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A catalog that is missing, empty, no database, somebody else's, of a newer version, in use, or
# half written on a volume that is read-only: answers stay the same, what is wrong is said once with
# what to do, and nothing that another program may need is lost.
# long
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need python3 faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=UTC
mkdir data
make_repo whole
for day in 1 2; do
	echo "$day" >data/file$day
	set_times data
	quiet faketime "2026-02-0$day 01:00:00" backup --source data --repo whole --key key
done
export TARSEAL_REPO=repo TARSEAL_TRUST=key.pub
fresh() {
	rm -rf repo
	cp -a whole repo
}
answers() { # what is asked of it, and what is said; with -v, for the reasons
	manifest ls -lR
	manifest find '**'
	manifest history file2
	manifest list -q | cut -c1-60
	manifest stats --json | grep -v -e free -e catalog -e age
	verify --quiet --level quick
	restore --stdout file2
}
fresh
answers >want 2>&1
same() { # [COMMAND...]
	[ $# -gt 0 ] || set -- answers
	"$@" >got 2>err || fail "exit $?: $(cat err)"
	cmp -s want got || fail "$(diff want got)"
	sed 's/^/! /' err
}
# What each program says of it.
told() {
	run_sh 'manifest list >/dev/null'
	run_sh 'manifest ls >/dev/null'
	run_sh 'manifest find file2 >/dev/null'
	run verify --level quick
	run restore --stdout file2
	run_sh 'manifest rebuild >/dev/null'
	[ "$(find repo -name '*catalog*' | wc -l)" = 1 ] || fail "left: $(ls -A repo)"
}

echo "-- missing"
fresh
rm repo/catalog.sqlite3
same
rm repo/catalog.sqlite3
told

echo "-- empty"
fresh
: >repo/catalog.sqlite3
same
: >repo/catalog.sqlite3
told

echo "-- garbage; cut; a page of it overwritten"
fresh
head -c 20000 /dev/urandom >garbage
cp garbage repo/catalog.sqlite3
same
cp garbage repo/catalog.sqlite3
told
fresh
truncate -s 5000 repo/catalog.sqlite3
same
fresh
truncate -s 5000 repo/catalog.sqlite3
told
fresh
head -c 4096 /dev/urandom | dd of=repo/catalog.sqlite3 bs=4096 seek=2 conv=notrunc status=none
same

echo "-- of a newer version: neither used nor replaced but by a rebuild"
newer() {
	fresh
	python3 -c 'import sqlite3; c = sqlite3.connect("repo/catalog.sqlite3")
c.execute("PRAGMA user_version = 99"); c.commit()'
}
newer
cp repo/catalog.sqlite3 newer.sqlite3
same
cmp newer.sqlite3 repo/catalog.sqlite3 || fail "it was written to"
told

echo "-- another program's database; a directory; a link; a fifo"
fresh
rm repo/catalog.sqlite3
python3 -c 'import sqlite3; c = sqlite3.connect("repo/catalog.sqlite3")
c.execute("CREATE TABLE theirs(x)"); c.commit()'
cp repo/catalog.sqlite3 theirs.sqlite3
same
fresh
rm repo/catalog.sqlite3
mkdir repo/catalog.sqlite3
same
told
fresh
mv repo/catalog.sqlite3 elsewhere.sqlite3
ln -s ../elsewhere.sqlite3 repo/catalog.sqlite3
cp elsewhere.sqlite3 before.sqlite3
same
cmp before.sqlite3 elsewhere.sqlite3 || fail "what a link names was written to"
fresh
rm repo/catalog.sqlite3
mkfifo repo/catalog.sqlite3
same

echo "-- in use: a reader, a writer that has begun, one that writes"
cat >hold.py <<'END'
import sqlite3, sys
c = sqlite3.connect("repo/catalog.sqlite3", isolation_level=None)
if sys.argv[1] == "SHARED":
    c.execute("BEGIN")
    c.execute("SELECT count(*) FROM backup").fetchone()
else:
    c.execute("BEGIN " + sys.argv[1])
print("held", flush=True)
sys.stdin.read()
END
# Nobody waits longer than five seconds for whoever writes, nor twice.
fresh
manifest find '**' >want
mkfifo go ready
for how in SHARED IMMEDIATE EXCLUSIVE; do
	echo "-- $how"
	fresh
	python3 hold.py $how <go >ready &
	exec 3>go
	read -r _ <ready
	same manifest find '**'
	[ $how != EXCLUSIVE ] || run verify --level quick
	run_sh 'manifest rebuild >/dev/null'
	exec 3>&-
	wait
	same manifest find '**'
done
