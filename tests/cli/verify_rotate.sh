#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify --oldest and --budget: whose turn it is, night after night; what is told of it, here and by
# manifest list; and that without a memory nothing is read at all.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime sqlite3 jq
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=UTC
mkdir data
make_repo repo
for day in 1 2 3 4 5; do
	noise 200000 $day >data/file
	quiet faketime "2026-02-0$day 00:00:05" backup --source data --repo repo --key key
	names[day]=$(basename "$(newest repo)")
done
on() { # DATE CMD...
	local when=$1
	shift
	run faketime "$when" "$@"
}
v() { # DATE [OPTION...]
	local when=$1
	shift
	on "$when" verify --repo repo --trust key.pub "$@"
}
size() { stat -c %s "repo/$1.tar.gz" "repo/$1.manifest.gz" | paste -sd+ | bc; }

echo "-- each in its turn, the oldest first"
v '2026-02-06 01:00' --oldest 2
v '2026-02-07 01:00' --oldest 2
echo "-- what a quick look finds is no reading, and does not hide one"
v '2026-02-07 12:00' --all --level quick --quiet
on '2026-02-07 13:00' manifest list --repo repo --trust key.pub
v '2026-02-08 01:00' --oldest 2
v '2026-02-16 00:30' --oldest 1
echo "-- all of them, when there are fewer"
v '2026-02-16 01:00' --oldest 99
echo "-- deep is asked for: standard does not count for it; the other way round it does"
v '2026-02-17 01:00' --oldest 2 --level deep
v '2026-02-18 01:00' --oldest 3
on '2026-02-19 01:00' manifest list --repo repo --trust key.pub

echo "-- bytes: as many as go in; one at least, even when it is larger"
two=$(($(size "${names[1]}") + $(size "${names[2]}")))
v '2026-02-20 01:00' --budget 500K
v '2026-02-20 02:00' --budget 100K
v '2026-02-20 03:00' --budget 100K --quiet
[ $two -gt 400000 ] || fail "these backups are too small for what is tried here: $two"
echo "-- a time, and both"
v '2026-02-21 01:00' --budget 1h --oldest 1
v '2026-02-21 02:00' --budget 1h
run_sh "faketime '2026-02-21 03:00' verify --repo repo --trust key.pub --oldest 1 --json | grep -v -e milliseconds -e bytes"

echo "-- one that is damaged was read, and is not looked at for ever; it is still told"
flip "repo/${names[2]}.tar.gz" 1000
v '2026-02-22 01:00' --oldest 1
v '2026-02-22 02:00' --oldest 1
v '2026-02-22 03:00' --oldest 1 --quiet
on '2026-02-22 04:00' manifest list --repo repo --trust key.pub
run_sh "faketime '2026-02-22 04:00' manifest list --repo repo --trust key.pub --json | jq '.reads, .backups[1].verified, .backups[1].read'"
flip "repo/${names[2]}.tar.gz" 1000

echo "-- a check from the future, by a clock that ran ahead, is none"
v '2027-01-01 01:00' --oldest 1
v '2026-02-23 01:00' --oldest 2

echo "-- another series takes part, unless one is named"
quiet faketime '2026-02-23 02:00' backup --source data --repo repo --key key --series other
v '2026-02-23 03:00' --oldest 1
v '2026-02-23 04:00' --oldest 1 --series other

echo "-- what nobody vouches for has no turn, and is told"
quiet faketime '2026-02-23 05:00' backup --source data --repo repo --trust key.pub --unsigned --series plain
v '2026-02-24 01:00' --oldest 1
v '2026-02-24 02:00' --oldest 1 --series plain
v '2026-02-24 03:00' --oldest 1 --series plain --untrusted
on '2026-02-24 04:00' verify --repo repo --untrusted --oldest 1 --series other
rm repo/plain-*

echo "-- no memory, no check: no catalog, a damaged one, no right to write, a writer"
mv repo/catalog.sqlite3 kept
v '2026-02-25 01:00' --oldest 1
echo garbage >repo/catalog.sqlite3
v '2026-02-25 01:00' --budget 5GB
mv kept repo/catalog.sqlite3
cp repo/catalog.sqlite3 kept
sqlite3 repo/catalog.sqlite3 'UPDATE verification SET level = 9'
v '2026-02-25 01:00' --oldest 1
mv kept repo/catalog.sqlite3
chmod 755 repo
chmod a+r key.pub repo/*
run as_user faketime -f '2026-02-25 01:00:00' verify --repo repo --trust key.pub --oldest 1
cat >hold.py <<'PYTHON'
import fcntl, os, struct, time
fd = os.open("repo/.lock", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("held", "w").close()
while not os.path.exists("go"):
    time.sleep(0.05)
PYTHON
python3 hold.py &
holder=$!
trap 'touch go; wait $holder' EXIT
while [ ! -e held ]; do sleep 0.05; done
v '2026-02-25 01:00' --oldest 1
touch go
wait $holder
run_sh "sqlite3 repo/catalog.sqlite3 \"SELECT count(*) FROM verification WHERE at >= strftime('%s', '2026-02-25') AND at < strftime('%s', '2026-12-31')\""

echo "-- what cannot be asked for"
v '2026-02-26' --oldest 0
v '2026-02-26' --oldest 1 --all
v '2026-02-26' --budget 5GB "${names[1]}"
v '2026-02-26' --budget 1G --level quick
for budget in 5 10min 1.5GB 5gb 0s 0K 5B -1h 99999999T; do
	v '2026-02-26' --budget $budget
done
