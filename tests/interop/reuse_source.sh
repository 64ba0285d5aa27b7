#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# timeout: 600
# Which members are copied after each kind of change in the source, and that the backup is right.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime jq rsync python3 setfattr
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
need_ctimes

# Directories whose files fill some members each, so that a change here leaves those there alone.
tree() {
	local d i
	for d in a b c d; do
		mkdir -p "data/$d"
		for i in $(seq 40); do
			noise 50000 "$i$(printf %d "'$d")" >"data/$d/$i"
		done
	done
	noise 3500000 1 >data/d/large
}
tree
make_repo repo
night repo
members=$(told members)
[ "$members" -gt 10 ] || fail "only $members members"
[ "$(told copied_from)" = null ] || fail "the first night copied from $(told copied_from)"
first=$(told name)

night repo
packed 0 "nothing changed"
[ "$(told copied_from)" = "$first" ] || fail "copied from $(told copied_from)"
[ "$(told bytes_copied)" -gt 11000000 ] || fail "$(told bytes_copied) bytes copied"
silent

# some MAX WHY: a few members were packed anew, at least one.
some() {
	local n=$(($(told members) - $(told members_copied)))
	if [ "$n" -lt 1 ] || [ "$n" -gt "$1" ]; then
		fail "$2: $n members were packed, expected 1 to $1"
	fi
	silent
	night repo
	packed 0 "the night after: $2"
}

# A directory's own entry changes with its names, so its member goes along.
noise 50000 777 >data/b/7
night repo
some 1 "a write in place"
echo more >>data/c/9
night repo
some 2 "an append"
mv data/a/3 data/a/renamed
night repo
some 4 "a rename"
mv data/a/4 data/c/4-moved
night repo
some 7 "a move to another directory"
rm data/a/8
night repo
some 3 "a deletion"
echo new >data/d/00
night repo
some 3 "an insertion"
mkdir data/bb
for i in $(seq 200); do
	echo "$i" >"data/bb/$i"
done
night repo
some 8 "many insertions"
rm -r data/bb
night repo
some 3 "a directory removed"

setfattr -n user.k -v v data/c/20
night repo
some 1 "an attribute"
setfattr -x user.k data/c/20
night repo
some 1 "an attribute less"
chmod 600 data/c/20
night repo
some 1 "a mode"
if [ "$(id -u)" = 0 ]; then
	chown 5:5 data/c/20
	night repo
	some 1 "an owner"
	chown 0:0 data/c/20
	night repo
	some 1 "the owner it had"
fi
before=$(stat -c %y data/c/21)
printf x | dd of=data/c/21 bs=1 seek=77 conv=notrunc status=none
touch -d "$before" data/c/21
night repo
some 1 "the same size and mtime"
touch -d 1999-01-01 data/c/21
night repo
some 1 "mtime alone"

# All ctimes: the content is found to be the same, and copied after all.
chown -R -h "$(id -u):$(id -g)" data
night repo
packed 0 "all ctimes touched"
night repo
packed 0

# Links: the first name holds the data.
ln data/c/22 data/d/zz-link
night repo
some 4 "a further name"
ln data/c/22 data/a/0-first
night repo
some 7 "a name before the first"
rm data/a/0-first
night repo
some 7 "the first name is gone"
rm data/c/22
night repo
some 5 "the next is alone"
ln data/d/large data/a/0-large
night repo
some 10 "a large file with a name before its own"
rm data/a/0-large
night repo
night repo
packed 0

# Large files, in chunks of 1 MiB.
noise 10 5 | dd of=data/d/large bs=1 seek=1500000 conv=notrunc status=none
night repo
packed 2 "a large file changed in the middle: header and chunk"
echo more >>data/d/large
night repo
packed 2 "it grew: header and last chunk"
truncate -s 2000000 data/d/large
night repo
packed 2 "it shrank"
truncate -s 1000000 data/d/large
night repo
some 2 "it became small"
noise 2500000 8 >data/d/large
night repo
some 5 "it became large"
rm data/d/large
mkdir data/d/large
echo inside >data/d/large/file
night repo
some 4 "a directory in its place"

# Holes of more than 64 MiB, which are stored as such.
truncate -s 80M data/c/sparse
printf 'data' | dd of=data/c/sparse bs=1 seek=70000000 conv=notrunc status=none
night repo
some 5 "a sparse file"
[ "$(told needs_gnu_sparse)" = true ] || fail "it is not sparse"
printf 'more' | dd of=data/c/sparse bs=1 seek=5000000 conv=notrunc status=none
night repo
some 3 "data in a hole"
rm data/c/sparse
night repo
night repo
packed 0

# Sockets are noted, fifos stored; both beside files that stay.
# shellcheck disable=SC2016 # python
sock() { python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"; }
export RSYNC_EXTRA='--exclude=*.sock'
sock data/c/30.sock
night repo
some 3 "a socket"
[ "$(told skipped)" = 1 ] || fail "skipped: $(told skipped)"
night repo
packed 0 "a socket stays"
[ "$(told skipped)" = 1 ] || fail "a socket that stays is not counted: $(told skipped)"
[ "$(zcat "$(newest repo).manifest.gz" | grep -c '30.sock')" = 1 ] || fail "a socket that stays is not noted"
rm data/c/30.sock
night repo
some 3 "a socket is gone"
mkfifo data/c/31.fifo
night repo
night repo
packed 0

# What is left out.
night repo --exclude 'nothing'
packed 0 "a pattern that matches nothing"
RSYNC_EXTRA='--exclude=/a/1*' night repo --exclude 'a/1*'
[ "$(told members_copied)" -gt $((members / 2)) ] || fail "with a pattern: $(told members_copied)"
RSYNC_EXTRA='--exclude=/a/1*' night repo --exclude 'a/1*'
packed 0 "the same pattern"
night repo

# Ctimes that are not a minute old vouch for nothing, so nobody believes them the night after.
NIGHT=0
chown -R -h "$(id -u):$(id -g)" data
fresh=$(later 30s backup --json --source data --repo repo --key key --series young)
[ "$(jq .copied_from <<<"$fresh")" = null ] || fail "copied from another series"
young() {
	later "$1" strace -f -e trace=openat -o opened backup --json --source data --repo repo --key key --series young
}
! command -v strace >/dev/null || ! strace -o /dev/null -e trace=none true 2>/dev/null || {
	young 40s >told
	[ "$(grep -c '"[0-9]*", O_RDONLY' opened)" -ge 150 ] || fail "fresh ctimes were believed: $(cat opened)"
	[ "$(jq .members_copied told)" = "$(jq .members told)" ] || fail "not copied by content: $(cat told)"
	young 2h >told
	young 3h >told
	[ "$(grep -c '"[0-9]*", O_RDONLY' opened)" -lt 40 ] || fail "old ctimes were not believed"
}
