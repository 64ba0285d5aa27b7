#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# catalog.sh [FILES [NIGHTS [SCRATCH]]]
#
# What the catalog costs over NIGHTS (30) backups of FILES (1000000) tiny files and a large one of a
# GiB: seconds, seconds of processor and peak memory of each command, and bytes that each night adds.  Night
# 2 changes nothing, night 3 one file, night 4 a hundred, all others 1 % at random.  SCRATCH (default:
# $TMPDIR or /tmp) needs 1.5 kB for each file at 30 nights.
set -euo pipefail
cd "$(dirname "$0")/.."
make -s build/plain/bench/catalog-tree all
export PATH=$PWD/build/plain/bin:$PWD/build/plain/bench:$PATH LC_ALL=C.UTF-8
files=${1:-1000000}
nights=${2:-30} # 5 at least
scratch=$(mktemp -d "${3:-${TMPDIR:-/tmp}}/tarseal-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
mkdir repo later
manifest keygen --key key --public key.pub >/dev/null

# ROUNDS COMMAND...: medians.
measured() {
	python3 - "$@" <<'EOF_PY'
import os, statistics, sys, time
rounds, command = int(sys.argv[1]), sys.argv[2:]
null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)]
wall, cpu, rss = [], [], 0
for _ in range(rounds):
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=null)
    u = os.wait4(pid, 0)[2]
    wall.append(time.perf_counter() - start)
    cpu.append(u.ru_utime + u.ru_stime)
    rss = max(rss, u.ru_maxrss / 1024)
print("%9.4f s %9.4f s of processor %6.1f MiB  %s"
      % (statistics.median(wall), statistics.median(cpu), rss, " ".join(command)))
EOF_PY
}

use=(--repo repo --trust key.pub)
path=users/00000/notes-17/item-00001777.json
one=$((files / 100))
changes=(0 1 100)
while [ ${#changes[@]} -lt $((nights - 1)) ]; do
	changes+=("$one")
done
catalog-tree repo key "$files" 1 "${changes[@]}"

# Nights come one after the other, each indexed by the question that finds it.
size() { stat -c %s repo/catalog.sqlite3 2>/dev/null || echo 0; }
mv repo/* later
for seal in later/*.seal; do
	name=$(basename "$seal" .seal)
	mv "later/$name".* repo
	before=$(size)
	measured 1 manifest ls "${use[@]}" none
	echo "  night of $name: $(($(size) - before)) bytes more in the catalog"
done

measured 21 manifest --version
measured 21 manifest history "${use[@]}" "$path"
measured 21 manifest history --repo repo "$path"
measured 21 manifest find "${use[@]}" "$path"
measured 21 manifest ls "${use[@]}" users/00000/notes-17
measured 5 manifest find "${use[@]}" '**/x*'
measured 5 manifest find "${use[@]}" --name 'x*'
measured 5 manifest find "${use[@]}" --sha256 "$(printf %064d 0)"
measured 5 manifest stats "${use[@]}"
measured 5 manifest show "${use[@]}"
seals=(repo/*.seal)
rm "${seals[0]}"
measured 1 manifest ls "${use[@]}" none
echo "  that took the oldest night out: $(size) bytes"
rm "${seals[$((nights / 2))]}"
measured 1 manifest ls "${use[@]}" none
echo "  that took one out of the middle: $(size) bytes"
measured 1 manifest rebuild "${use[@]}"
echo "  $(size) bytes"
