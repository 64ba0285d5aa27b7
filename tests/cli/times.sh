#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Times: the lines of the script that was replaced, to the letter and in its zone;
# which backup a time or "latest" means, by instant and not by name.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"

mkdir -p data/secret
make_repo repo
b() {
	local at=$1
	shift
	faketime -f "@$at" backup --source data --repo repo --key key --timezone Europe/Kyiv "$@"
}

# To the letter; tests/normalise would hide what differs.
said() {
	sed -E 's/ \([0-9.]+[KM]?\)$/ (SIZE)/' "$CASE_BASE/stdout" | diff - "$1" ||
	    fail "other lines than the script's"
}
cat >winter <<'EOF_LINES'
Starting backup at Mon Feb  9 00:00:05 EET 2026
Creating backup: repo/autolab-backup-20260209_000005.tar.gz
Backup completed: repo/autolab-backup-20260209_000005.tar.gz (SIZE)
Backup process completed successfully at Mon Feb  9 00:00:05 EET 2026
EOF_LINES
echo 1 >data/n
expect 0 b '2026-02-08 22:00:05'
sed -i '$s/00:00:0[5-9]/00:00:05/' "$CASE_BASE/stdout"
said winter
sed -e 's/Mon Feb  9/Sat Jul 11/; s/EET/EEST/; s/20260209/20260711/' winter >summer
echo 2 >data/n
expect 0 b '2026-07-10 21:00:05'
sed -i '$s/00:00:0[5-9]/00:00:05/' "$CASE_BASE/stdout"
said summer

# Two backups at the same wall clock time, an hour apart: clocks go back at 04:00.
echo 3 >data/n
quiet b '2026-10-25 00:30:00'
echo 4 >data/n
quiet b '2026-10-25 01:30:00'
echo other >data/n
quiet b '2026-10-25 02:00:00' --series other
find repo -name '*.seal' -printf '%f\n' | sort >names
diff names - <<'EOF_NAMES' || fail "other names"
autolab-backup-20260209_000005.seal
autolab-backup-20260711_000005.seal
autolab-backup-20261025_033000-2.seal
autolab-backup-20261025_033000.seal
other-20261025_040000.seal
EOF_NAMES

export TARSEAL_TIMEZONE=Europe/Kyiv TARSEAL_SERIES=autolab-backup
n() {
	quoted "$@"
	restore --repo repo --trust key.pub --stdout n "$@" 2>&1 ||
	    echo "exit $?"
}
n
n --as-of 2026-02-08
n --as-of 2026-02-09
n --as-of 2026-02-08T22:00:05Z
n --as-of '2026-02-09 00:00'
n --as-of '2026-02-09 00:01'
n --as-of 2026-07-11T00:00:30+03:00
n --as-of 2026-07-11T00:00:00+03:00
n --as-of 2026-10-25T03:45:00+03:00
n --as-of 2026-10-25T03:45:00+02:00
n --as-of 2026-10-25
n --as-of 2030-01-01
n --as-of 2026-13-01
n --as-of yesterday
n --backup autolab-backup-20260711
n --backup autolab-backup-2026
n --as-of '2026-02-09 11:00' --timezone Pacific/Auckland
n --as-of '2026-02-09 11:01' --timezone Pacific/Auckland
n --as-of 2026-02-08 --timezone America/New_York
n --series other
run_sh 'manifest ls --repo repo --trust key.pub --as-of 2026-07-12'

# "latest" is the newest complete one, and a backup that is named is taken as it is.
echo 5 >data/n
chmod 0 data/secret
if [ "$(id -u)" = 0 ]; then
	chown -R 65534:65534 repo data key
fi
status=0
as_user backup --source data --repo repo --key key --quiet 2>/dev/null || status=$?
[ $status -eq 1 ] || fail "exit $status of an incomplete backup"
grep -q '^# complete: no 1$' "$(newest repo).seal" || fail "$(cat "$(newest repo).seal")"
chmod 755 data/secret
n
run_sh "restore --repo repo --trust key.pub --backup $(basename "$(newest repo)") --stdout n"
