#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Surroundings that are not as they should be: no stdout, limits on files and descriptors, no
# HOME, no environment.  A backup is made or it is not; it says which.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir data
echo 1 >data/file
noise 100000 1 >data/noise
make_repo repo
sealed() { run_sh 'ls repo/*.seal | wc -l'; }
args='--source data --repo repo --key key'

echo "-- results that nobody gets: the backup stands, and the status says that something is amiss"
run_sh "backup $args >&-"
run_sh "backup $args >/dev/full"
run_sh "backup $args --json >/dev/full"
cat >gone.py <<'EOF_PY'
import os, subprocess, sys
r, w = os.pipe()
os.close(r)
print("exit", subprocess.run(["backup"] + sys.argv[1:], stdout=w).returncode, flush=True)
EOF_PY
run_sh "python3 gone.py $args"
run_sh "backup $args --quiet >/dev/full"
run_sh "backup --source data --dry-run >/dev/full"
run_sh "backup --help >/dev/full"
echo "-- messages that nobody gets"
run_sh "backup $args --quiet 2>&-"
run_sh "backup $args --quiet --source nowhere 2>/dev/full"
sealed
quiet verify --repo repo --trust key.pub --all

echo "-- a limit on the size of files"
run_sh "ulimit -f 64; backup $args"
run_sh 'ls -A repo | grep "^\.[^l]"'
sealed

# Too few descriptors: with each number the backup is whole, or none is made.
echo "-- a limit on descriptors"
whole=0 none=0
for n in {4..16}; do
	status=0
	before=$(find repo -name '*.seal' | wc -l)
	(ulimit -n "$n" && backup --source data --repo repo --key key --quiet) 2>err || status=$?
	after=$(find repo -name '*.seal' | wc -l)
	case $status in
	0)
		whole=$((whole + 1))
		[ "$after" -eq $((before + 1)) ] || fail "$n descriptors: success, and no backup"
		! grep -qv 'warning: catalog' err || fail "$n descriptors: $(cat err)"
		grep -q '^# complete: yes' "$(newest repo).seal" || fail "$n descriptors: incomplete"
		;;
	127) ;; # the loader had not enough for the libraries
	*)
		[ "$status" -eq 3 ] || fail "$n descriptors: exit $status: $(cat err)"
		none=$((none + 1))
		[ "$after" -eq "$before" ] || fail "$n descriptors: failed, and there is a backup"
		[ "$(grep -c . err)" -eq 1 ] || fail "$n descriptors: not one line: $(cat err)"
		grep -q 'Too many open files (ulimit -n)$' err || fail "$n descriptors: $(cat err)"
		;;
	esac
	[ -z "$(find repo -name '.*.new')" ] || fail "$n descriptors: left $(ls -A repo)"
done
[[ $none -ge 3 && $whole -ge 3 ]] || fail "$none failures, $whole backups: nothing was tried"
quiet verify --repo repo --trust key.pub --all

# Too little memory, which a sanitizer's own would drown: whole, or none.
if [ "$TEST_VARIANT" = plain ]; then
	for kib in 12000 20000 24000 28000 32000 40000 60000; do
		status=0
		before=$(find repo -name '*.seal' | wc -l)
		(ulimit -v $kib && backup --source data --repo repo --key key --quiet) 2>err || status=$?
		after=$(find repo -name '*.seal' | wc -l)
		case $status in
		0) [ "$after" -eq $((before + 1)) ] || fail "$kib KiB: success, and no backup" ;;
		3)
			[ "$after" -eq "$before" ] || fail "$kib KiB: failed, and there is a backup"
			grep -qx 'backup: .*\(out of memory\|cannot start a thread (a limit on processes, or memory?): .*\)' err ||
			    fail "$kib KiB: $(cat err)"
			;;
		127) ;; # not even the loader had enough
		*) fail "$kib KiB: exit $status: $(cat err)" ;;
		esac
		[ -z "$(find repo -name '.*.new')" ] || fail "$kib KiB: left $(ls -A repo)"
	done
	quiet verify --repo repo --trust key.pub --all
fi

echo "-- neither HOME nor TZ nor anything else"
run_sh "env -i \"\$(command -v backup)\" $args --quiet"
run_sh "cd / && HOME=/nonexistent TMPDIR=/nonexistent backup --source '$PWD/data' --repo '$PWD/repo' --key '$PWD/key' --quiet"
quiet verify --repo repo --trust key.pub --all
