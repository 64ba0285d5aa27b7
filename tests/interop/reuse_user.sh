#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Reuse without root's rights: what cannot be read is told each night, and copied never; a first
# name that cannot be reached hands over to one that can; a file that was flagged is read again.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime jq python3 setfattr
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
need_ctimes
make_repo repo
mkdir data
for i in $(seq 30); do
	noise 50000 "$i" >"data/f$i"
done
mkdir data/0closed
echo "behind a door" >data/0closed/first
ln data/0closed/first data/further
ln data/0closed/first data/zzz
echo secret >data/f31
chmod 000 data/f31
[ "$(id -u)" != 0 ] || chown -R 65534:65534 data repo key
chmod 755 . ..

# user_night STATUS OPTION...
user_night() {
	NIGHT=$((${NIGHT-0} + 1))
	local want=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	expect "$want" as_user bash -c 'later "$0" "$@"' "${NIGHT}h" \
	    backup --source data --repo repo --key key --json "$@"
	cp "$CASE_BASE/stdout" "$CASE_BASE/night"
	cp "$CASE_BASE/stderr" "$CASE_BASE/night.err"
}
line() { zcat "repo/$(told name).manifest.gz" | grep -a "$1"; }

for _ in 1 2 3; do
	user_night 1
	[ "$(told unreadable)" = 1 ] || fail "night $NIGHT: unreadable: $(told unreadable)"
	grep -q 'f31: cannot be read: Permission denied' "$CASE_BASE/night.err" || fail "night $NIGHT: $(cat "$CASE_BASE/night.err")"
done
packed 0 "what is incomplete has the same bytes still"
chmod 600 data/f31
user_night 0
[ "$(told unreadable)" = 0 ] || fail "f31 is readable now"
user_night 0
packed 0

# A door that shuts after the directory was listed cannot be made here; one that is shut is a note.
chmod 000 data/0closed
user_night 1
[ "$(line '^\./further type=file' | wc -l)" = 1 ] || fail "further does not hold the data: $(line further)"
user_night 1
chmod 700 data/0closed
user_night 0
user_night 0
packed 0
[ "$(line '0closed/first type=file' | wc -l)" = 1 ] || fail "the first name does not hold the data again"

# The file itself cannot be opened: no name of it can.
chmod 000 data/further
user_night 1
[ "$(told unreadable)" = 3 ] || fail "no name of the file can be read: $(cat "$CASE_BASE/night.err")"
user_night 1
[ "$(told unreadable)" = 3 ] || fail "the night after: $(cat "$CASE_BASE/night.err")"
chmod 600 data/further
user_night 0
user_night 0
packed 0

# Somebody writes while it is read: flagged, and read again the night after.
cat >writer.py <<'EOF_PY'
import os, time
end = time.time() + 60
while os.path.exists("writing") and time.time() < end:
    with open("data/large", "r+b") as f:
        f.write(os.urandom(100))
    open("started", "w").close()
EOF_PY
noise 5000000 9 >data/large
chmod 666 data/large
touch writing
python3 writer.py &
writer=$!
while [ ! -e started ]; do sleep 0.05; done
user_night 0
[ "$(told changed)" = 1 ] || fail "nobody wrote while it was read"
rm writing
wait $writer
user_night 0
[ "$(told changed)" = 0 ] || fail "nobody writes any more"
want=$(sha256sum <data/large | cut -d' ' -f1)
line '^\./large ' | grep -q "$want" || fail "what was flagged was copied: $(line '^\./large ')"
user_night 0
packed 0
