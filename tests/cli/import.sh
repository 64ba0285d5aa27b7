#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Archives that a CronJob left become backups of the series, before those that are there.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need busybox jq
make_repo repo
export TARSEAL_TRUST=key.pub TARSEAL_TIMEZONE=Europe/Kyiv

# What packs to how many bytes is the packer's business.
import() { run_sh "manifest import $* 2>&1 | sed -E 's/\([0-9.]+[KMG]?\)/(SIZE)/g'; exit \${PIPESTATUS[0]}"; }
sealed() {
	for s in "$1"/*.seal; do
		echo "$(sed -n 's/^# sequence: //p' "$s") $(basename "$s" .seal)" \
		    "holds $(grep -c '^# holds: ' "$s"), $(sed -n 's/^# source: //p' "$s" |
			sed -E 's/^(import of .{30}).*/\1/')"
	done | sort -n
}
# old DAY TEXT: the archive that the script would have made then.
mkdir -p data/logs
old() {
	echo "$2" >data/config.json
	echo "$2" >>data/logs/app.log
	touch -d "2026-01-$1" data/config.json data/logs/app.log data/logs data
	busybox tar -czf "repo/autolab-backup-202601${1}_000005.tar.gz" -C data .
}
old 10 one
old 11 one
old 12 two
touch -d '2026-01-10' data/config.json

echo "-- a dry run reads, and writes nothing"
import --repo repo --dry-run
run ls repo

echo "-- the first backup of the series leaves numbers for them"
backup_tree data repo
run sealed repo

echo "-- one of them, then all: the oldest first, in their places; none twice"
import --repo repo --key key autolab-backup-20260111_000005.tar.gz
import --repo repo --key key
run sealed repo
import --repo repo --key key
run verify --repo repo --all --level deep

echo "-- they answer like any other, and retention counts them"
run_sh "manifest list --repo repo --null | tr '\\0' '\\n'"
run manifest history config.json --repo repo
run manifest diff autolab-backup-20260111_000005-2 autolab-backup-20260112_000005-2 --repo repo

run_sh "manifest prune --repo repo --keep-last 2 --dry-run | sed -E 's, [0-9.]+[KMG]? +(would|stays), \\1,'"

echo "-- the original goes when its backup was read back, also one that was imported before"
import --repo repo --key key --remove-original autolab-backup-20260110_000005

echo "-- but never when the backup is damaged: that is told, and the others go on"
flip repo/autolab-backup-20260111_000005-2.tar.gz 30
import --repo repo --key key --remove-original autolab-backup-20260111_000005 autolab-backup-20260112_000005
run ls repo
flip repo/autolab-backup-20260111_000005-2.tar.gz 30
import --repo repo --key key --remove-original autolab-backup-20260111_000005

echo "-- which is the end of the numbers: the next one has none, and is told"
old 13 three
import --repo repo --key key --remove-original
run ls repo
sleep 1 # another second, another name
backup_tree data repo
run sealed repo

echo "-- as JSON"
cp -p repo/autolab-backup-20260110_000005-2.tar.gz repo/once.tar.gz
touch -d '2026-02-03 04:05:06.5 UTC' repo/once.tar.gz
echo damaged >repo/other.tar.gz
run_sh 'manifest import --repo repo --key key --series other --json once other >json'
run jq -c 'del(.archives[].archive_sha256, .archives[].archive_size, .archives[].bytes)' json
run ls repo

echo "-- one that is not whole is left as it is, and the others go on"
rm repo/other.tar.gz
head -c 100 repo/once.tar.gz >repo/x-20260101_000000.tar.gz
mv repo/once.tar.gz repo/x-20260102_000000.tar.gz
import --repo repo --key key --series x
run_sh 'ls repo | grep ^x'

ln -s x-20260102_000000.tar.gz repo/x-20260103_000000.tar.gz
import --repo repo --key key --series x
run manifest import --repo repo --key key x-20260103_000000
rm repo/x-20260103_000000.tar.gz

echo "-- without a stamp that is a time, the file's counts"
cp repo/x-20260102_000000.tar.gz repo/y-20261340_000000.tar.gz
touch -d '2026-03-04 05:06:07 UTC' repo/y-20261340_000000.tar.gz
import --repo repo --key key y-20261340_000000

echo "-- what cannot be"
run manifest import --repo repo
run manifest import --key key
run manifest import --repo repo --key key --unsigned
run manifest import --repo repo --key key no-such
run manifest import --repo repo --key key autolab-backup-20260112_000005-2
run manifest import --repo repo --key key --series .x
run manifest import --repo repo --key key --timezone Nowhere/Nothing
run manifest import --repo nowhere --key key
import --repo repo --key key --series empty
cat >hold.py <<'PYTHON'
import fcntl, os, struct, sys
fd = os.open("repo/.lock", os.O_RDWR | os.O_CREAT, 0o600)
os.set_inheritable(fd, True)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
os.execvp(sys.argv[1], sys.argv[1:])
PYTHON
run python3 hold.py manifest import --repo repo --key key

echo "-- no number left"
mkdir full
backup_tree data full --series s
cp repo/x-20260102_000000.tar.gz full/s-20260102_000000.tar.gz
run manifest import --repo full --key key --series s
import --repo full --key key s-20260102_000000 --series before-s

echo "-- without a signature, and where others signed"
run manifest import --repo full --unsigned s-20260102_000000 --series before-s
mkdir plain
cp repo/x-20260102_000000.tar.gz plain/s-20260102_000000.tar.gz
import --repo plain --unsigned --series s
make_key new
cp repo/y-20261340_000000.tar.gz full/before-s-20260103_000000.tar.gz
touch -r full/s-20260102_000000.tar.gz full/before-s-20260103_000000.tar.gz
printf x >>data/config.json
busybox tar -czf full/before-s-20260103_000000.tar.gz -C data .
run env -u TARSEAL_TRUST manifest import --repo full --key new --series before-s
import --repo full --key new --series before-s
cat key.pub new.pub >both.pub
run verify --repo full --trust both.pub --all

echo "-- where nobody names a zone"
import_here() { env -u TARSEAL_TIMEZONE -u TZ manifest import "$@" 2>&1 | grep -i "zone\|local time"; }
mkdir nowhere
busybox tar -czf nowhere/s-20260103_000000.tar.gz -C data .
run import_here --repo nowhere --series s --dry-run
run import_here --repo nowhere --series s --dry-run --json
