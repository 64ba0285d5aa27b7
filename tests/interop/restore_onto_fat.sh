#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Restores in each mode onto FAT, which keeps neither owners nor modes nor links: that is told, and contents come
# back.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need mkfs.vfat
mkdir plain
echo one >plain/one
mkdir plain/sub
noise 100000 1 >plain/sub/two
set_times plain
make_repo plain.repo
backup_tree plain plain.repo
volume vfat 100M mkfs.vfat
for mode in stage wipe merge; do
	rm -rf vfat/*
	echo old >vfat/one
	expect 1 restore --repo plain.repo --trust key.pub --target vfat --mode $mode
	grep -q 'not keep the \(time\|mode\|owner\)\|set the \(owner\|mode\)' "$CASE_BASE/stderr" ||
	    fail "vfat: not told: $(cat "$CASE_BASE/stderr")"
	diff -r plain vfat || fail "vfat, $mode: $(ls -AR vfat)"
done
