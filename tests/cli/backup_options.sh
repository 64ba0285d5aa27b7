#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Retries by id, what is strict, what is dry, and what crosses file systems.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
b() { run backup --source data --repo repo --key key "$@"; }
seals() { find repo -name '*.seal' | wc -l; }

# An incomplete backup's retry repeats its status, and makes no other.
mkdir partial locked
cp -a data/. partial
chmod 0 partial/logs
if [ "$(id -u)" = 0 ]; then
	chown -R 65534:65534 partial locked key
fi
retry() { as_user backup --source partial --repo locked --key key --run-id "$1" --quiet; }
run retry job-7
run retry job-7
run_sh 'ls locked/*.seal | wc -l'
chmod 755 partial/logs
run retry job-7
run retry job-8
run_sh 'ls locked/*.seal | wc -l'
run_sh 'grep -h -e "^# run-id" -e "^# complete" locked/*.seal | sort'
if [ "$(id -u)" = 0 ]; then chown 0:0 key; fi

# The same id in another series is another run.
b --run-id job-1 --quiet
b --run-id job-1 --quiet --series other
run seals

# A dry run writes nothing, not even a lock.
mkdir untouched
before=$(stat -c '%Y %Z' untouched)
run backup --source data --repo untouched --key key --dry-run
run_sh 'ls -A untouched | wc -l'
[ "$(stat -c '%Y %Z' untouched)" = "$before" ] || fail "a dry run touched the repository"

# Values that are out of bounds.
for wrong in '--compression 0' '--compression 13' '--jobs 0' '--jobs x' '--wait-lock -1' '--timezone Europe/Kiew' \
    '--series a/b' '--series -x' '--run-id=' '--progress loud' '--no-such-option'; do
	# shellcheck disable=SC2086 # two words
	b $wrong
done
run seals
# Both ends do; what they pack inflates to the same.
for level in 1 12; do
	quiet backup --source data --repo repo --key key --series level-$level --compression $level
	zcat repo/level-$level-*.tar.gz | sha256sum >sum-$level
done
cmp sum-1 sum-12

# --strict-changed: a file that changes while it is read.  Its times move at each read.
cat >touch.py <<'EOF_PY'
import os, sys, time
n = 0
while not os.path.exists("stop"):
    n += 1
    with open("data/db/busy", "r+b") as f:
        f.write(b"%d" % n)
EOF_PY
truncate -s 300M data/db/busy
python3 touch.py &
writer=$!
trap 'touch stop; wait $writer' EXIT
strict=0 lax=0
backup --source data --repo repo --key key --series strict --strict-changed >/dev/null 2>strict.err || strict=$?
backup --source data --repo repo --key key --series lax >/dev/null 2>lax.err || lax=$?
echo "strict $strict, lax $lax"
run_sh 'grep -h "^# changed" repo/strict*.seal repo/lax*.seal'
run_sh 'zcat repo/strict*.manifest.gz | grep -A 1 "^#: changed" | cut -d" " -f1,2'
run_sh 'sed "s/^/! /" strict.err lax.err'
