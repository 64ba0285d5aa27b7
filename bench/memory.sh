#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# memory.sh [FILES [MEBIBYTES [SCRATCH]]]
#
# Peak memory and time of each program at --jobs 2, on a tree of FILES small files
# (300000) and one of MEBIBYTES (2048), half noise and half text.  SCRATCH (default:
# $TMPDIR or /tmp) needs room for the tree twice and a backup.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PWD/build/plain/bin:$PATH LC_ALL=C.UTF-8
files=${1:-300000}
half=$((${2:-2048} / 2))
tests=$PWD/tests
scratch=$(mktemp -d "${3:-${TMPDIR:-/tmp}}/tarseal-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

"$tests/make-tree" many tree "$files"
{
	head -c "${half}M" /dev/zero | openssl enc -aes-128-ctr -K 01 -iv 00 2>/dev/null
	seq 1 1000000000 | head -c "${half}M" || true # seq is cut off
} >tree/large
manifest keygen --key key --public key.pub >/dev/null
mkdir repo

# Of the program alone: python3 waits for it and asks what it took.
measured() {
	python3 - "$@" <<'EOF_PY'
import os, subprocess, sys
p = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, u = os.wait4(p.pid, 0)
print("%6.1f MiB %7.2f s of processor  %s" % (u.ru_maxrss / 1024, u.ru_utime + u.ru_stime, " ".join(sys.argv[1:])))
sys.exit(status != 0)
EOF_PY
}

use=(--repo repo --trust key.pub)
measured backup --source tree --repo repo --key key --jobs 2
for level in quick standard deep; do
	measured verify "${use[@]}" --jobs 2 --level "$level"
done
measured restore "${use[@]}" --jobs 2 --target out
rm -rf out
measured restore "${use[@]}" --jobs 2 --target one large
rm -rf one
measured restore "${use[@]}" --jobs 2 --stdout 000/00/item-7.json
measured manifest rebuild "${use[@]}"
measured manifest list "${use[@]}"
measured manifest ls --recursive "${use[@]}"
measured manifest find "${use[@]}" '**'
measured manifest find "${use[@]}" --no-catalog '**/item-7?.json'
measured manifest history "${use[@]}" large
echo more >>tree/000/00/item-7.json
measured backup --source tree --repo repo --key key --jobs 2
