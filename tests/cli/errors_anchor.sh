#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify --anchor FILE, where FILE is not what it should be: said in one line, and nothing changed.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need python3
mkdir data keep
echo one >data/file
make_repo repo
backup_tree data repo
export TARSEAL_VERIFY_LEVEL=quick
v() { run verify --repo repo --trust key.pub --anchor "$@"; }

echo "-- in the repository, however it is written"
v repo/anchor
mkdir -p repo/below/it
v repo/below/it/anchor
v repo/../keep/../repo/anchor
ln -s "$PWD/repo/below" shortcut
v shortcut/anchor
ln -s "$PWD/repo/below/anchor" keep/link
touch repo/below/anchor
v keep/link
[ ! -s repo/below/anchor ] || fail "it was written to"
rm -r repo/below keep/link shortcut
[ -z "$(find repo -name '*anchor*')" ] || fail "something was made in the repository"

echo "-- no place for a file"
v nowhere/anchor
v keep
v keep/
v data/file/anchor
ln -s nothing keep/dangling
v keep/dangling
rm keep/dangling
mkfifo keep/fifo
v keep/fifo
rm keep/fifo
v ''
v keep/anchor --anchor keep/other
v keep/anchor --untrusted
[ -z "$(ls -A keep)" ] || fail "something was made: $(ls -A keep)"

echo "-- not an anchor, and none that this program may write over"
v keep/anchor --quiet
good=$(<keep/anchor)
line=${good#*$'\n'}
bad() {
	cp keep/anchor before
	v keep/anchor
	cmp before keep/anchor
}
: >keep/anchor
bad
cp data/file keep/anchor
bad
echo '# tarseal-anchor 2' >keep/anchor
bad
printf '# tarseal-anchor 1\n%s' "$line" >keep/anchor
bad
printf '# tarseal-anchor 1\n%s\n%s\n' "$line" "$line" >keep/anchor
bad
printf '# tarseal-anchor 1\n%s\n' "${line/ 1 / 01 }" >keep/anchor
bad
printf '# tarseal-anchor 1\n%s \n' "$line" >keep/anchor
bad
printf '# tarseal-anchor 1\n%s\n' "${line%?}" >keep/anchor
bad
printf '# tarseal-anchor 1\n%s\n' "${line/T??:/ 12:}" >keep/anchor
bad
printf '# tarseal-anchor 1\n\n' >keep/anchor
bad
head -c 5000000 /dev/zero >keep/anchor
bad
printf '%s\n' "$good" >keep/anchor
v keep/anchor

echo "-- without the right to read it, or to write beside it"
mkdir theirs
cp keep/anchor theirs/anchor
chmod 777 . repo
chmod 644 key.pub repo/*
chmod 000 theirs
run as_user verify --repo repo --trust key.pub --anchor theirs/anchor
chmod 755 theirs
chmod 000 theirs/anchor
chmod 555 theirs
run as_user verify --repo repo --trust key.pub --anchor theirs/anchor
chmod 644 theirs/anchor
run as_user verify --repo repo --trust key.pub --anchor theirs/anchor

echo "-- in use by another verify; one that was killed is in nobody's way"
cat >holder.py <<'END'
import fcntl, struct, sys
f = open("keep/.anchor.tarseal.new", "w+b")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
print("held", flush=True)
sys.stdin.read()
END
mkfifo go ready
python3 holder.py <go >ready &
exec 3>go
read -r _ <ready
v keep/anchor
exec 3>&-
wait
echo "half of a line" >keep/.anchor.tarseal.new
v keep/anchor
run ls -A keep

echo "-- who reads it still may"
chmod 640 keep/anchor
v keep/anchor
run stat -c %a keep/anchor
ln -s keep/anchor link
v link
run readlink link

if [ "$(id -u)" = 0 ] && mkdir small && mount -t tmpfs -o size=8k,nr_inodes=8 none small 2>/dev/null; then
	cp keep/anchor small/anchor
	head -c 4096 /dev/zero >small/full
	verify --repo repo --trust key.pub --anchor small/anchor >full.out 2>full.err &&
	    fail "written to a full disk"
	grep -q 'verify: anchor small/anchor: it cannot be written: .*No space left' full.err ||
	    fail "$(cat full.err)"
	cmp keep/anchor small/anchor || fail "the anchor is hurt"
	[ "$(find small -type f | wc -l)" = 2 ] || fail "left: $(ls -A small)"
	mount -o remount,ro small
	verify --repo repo --trust key.pub --anchor small/anchor >full.out 2>full.err &&
	    fail "written to a read-only disk"
	grep -q 'verify: anchor small/anchor: .*Read-only' full.err || fail "$(cat full.err)"
	umount small
fi
