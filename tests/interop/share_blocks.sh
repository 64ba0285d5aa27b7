#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Nights that share blocks on XFS and btrfs: each archive is a plain tar.gz to all others, and
# holds the same as one that was made without; each can be checked, restored and pruned by itself.
# long
# timeout: 600
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need faketime jq filefrag busybox bsdtar python3 mkfs.xfs mkfs.btrfs
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export NO_FAKE_STAT=1 # the ctimes are to be older than the night
make_key

# night N REPO [OPTION...]: what it says in JSON is left in $CASE_BASE/stdout.
night() {
	local n=$1 repo=$2
	shift 2
	expect 0 faketime -f "+${n}d" backup --source "$data" --repo "$repo" --key key --json "$@"
}
said() { jq -r ".$1" "$CASE_BASE/stdout"; }
shared() { [ "$(said bytes_shared)" -gt 0 ] || fail "$1: nothing is shared: $(cat "$CASE_BASE/stdout")"; }
unshared() { [ "$(said bytes_shared)" = 0 ] || fail "$1: $(said bytes_shared) bytes are shared"; }
well() { quiet verify --all --repo "$1" --trust key.pub --level deep; }
stream() { gzip -dc "$1" | sha256sum; }
# by_number N: the archive with that sequence.
by_number() { grep -lx "# sequence: $1" "$v/repo/"*.seal | sed 's/seal$/tar.gz/'; }

make_data() {
	local i
	mkdir -p "$data/sub" "$data/tiny"
	for i in 0 1 2 3 4 5 6 7 8 9; do
		noise 200000 "$i" >"$data/sub/file-$i"
	done
	for i in $(seq 300); do
		echo "$i" >"$data/tiny/$i"
	done
	noise 5000000 99 >"$data/large"
	ln "$data/large" "$data/large-link"
	ln -s large "$data/symlink"
	seq 1 1000 >"$data/log"
}

# One file, the middle of a large one, a log that grows, one that goes, one that comes.
edit() {
	local n=$1
	noise 200000 "$((100 + n))" >"$data/sub/file-$((n % 10))"
	noise 1000 "$n" | dd of="$data/large" bs=1000 seek=$((n * 100 + 1000)) conv=notrunc status=none
	seq 1 $((n * 100)) >>"$data/log"
	rm -f "$data/new-$((n - 1))"
	echo "$n" >"$data/new-$n"
}

# Each finds what is in the tree now.
others_read() {
	local archive=$1 how
	gzip -t "$archive"
	(cd "$data" && find . -mindepth 1 | sed 's/^..//' | sort) >want
	for how in 'tar -tzf %' 'busybox tar -tzf %' 'bsdtar -tf %' 'zcat % | tar -tf -' \
	    'python3 -c "import tarfile, sys; print(*tarfile.open(sys.argv[1]).getnames(), sep=chr(10))" %'; do
		bash -o pipefail -c "${how//%/$archive}" | sed 's|^\./||; s|/$||' | grep -vxE '\.?' | sort >list
		cmp -s list want || fail "$how: $(diff list want)"
	done
	for how in 'tar -xzf % -C out' 'busybox tar -xzf % -C out' 'zcat % | tar -xf - -C out' \
	    'bsdtar -xf % -C out'; do
		rm -rf out
		mkdir out
		bash -o pipefail -c "${how//%/$archive}"
		diff -r --no-dereference "$data" out >differs || fail "$how: $(cat differs)"
	done
}

nine_nights() {
	local n archive size
	rm -rf plain
	mkdir plain
	for n in 1 2 3 4 5 6 7 8 9; do
		edit $n
		night $n "$v/repo"
		case $n in
		1 | 7) unshared "night $n" ;;
		*) shared "night $n" ;;
		esac
		archive=$(newest "$v/repo").tar.gz
		size=$(stat -c %s "$archive")
		[ $((size % block)) = 0 ] || fail "an archive of $size bytes, and blocks of $block"
		others_read "$archive"
		night $n plain --reuse none
		[ "$(stream "$archive")" = "$(stream "$(newest plain).tar.gz")" ] ||
		    fail "night $n is another stream than without reuse"
	done
	well "$v/repo"
}

# The file system's own word on it.
seventh_is_a_copy_of_its_own() {
	local i
	[ "$(in_common "$(by_number 5)" "$(by_number 6)")" -gt 500 ] || fail "the sixth shares nothing"
	[ "$(in_common "$(by_number 7)" "$(by_number 9)")" -gt 500 ] || fail "the ninth shares nothing"
	for i in 1 2 3 4 5 6; do
		[ "$(in_common "$(by_number $i)" "$(by_number 7)")" = 0 ] || fail "the seventh shares with $i"
	done
}

