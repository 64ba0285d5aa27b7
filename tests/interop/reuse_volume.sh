#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Volumes: attached again under another device number; changed behind the file system's back; file
# systems whose ctimes say nothing; and pages that are stored into while nobody looks.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need faketime jq rsync python3 strace mkfs.ext4 debugfs losetup
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

truncate -s 64M image other-image
quiet mkfs.ext4 -q -b 4096 -E nodiscard image
mkdir data
mount -o loop image data 2>/dev/null || skip "no right to mount"
busy=
trap 'umount data 2>/dev/null || :; [ -z "$busy" ] || losetup -d "$busy"' EXIT
rmdir data/lost+found
for i in $(seq 100); do
	noise 40000 "$i" >"data/f$i"
done
noise 3500000 1 >data/large
make_repo repo
NIGHT=0
night repo
members=$(told members)

# files_opened TIME OPTION...: how many small files such a backup opens, by that clock.
files_opened() {
	later "$1" strace -f -qq -o trace -e trace=openat \
	    backup --repo repo --key key --json "${@:2}" >told 2>err || fail "$(cat err)"
	{ grep -o '"f[0-9]*", O_RDONLY' trace || :; } | sort -u | wc -l
}

# ---- another device number ----

before=$(stat -c %d data)
device=$(findmnt -n -o SOURCE data)
umount data
losetup "$device" other-image 2>/dev/null && busy=$device
mount -o loop image data
[ "$(stat -c %d data)" != "$before" ] || fail "the device number is still $before"
n=$(files_opened 2h --source data)
[ "$n" -lt 40 ] || fail "attached again, $n files were opened"
[ "$(jq .members_copied told)" = "$members" ] || fail "attached again: $(jq -c '[.members, .members_copied]' told)"
NIGHT=2
night repo
packed 0

# ---- changed without a trace ----

# overwrite FILE BLOCK: that block of it, on the volume itself, by zeros.
overwrite() {
	local block
	umount data
	block=$(debugfs -R "bmap $1 $2" image 2>/dev/null)
	[ "$block" -gt 0 ] || fail "block $2 of $1 is at $block"
	dd if=/dev/zero of=image bs=4096 seek="$block" count=1 conv=notrunc status=none
	mount -o loop image data
}
[ "$(stat -f -c %s data)" = 4096 ] || fail "blocks of $(stat -f -c %s data) bytes"
overwrite f50 1
overwrite large 600
[ "$(stat -c %s data/f50)" = 40000 ] || fail "f50 was hurt beyond its content"

# Until its turn comes, the old bytes are copied; so the backup is not data then.
: >found
for _ in $(seq 30); do
	NIGHT=$((NIGHT + 1))
	later "${NIGHT}h" backup --source data --repo repo --key key -q --keep-last 3 2>err || fail "$(cat err)"
	sed 's/^backup: warning: //; s/: changed without a trace: .*/ was found/' err >>found
done
[ "$(sort found)" = "f50 was found
large was found" ] || fail "in thirty nights: $(cat found)"
night repo
packed 0
silent

# By somebody who sets the times back: as far as that goes, it is the same.
printf 'WICKED' | dd of=data/f60 bs=1 seek=100 conv=notrunc status=none
crtime=$(later 0h stat -c %Z data/f61)
stat -c '%.9Z %.9Y' data/f61 >wanted
touch -d "@$(cut -d' ' -f2 wanted)" data/f60
sync -f data
umount data
night_key=$NIGHT
debugfs -w -R "set_inode_field f60 ctime @$crtime" image >/dev/null 2>&1
mount -o loop image data
NIGHT=$night_key
night repo
packed 1 "another ctime than it had is seen, whatever else is set back"

# ---- ctimes that say nothing ----

mkdir other
mount -t tmpfs tmpfs other
trap 'umount other data 2>/dev/null || :; [ -z "$busy" ] || losetup -d "$busy"' EXIT
cp -a data/. other
for _ in 1 2; do
	NIGHT=$((NIGHT + 1))
	n=$(files_opened "${NIGHT}h" --source other --series other)
	[ "$n" = 100 ] || fail "on tmpfs only $n files were opened"
done
[ "$(jq .members_copied told)" = "$members" ] || fail "on tmpfs: $(jq -c '[.members, .members_copied]' told)"
[ "$(zcat "repo/$(jq -r .name told).manifest.gz" | grep -a '^#@ [fhc] ' | cut -d' ' -f8 | sort -u)" = - ] ||
    fail "on tmpfs there are stat keys"

# A mount within the source is judged by itself: the source's own members still count.
umount other
mkdir data/inner
night repo
mount -t tmpfs tmpfs data/inner
trap 'umount data/inner other data 2>/dev/null || :; [ -z "$busy" ] || losetup -d "$busy"' EXIT
noise 1000 5 >data/inner/f200
NIGHT=$((NIGHT + 1))
later "${NIGHT}h" backup --source data --repo repo --key key -q
NIGHT=$((NIGHT + 1))
n=$(files_opened "${NIGHT}h" --source data)
[ "$n" -lt 60 ] || fail "with a tmpfs inside, $n files were opened"
grep -q '"f200", O_RDONLY' trace || fail "what is on the tmpfs was not read"
umount data/inner
rmdir data/inner

# ---- a page that is dirty already ----

night repo
cat >store.py <<'EOF_PY'
import mmap, os, subprocess, sys
with open("data/f70", "r+b") as f:
    m = mmap.mmap(f.fileno(), 0)
    m[10:15] = b"first"
    before = os.stat("data/f70").st_ctime_ns
    # By the right clock: the ctime is fresh.
    subprocess.run(["backup", "--source", "data", "--repo", "repo", "--key", "key", "-q"], check=True)
    m[20:26] = b"second"
    if os.stat("data/f70").st_ctime_ns != before:
        sys.exit("the second store moved ctime: this proves nothing")
EOF_PY
python3 store.py 2>err || fail "$(cat err)"
NIGHT=$((NIGHT + 40))
night repo
packed 1 "stored into a dirty page"
