#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # what is in hooks is for their own shell
#
# image/run-job, under the sh of busybox, with nothing but our programs and busybox in PATH.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
need busybox
# setsid and wget are part of it.
mkdir bin
for applet in sh sleep setsid wget cat awk sed ls touch kill; do
	ln -s "$(command -v busybox)" "bin/$applet"
done
for program in backup verify restore manifest; do
	ln -s "$TOP/build/$TEST_VARIANT/bin/$program" "bin/$program"
done
make_repo repo
mkdir src
echo one >src/small
seq 1000 >src/large
export TARSEAL_REPO=$PWD/repo TARSEAL_TRUST=$PWD/key.pub
bin=$PWD/bin

job() {
	env PATH="$bin" sh "$TOP/image/run-job" "$@"
}
saw() {
	grep -q -- "$1" "$CASE_BASE/stdout" "$CASE_BASE/stderr" || fail "not told: $1
$(cat "$CASE_BASE/stdout" "$CASE_BASE/stderr")"
}
saw_not() {
	! grep -q -- "$1" "$CASE_BASE/stdout" "$CASE_BASE/stderr" || fail "told: $1"
}
backups() {
	find repo -name '*.seal' | wc -l
}

# ---- backup ----

expect 0 job backup --source=src --key=key
saw 'Backup process completed successfully'
saw_not 'ok (quick'
expect 0 env VERIFY_MAX_AGE=26h bash -c "$(declare -f job); bin=$bin; job backup --source=src --key=key"
saw ': ok (quick'
# Its own status, whatever comes after.
expect 2 env VERIFY_MAX_AGE=26h HOOK_POST_COMMAND='echo "status $BACKUP_STATUS"; exit 7' PATH="$bin" sh "$TOP/image/run-job" backup --what
saw 'status 2'
saw 'the hook after the backup has failed, with status 7'
saw_not 'quick'
expect 3 job backup --source=nowhere --key=key
# Nobody's variable is one that the programs would warn of.
expect 0 env HOOK_PRE_COMMAND=: HOOK_POST_COMMAND=: VERIFY_MAX_AGE=none PATH="$bin" sh "$TOP/image/run-job" backup --source=src --key=key
[ ! -s "$CASE_BASE/stderr" ] || fail "$(cat "$CASE_BASE/stderr")"

# ---- hooks ----

with() {
	local settings=()
	while [[ $1 == *=* ]]; do
		settings+=("$1")
		shift
	done
	env "${settings[@]}" PATH="$bin" sh "$TOP/image/run-job" "$@"
}
n=$(backups)
expect 3 with HOOK_PRE_COMMAND='exit 4' HOOK_POST_COMMAND='echo "post $BACKUP_STATUS"' backup --source=src --key=key
saw 'the hook before the backup has failed, with status 4'
saw 'so there is no backup'
saw 'post 3'
[ "$(backups)" = "$n" ] || fail "a backup was made"
expect 1 with HOOK_PRE_COMMAND='exit 4' HOOK_PRE_ON_FAILURE=report HOOK_POST_COMMAND='echo "post $BACKUP_STATUS"' backup --source=src --key=key
saw 'post 0'
[ "$(backups)" = $((n + 1)) ] || fail "no backup was made"
expect 1 with HOOK_POST_COMMAND=false VERIFY_MAX_AGE=26h backup --source=src --key=key
saw ': ok (quick'
expect 0 with HOOK_PRE_COMMAND='echo paused >state' HOOK_POST_COMMAND='echo running >state' backup --source=src --key=key
[ "$(cat state)" = running ] || fail "hooks"
# What takes too long is ended, and all that it has started.
begin=$SECONDS
expect 3 with HOOK_PRE_TIMEOUT=1 HOOK_PRE_COMMAND='sleep 61 & sleep 62' backup --source=src --key=key
saw 'it took longer than 1 s, and is ended'
[ $((SECONDS - begin)) -lt 20 ] || fail "the hook went on for $((SECONDS - begin)) s"
sleep 0.2
! pgrep -f '^sleep 6[12]$' >/dev/null || fail "something of the hook runs on"