one_file() {
	rm -rf restored
	quiet restore --repo "$v/repo" --trust key.pub --target restored sub/file-1 large
	cmp "$data/sub/file-1" restored/sub/file-1
	cmp "$data/large" restored/large
}

pruning_leaves_the_others() {
	quiet manifest prune --repo "$v/repo" --key key --keep-last 8
	[ -z "$(by_number 1)" ] || fail "the oldest is still there"
	well "$v/repo"
}

# Copied away and back: the first night there pads as it is there, and all goes on.
elsewhere_and_back() {
	local base=$v/repo
	rm -rf ext4/away
	mkdir ext4/away
	quiet manifest copy --repo "$base" --trust key.pub --new ext4/away
	cmp "$(newest "$base").tar.gz" "$(newest ext4/away).tar.gz"
	edit 10
	night 10 ext4/away
	unshared "on a volume that cannot"
	[ "$(said bytes_copied)" -gt 0 ] || fail "nothing is copied there"
	well ext4/away
	mkdir "$v/back"
	quiet manifest copy --repo ext4/away --trust key.pub --new "$v/back"
	night 11 "$v/back"
	edit 12
	night 12 "$v/back"
	shared "back again"
	well "$v/back"
}

# A repository from before, or one that was not to share.
from_the_second_night_on() {
	local n
	rm -rf "$v/back"
	mkdir "$v/old"
	for n in 1 2; do
		night $n "$v/old" --physical-every 1
		unshared "--physical-every 1"
		[ $(($(stat -c %s "$(newest "$v/old").tar.gz") % block)) != 0 ] || fail "it was padded"
	done
	[ "$(said bytes_copied)" -gt 0 ] || fail "nothing was copied"
	night 3 "$v/old"
	unshared "the first one that is padded"
	night 4 "$v/old" --physical-every 3
	shared "what was padded the night before"
	# Not any more; what is padded stays so.
	night 5 "$v/old" --physical-every 1
	unshared "--physical-every 1 again"
	night 6 "$v/old" --physical-every 3
	unshared "the sixth, one in three"
	well "$v/old"
	others_read "$(newest "$v/old").tar.gz"
	rm -r "$v/old"
}

# Blocks of another size: padded anew once.
into_larger_blocks() {
	local n
	v=small
	block=1024
	volume small 320M mkfs.xfs -q -b size=1024
	data=small/data
	make_data
	mkdir small/repo
	for n in 1 2; do
		edit $n
		night $n small/repo
		[ $(($(stat -c %s "$(newest small/repo).tar.gz") % 1024)) = 0 ] || fail "not padded to 1024"
	done
	shared "blocks of 1024"
	[ "$(in_common "$(by_number 1)" "$(by_number 2)")" -gt 2000 ] || fail "the two have little in common"
	v=large
	volume large 320M mkfs.xfs -q
	mkdir large/repo
	quiet manifest copy --repo small/repo --trust key.pub --new large/repo
	night 3 large/repo
	# But for members that happen to fit, as one in four does, where they come to stand well.
	[ "$(($(said bytes_shared) * 2))" -lt "$(stat -c %s "$(newest large/repo).tar.gz")" ] ||
	    fail "padded for other blocks: $(said bytes_shared) bytes are shared"
	[ $(($(stat -c %s "$(newest large/repo).tar.gz") % 4096)) = 0 ] || fail "not padded to 4096"
	night 4 large/repo
	shared "blocks of 4096"
	well large/repo
}

# XFS can be made without.
not_where_it_cannot_be() {
	volume none 320M mkfs.xfs -q -m reflink=0
	data=none/data
	make_data
	mkdir none/repo
	night 1 none/repo
	night 2 none/repo
	unshared "reflink=0"
	[ "$(said bytes_copied)" -gt 0 ] || fail "nothing is copied"
	[ $(($(stat -c %s "$(newest none/repo).tar.gz") % 4096)) != 0 ] || fail "padded for nothing"
}

# on NAME BLOCK SIZE MKFS...
on() {
	v=$1
	block=$2
	data=$v/data
	volume "$v" "${@:3}"
	make_data
	mkdir "$v/repo"
	nine_nights
	seventh_is_a_copy_of_its_own
	one_file
	pruning_leaves_the_others
	elsewhere_and_back
	from_the_second_night_on
}

volume ext4 200M mkfs.ext4 -q
on xfs 4096 400M mkfs.xfs -q
on btrfs 4096 400M mkfs.btrfs -q
into_larger_blocks
not_where_it_cannot_be
