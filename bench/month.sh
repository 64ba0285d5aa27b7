#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# month: what thirty nights take on a volume where they share blocks.
#
#   bench/month.sh [TREE [NIGHTS [SCRATCH]]]      (root; xfsprogs, e2fsprogs, faketime)
#
# A copy of TREE lies on ext4, the repository on XFS, both on loop devices in SCRATCH.  Each night one
# file in a hundred gets a line more: none, files beside each other, or any.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=${1:-/usr/include}
nights=${2:-30}
scratch=$(mktemp -d -p "${3:-${TMPDIR:-/tmp}}")
export PATH=$PWD/build/plain/bin:$PATH NO_FAKE_STAT=1 LC_ALL=C
top=$PWD
cd "$scratch"
trap 'umount source repos 2>/dev/null; rm -rf "$scratch"' EXIT
for v in source repos; do
	mkdir $v
	truncate -s 20G $v.img
done
mkfs.ext4 -q source.img
mkfs.xfs -q repos.img
mount -o loop source.img source
mount -o loop repos.img repos
manifest keygen --key key --public key.pub >/dev/null

# changed HOW NIGHT: the paths.
changed() {
	local n=$(($(wc -l <files) / 100)) from
	case $1 in
	none) ;;
	beside) from=$(($2 * 7919 % ($(wc -l <files) - n) + 1)) && sed -n "$from,$((from + n - 1))p" files ;;
	any) shuf -n $n --random-source=<(yes "$2") files ;;
	esac
}
in_use() {
	sync -f repos
	df -k --output=used repos | tail -n 1
}

# month HOW [OPTION...]
month() {
	local how=$1 n before sum=0 took f
	rm -rf source/tree repos/repo
	cp -a "$tree" source/tree
	find source/tree -type f | sort >files
	mkdir repos/repo
	sleep 2 # XFS frees what was removed in the background
	before=$(in_use)
	for ((n = 1; n <= nights; n++)); do
		changed "$how" $n | while IFS= read -r f; do echo "# $n" >>"$f"; done
		(
			# shellcheck source=tests/lib.sh
			. "$top/tests/lib.sh" # its faketime
			faketime -f "+${n}d" backup --source source/tree --repo repos/repo --key key -q "${@:2}"
		)
	done
	for f in repos/repo/*.tar.gz; do
		sum=$((sum + $(stat -c %s "$f") / 1024))
	done
	took=$(($(in_use) - before))
	printf '%-7s %-24s %6d files: archives %8d KiB, on disk %8d KiB, %3d %%\n' "$how" "${*:2}" \
	    "$(wc -l <files)" $sum $took $((took * 100 / sum))
}
month none
month beside
month any
month beside --physical-every 1
