#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Thirty nights in each of which one file in a hundred changes: with blocks shared they take less
# than a third of what the archives are long.
# long
# timeout: 600
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need faketime mkfs.xfs mkfs.btrfs
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export NO_FAKE_STAT=1 # the ctimes are to be older than the night
make_key
volume ext4 100M mkfs.ext4 -q
mkdir ext4/data
for i in $(seq 0 199); do
	mkdir -p ext4/data/$((i / 20))
	noise 100000 "$i" >ext4/data/$((i / 20))/"$i"
done

month() {
	local v=$1 n i before took long=0
	volume "$@"
	mkdir "$v/repo"
	before=$(used "$v")
	for n in $(seq 30); do
		for i in $((n * 7 % 200)) $(((n * 7 + 101) % 200)); do
			noise 100000 $((1000 * n + i)) >ext4/data/$((i / 20))/$i
		done
		quiet faketime -f "+${n}d" backup --source ext4/data --repo "$v/repo" --key key
		long=$((long + $(stat -c %s "$(newest "$v/repo").tar.gz") / 1024))
	done
	took=$(($(used "$v") - before))
	[ $((took * 3)) -lt "$long" ] || fail "$v: $took KiB for archives of $long"
	quiet verify --all --repo "$v/repo" --trust key.pub
	echo "$v: $took KiB of $long" >&2
}
month xfs 400M mkfs.xfs -q
month btrfs 400M mkfs.btrfs -q
