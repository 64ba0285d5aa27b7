#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify killed between two backups, and while it notes what it found: what was finished is noted, and
# the next run goes on behind it.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace sqlite3 jq
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir data
make_repo whole
for night in 1 2 3 4; do
	noise 20000 $night >data/file
	backup_tree data whole
	names[night]=$(basename "$(newest whole)")
done
noted() {
	sqlite3 repo/catalog.sqlite3 'SELECT name FROM backup JOIN verification USING (digest) ORDER BY sequence' | xargs
}
# killed PATH CALL OPTION...: at the first such call, on that file unless it is "".
killed() {
	local path=$1 call=$2 status=0 on=()
	shift 2
	[ -z "$path" ] || on=(-P "$path")
	rm -rf repo
	cp -a whole repo
	strace -f -qq -o trace "${on[@]}" -e trace="$call" -e inject="$call:signal=SIGKILL:when=1" \
	    verify --repo repo --trust key.pub --jobs 1 "$@" >out 2>err || status=$?
	[ $status -eq 137 ] || fail "$path, $call: exit $status: $(cat out err trace)"
}
# goes_on N: the next run begins with number N.
goes_on() {
	expect 0 verify --repo repo --trust key.pub --oldest 1 --json
	[ "$(jq -r '.backups[0].name' "$CASE_BASE/stdout")" = "${names[$1]}" ] ||
	    fail "expected ${names[$1]}: $(cat "$CASE_BASE/stdout")"
}

for how in '--budget 1h' '--budget 1G' '--oldest 4' --all; do
	# shellcheck disable=SC2086 # two words
	killed "repo/${names[3]}.tar.gz" pread64 $how
	[ "$(noted)" = "${names[1]} ${names[2]}" ] || fail "$how: noted were: $(noted)"
	goes_on 3
done

# While the first result is written: it is there or not, and the catalog is as good as ever.
for call in fdatasync unlink; do
	path=repo/catalog.sqlite3
	[ $call = fdatasync ] || path= # the journal's is the only one
	killed "$path" $call --budget 1h
	[ "$(sqlite3 repo/catalog.sqlite3 'PRAGMA integrity_check')" = ok ] || fail "$call: the catalog is damaged"
	n=$(noted | wc -w)
	[ "$n" -le 1 ] || fail "$call: $n results"
	goes_on $((n + 1))
done

# A stop is obeyed at once, and keeps as much.  Signals go to the first thread, which reads the manifest.
rm -rf repo
cp -a whole repo
status=0
strace -f -qq -o trace -P "repo/${names[3]}.manifest.gz" -e trace=pread64 \
    -e inject=pread64:signal=SIGTERM:when=1 \
    verify --repo repo --trust key.pub --jobs 1 --budget 1h >out 2>err || status=$?
[ $status -eq 143 ] || fail "exit $status after a SIGTERM"
[ "$(noted)" = "${names[1]} ${names[2]}" ] || fail "stopped: noted were: $(noted)"

# A backup that runs meanwhile keeps results waiting, and at the end they are told as lost.
rm -rf repo
cp -a whole repo
cat >hold.py <<'PYTHON'
import fcntl, os, struct, time
fd = os.open("repo/.lock", os.O_RDWR | os.O_CREAT, 0o600)
while not os.path.exists("go"):
    time.sleep(0.05)
fcntl.fcntl(fd, 38, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLKW
open("held", "w").close()
while not os.path.exists("end"):
    time.sleep(0.05)
PYTHON
python3 hold.py &
holder=$!
trap 'touch go end; wait $holder' EXIT
strace -f -qq -o trace -P "repo/${names[2]}.tar.gz" -e trace=pread64 \
    -e inject=pread64:delay_enter=4000000:when=1 \
    verify --repo repo --trust key.pub --jobs 1 --oldest 2 >out 2>err &
verify=$!
for _ in $(seq 100); do
	[ -z "$(noted)" ] || break
	sleep 0.03
done
touch go
status=0
wait $verify || status=$?
[ $status -eq 0 ] || fail "exit $status with a backup beside it: $(cat out err)"
[ -e held ] || fail "the lock was not taken meanwhile"
[ "$(noted)" = "${names[1]}" ] || fail "noted were: $(noted)"
grep -q '^verify: warning: 1 result could not be noted .* after 5 s$' err || fail "it did not say so: $(cat err)"
touch end
wait $holder
goes_on 2
