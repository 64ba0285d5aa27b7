#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# timeout: 900
# The benchmark runs through at small sizes: each row that can be measured here has
# figures of us and of each peer that is installed, each goal a verdict; rows that are
# measured again replace themselves alone; and nothing stays mounted or lying about.
# What the figures are is not asked.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

[ "$TEST_VARIANT" = plain ] || skip "the benchmark measures the plain variant"
need python3
make -s -C "$TOP" bench-tools WERROR= >built 2>&1 || fail "make bench-tools: $(tail -n 3 built)"

mkdir disk
run_bench() {
	"$TOP/bench/run" --quick --disk "$PWD/disk" --out "$PWD/out" "$@" >printed 2>errors || fail "bench/run: $(tail -n 5 errors)"
}

# figures ROW CONTENDER: the line has times, processor seconds, and memory.
figures() {
	awk -F '\t' -v row="$1" -v who="$2" '
		$1 "/" $2 == row && $3 == who && $5 > 0 && $6 >= 0 && $7 > 500 && $10 == "" { found = 1 }
		END { exit !found }' out/results.tsv || fail "$1: no figures of $2: $(grep -F "${1#*/}" out/results.tsv)"
}

# absent ROW REASON
absent() {
	awk -F '\t' -v row="$1" '$1 "/" $2 == row { print $10 }' out/results.tsv | grep -q "$2" ||
		fail "$1: is not said to be absent for: $2"
}

# Peers that are not there are left out, and named.
peers=(tar)
for p in pigz restic borg; do
	if command -v "$p" >/dev/null; then
		peers+=("$p")
	else
		left_out=$p
	fi
done

run_bench
[ -z "$(ls -A disk)" ] || fail "left on the disk: $(ls disk)"
! grep -F tarseal-bench /proc/self/mounts || fail "something stayed mounted"
[ -z "${left_out-}" ] || grep -q "^Left out:.*$left_out" out/results.md || fail "$left_out is not said to be left out"

places=(disk)
if [ "$(id -u)" != 0 ]; then
	absent ram/first 'only root'
elif grep -q '^ram/first' errors; then
	places+=(ram)
fi
for place in "${places[@]}"; do
	for who in tarseal "${peers[@]}"; do
		for row in first restore one; do
			figures "$place/$row" "$who"
		done
	done
	figures "$place/verify" 'tarseal standard'
	figures "$place/verify" 'tarseal deep'
	figures "$place/verify" tar
	figures "$place/nightly" tarseal
	figures "$place/changed" tarseal
done
figures disk/growth-bytes-8000000-nightly tarseal
if [ "${#places[@]}" = 2 ]; then
	figures ram/million-first tarseal
	figures ram/million-restore tarseal
	figures ram/catalog 'tarseal history'
	figures ram/memory-large 'tarseal verify --level deep'
	figures ram/memory-flat 'tarseal restore'
	figures ram/volume-changed tarseal
	figures ram/growth-files-1000-first tarseal
fi

# Each goal of the design: met, not met, or why it cannot be said.
goals=$(sed -n '/^## Goals/,/^## Growth/p' out/results.md | grep -c '^| .* | at ')
[ "$goals" -ge 30 ] || fail "$goals goals"
verdicts=$(sed -n '/^## Goals/,/^## Growth/p' out/results.md | grep -cE '^\| .* (met|n/a: )')
[ "$verdicts" = "$goals" ] || fail "$verdicts verdicts on $goals goals"
for f in bars growth; do
	python3 -c 'import sys, xml.dom.minidom as d; d.parse(sys.argv[1])' "out/$f.svg"
done

# One row again: the others stay as they were, and so does the whole with --report.
grep -v '^disk[[:space:]]verify' out/results.tsv >before
run_bench --place disk verify
figures disk/verify 'tarseal deep'
grep -v '^disk[[:space:]]verify' out/results.tsv >after
cmp before after
cp out/results.md page
run_bench --report
cmp page out/results.md

# Other sizes do not get into the same table.
run_bench --place disk --set system_files=300 verify
! grep -q '^disk[[:space:]]restore' out/results.tsv || fail "figures of two sizes stand in one table"
expect 1 "$TOP/bench/run" --quick --out "$PWD/out" no-such-row
