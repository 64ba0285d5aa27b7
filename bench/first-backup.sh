#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# first-backup.sh [TREE [ROUNDS [SCRATCH]]]
#
# A first backup of TREE (default: a gigabyte copied from /usr/share and /usr/lib)
# against `tar czf` of it: warm cache, interleaved, medians of ROUNDS (3).  backup
# syncs what it writes; tar is followed by a sync of its archive.  Seconds of
# processor are told as well: on a busy machine they are the steadier figure.
# SCRATCH (default: $TMPDIR or /tmp) needs room for the tree and two archives.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/build/plain/bin:$PATH LC_ALL=C.UTF-8
tree=${1-}
rounds=${2:-3}
scratch=$(mktemp -d "${3:-${TMPDIR:-/tmp}}/tarseal-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/times"

# Files in a fixed order until there is a gigabyte of them.
system_tree() {
	find /usr/share /usr/lib -xdev -type f -printf '%s %p\n' | LC_ALL=C sort -r -k 2 |
	    awk '{ sum += $1 } sum < 1e9 { sub(/^[0-9]+ \//, ""); print }' >"$scratch/list"
	tar -cf - -C / --files-from "$scratch/list" | tar -xf - -C "$1"
}

run_backup() {
	backup --source "$tree" --repo "$scratch/backup" --key "$scratch/key" --quiet
}

run_tar() {
	tar -czf "$scratch/tar/tree.tar.gz" -C "$tree" .
	sync "$scratch/tar/tree.tar.gz"
}

# round NAME: once, into a fresh directory; a line of times/NAME: wall, processor, bytes.
round() {
	local TIMEFORMAT='%R %U %S' archives
	mkdir "$scratch/$1"
	{ time "run_$1" 2>"$scratch/err"; } 2>"$scratch/time" || {
		cat "$scratch/err" >&2
		exit 1
	}
	archives=("$scratch/$1"/*.tar.gz)
	awk -v bytes="$(stat -c %s "${archives[0]}")" '{ print $1, $2 + $3, bytes }' "$scratch/time" |
	    tee -a "$scratch/times/$1" | sed "s/^/  $1: /"
	rm -r "${scratch:?}/$1"
}

# median NAME FIELD
median() {
	cut -d' ' -f"$2" "$scratch/times/$1" | sort -n |
	    awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}

if [ -z "$tree" ]; then
	tree=$scratch/tree
	mkdir "$tree"
	system_tree "$tree"
fi
manifest keygen --key "$scratch/key" --public "$scratch/key.pub" >/dev/null
tar -cf - -C "$tree" . | cat >/dev/null # into the cache
echo "$(find "$tree" | wc -l) entries, $(du -s --apparent-size --block-size=1M "$tree" | cut -f1) MiB;" \
    "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg)"
echo "seconds, seconds of processor, bytes of archive:"
for ((i = 0; i < rounds; i++)); do
	round tar
	round backup
done
for f in 1 2 3; do
	echo "$(median tar $f) $(median backup $f)"
done | awk '
	BEGIN { split("seconds,of processor,bytes", what, ",") }
	{ printf "median %s: tar czf %s, backup %s: %.2f times\n", what[NR], $1, $2, $1 / $2 }'