# It has failed, even where it says 0 when it is ended.
expect 3 with HOOK_PRE_TIMEOUT=1 HOOK_PRE_COMMAND='trap "exit 0" TERM; sleep 61 & wait' backup --source=src --key=key
saw 'the hook before the backup has failed, with status 143'

# URLs: a server of one line, that writes down what was asked.
python3 - "$CASE_BASE/http" >"$CASE_BASE/http.log" <<'PYTHON' &
import http.server, os, sys
class H(http.server.BaseHTTPRequestHandler):
    def any(self):
        print(self.command, self.path, flush=True)
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(500 if "bad" in self.path else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_GET = do_POST = any
    def log_message(self, *a): pass
s = http.server.HTTPServer(("127.0.0.1", 0), H)
open(sys.argv[1] + ".new", "w").write(str(s.server_port))
os.rename(sys.argv[1] + ".new", sys.argv[1])
s.serve_forever()
PYTHON
server=$!
trap 'kill "$server"' EXIT
for _ in {1..100}; do
	[ ! -e "$CASE_BASE/http" ] || break
	sleep 0.1
done
at=http://127.0.0.1:$(cat "$CASE_BASE/http")
expect 0 with HOOK_PRE_URL="$at/start" HOOK_POST_URL="$at/end?status={status}" HOOK_POST_METHOD=POST backup --source=src --key=key
[ "$(cat "$CASE_BASE/http.log")" = "GET /start
POST /end?status=0" ] || fail "asked: $(cat "$CASE_BASE/http.log")"
expect 1 with HOOK_POST_URL="$at/bad" backup --source=src --key=key
expect 3 with HOOK_PRE_URL="$at/bad" backup --source=src --key=key

# ---- signals ----

# backup waits for the lock of the repository, held by somebody else.
hold() {
	python3 - "$PWD/repo/.lock" "$CASE_BASE/held" <<'PYTHON' &
import fcntl, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.fcntl(fd, 37, struct.pack("hhqqixxxx", fcntl.F_WRLCK, 0, 0, 0, 0))
open(sys.argv[2], "w").close()
time.sleep(60)
PYTHON
	holder=$!
	trap 'kill "$server" "$holder" 2>/dev/null' EXIT
	until [ -e "$CASE_BASE/held" ]; do sleep 0.1; done
}
hold
for signal in TERM INT; do
	# What runs in the background ignores INT, so it is always told TERM.
	want=143
	rm -f post
	env HOOK_POST_COMMAND="sleep 0.5; echo \$BACKUP_STATUS >$PWD/post" VERIFY_MAX_AGE=26h PATH="$bin:/usr/bin" \
	    /usr/bin/setsid /usr/bin/env --default-signal=INT sh "$TOP/image/run-job" backup --source=src --key=key --wait-lock=60 2>"$CASE_BASE/stderr" >"$CASE_BASE/stdout" &
	pid=$!
	until pgrep -P "$pid" -f -- --wait-lock >/dev/null; do sleep 0.1; done
	sleep 0.3
	kill -s "$signal" "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = "$want" ] || fail "$signal: status $status: $(cat "$CASE_BASE/stderr")"
	[ "$(cat post)" = "$want" ] || fail "$signal: the hook after it did not run, or too early"
	saw_not quick
done
kill "$holder"
wait "$holder" 2>/dev/null || :
# During the hook before it: there is no backup then, but the hook after it.
n=$(backups)
rm -f post
env HOOK_PRE_COMMAND="touch $PWD/began; sleep 61" HOOK_POST_COMMAND="echo \$BACKUP_STATUS >$PWD/post" PATH="$bin:/usr/bin" \
    /usr/bin/setsid sh "$TOP/image/run-job" backup --source=src --key=key 2>"$CASE_BASE/stderr" >"$CASE_BASE/stdout" &
pid=$!
until [ -e began ]; do sleep 0.1; done
kill -s TERM "$pid"
status=0
wait "$pid" || status=$?
[ "$status" = 143 ] || fail "TERM in a hook: status $status"
[ "$(cat post)" = 143 ] || fail "TERM in a hook: no hook after it"
[ "$(backups)" = "$n" ] || fail "TERM in a hook: a backup all the same"
# What was not done because of a signal is no success: the verify after a backup, the other lists of a verify.
rm -f began
env HOOK_POST_COMMAND="touch $PWD/began; sleep 1" VERIFY_MAX_AGE=26h PATH="$bin" \
    /usr/bin/setsid sh "$TOP/image/run-job" backup --source=src --key=key 2>"$CASE_BASE/stderr" >"$CASE_BASE/stdout" &
pid=$!
until [ -e began ]; do sleep 0.1; done
kill -s TERM "$pid"
status=0
wait "$pid" || status=$?
[ "$status" = 143 ] || fail "TERM in the hook after it: status $status"
saw_not quick
mkdir stub
printf '#!/bin/sh\ntrap "" TERM\ntouch began\nsleep 1\n' >stub/verify
chmod +x stub/verify
rm -f began
env PATH="$PWD/stub:$bin" /usr/bin/setsid sh "$TOP/image/run-job" verify --level=quick -- --level=deep &
pid=$!
until [ -e began ]; do sleep 0.1; done
kill -s TERM "$pid"
status=0
wait "$pid" || status=$?
[ "$status" = 143 ] || fail "TERM in the first of two lists: status $status"

# ---- verify ----

expect 0 job verify --level=quick --max-age=26h -- --level=standard --oldest=2 -- --level=deep --oldest=1
[ "$(grep -c ': ok (quick' "$CASE_BASE/stdout")" = 1 ] || fail "quick"
[ "$(grep -c ': ok (standard' "$CASE_BASE/stdout")" = 2 ] || fail "standard"
[ "$(grep -c ': ok (deep' "$CASE_BASE/stdout")" = 1 ] || fail "deep"
expect 0 job verify
# The worst one counts, and the rest runs all the same.
make_key other
expect 5 job verify --level=quick --trust=other.pub -- --level=standard
saw ': ok (standard'

# ---- restore ----

expect 2 job restore --target=out
saw 'nothing was done'
[ ! -e out ] || fail "restored without a word"
expect 2 with TARSEAL_RESTORE_CONFIRM=autolab RESTORE_CLAIM=data restore --target=out
saw '=data'
expect 0 with TARSEAL_RESTORE_DRY_RUN=1 restore --target=out
[ ! -e out ] || fail "a dry run wrote"
expect 0 with TARSEAL_RESTORE_CONFIRM=data RESTORE_CLAIM=data restore --target=out
[ ! -s "$CASE_BASE/stderr" ] || fail "warned: $(cat "$CASE_BASE/stderr")"
same_tree src out
expect 0 with TARSEAL_RESTORE_CONFIRM=yes RESTORE_PATHS='small
lar*' restore --target=some
[ "$(ls some)" = "large
small" ] || fail "paths: $(ls some)"
# A path is no option, and nothing that sh would take apart.
expect 1 with TARSEAL_RESTORE_CONFIRM=yes RESTORE_PATHS='--force
a  b' restore --target=none
saw 'a  b'
# Lines, and no path in them: that is not everything.
expect 2 with TARSEAL_RESTORE_CONFIRM=yes RESTORE_PATHS='
' restore --target=none
saw 'no path in RESTORE_PATHS'
[ ! -e none ] || fail "no paths, and everything restored"

# ---- test ----

expect 0 with VERIFY_MAX_AGE=26h TMPDIR="$PWD" test
saw 'Restored 1 entry'
cmp test/small src/small
expect 5 with TARSEAL_TRUST="$PWD/other.pub" TMPDIR="$PWD/t2" test
[ ! -e t2 ] || fail "restored what is not trusted"
# What cannot be listed is not well.
printf '#!/bin/sh\nexit 3\n' >stub/manifest
printf '#!/bin/sh\n' >stub/verify
chmod +x stub/manifest
expect 3 env PATH="$PWD/stub:$bin" sh "$TOP/image/run-job" test
saw_not 'plain name'

expect 2 job
expect 2 job what
