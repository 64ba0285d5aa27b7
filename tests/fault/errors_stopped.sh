#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# SIGTERM, SIGINT and SIGHUP in the middle of verify, restore, and a rebuild: status 128+n, one line,
# at once; what is there is whole, what was there before is as it was, and the same command succeeds
# afterwards.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace python3 rsync
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -D -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir -p data/dir
for i in $(seq 60); do
	mkdir "data/dir/$i"
	noise 300000 "$i" >"data/dir/$i/file"
done
noise 6000000 99 >data/large
set_times data
make_repo repo
backup_tree data repo
backup_tree data repo
export TARSEAL_REPO=repo TARSEAL_TRUST=key.pub

# stopped SIGNAL CALL SEEN COMMAND...: each CALL takes 50 ms; the signal comes when SEEN (a test in
# shell) holds, and a moment later.
cat >stopped.py <<'END'
import os, signal, subprocess, sys, time
sig = getattr(signal, "SIG" + sys.argv[1])
for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(s, signal.SIG_DFL)
# -D: the process that is started is the program, not strace.
p = subprocess.Popen(["strace", "-D", "-f", "-qq", "-o", "trace", "-e", "trace=" + sys.argv[2],
    "-e", "signal=none", "-e", "inject=%s:delay_enter=50000" % sys.argv[2]] + sys.argv[4:],
    stdout=open("out.txt", "w"), stderr=open("err.txt", "w"))
end = time.time() + 60
while subprocess.call(["bash", "-c", sys.argv[3]]) != 0:
    assert p.poll() is None, "it was over: " + open("err.txt").read()
    assert time.time() < end, "it never came so far"
    time.sleep(0.02)
time.sleep(0.3)
assert p.poll() is None, "it was over: " + open("err.txt").read()
p.send_signal(sig)
began = time.time()
p.wait()
err = open("err.txt").read()
assert p.returncode == 128 + sig, (p.returncode, err)
assert time.time() - began < 10, "slow to stop"
assert err.count("\n") == 1 and err.startswith(os.path.basename(sys.argv[4]) + ": "), err
assert "stopped by" in err, err
END
stopped() {
	rm -f trace
	python3 stopped.py "$@" || fail "$*"
}
# shellcheck disable=SC2016 # for the other shell
reads='[ -e trace ] && [ "$(grep -c pread trace)" -gt 12 ]'
sha256sum repo/*.* >before
unchanged() {
	sha256sum --quiet -c before || fail "$1: the repository was changed"
	[ "$(find repo -type f | wc -l)" = "$(($(wc -l <before) + 1))" ] || fail "$1: $(ls -A repo)"
}

for signal in TERM INT HUP; do
	stopped $signal pread64 "$reads" verify --level deep
	! grep -q ': ok ' out.txt || fail "verify: $(cat out.txt)"
	unchanged verify
	stopped $signal pread64 "$reads" verify --level standard --json --all
	python3 -c 'import json; d = json.load(open("out.txt")); assert d["status"] > 128, d["status"]' ||
	    fail "$(tail out.txt)"
	unchanged verify
done
# The anchor is written before the data is read.
stopped TERM pread64 "$reads" verify --anchor anchor
[ "$(wc -l <anchor)" = 2 ] || fail "anchor: $(cat anchor)"
[ ! -e .anchor.tarseal.new ] || fail "the lock of the anchor stays"
quiet verify --level quick --anchor anchor
sha256sum repo/*.* >before # with that in the history

for signal in TERM INT HUP; do
	# shellcheck disable=SC2016 # for the other shell
	stopped $signal pread64 '[ -n "$(find out -name file 2>/dev/null)" ]' restore --target out
	grep -q 'target out is as it was: stopped by' err.txt || fail "$(cat err.txt)"
	[ ! -e out ] || fail "left $(ls -A out)"
	unchanged restore
done
quiet restore --target out
same_tree data out

for signal in TERM INT HUP; do
	stopped $signal pread64 '[ -e repo/.catalog.sqlite3.new ]' manifest rebuild
	unchanged rebuild
done
# A query whose catalog has to be made first.
mv repo/catalog.sqlite3 aside
stopped TERM pread64 "$reads" manifest find file
[ -z "$(find repo -name '.catalog*' -o -name '*-journal')" ] || fail "find: $(ls -A repo)"
rm -f repo/catalog.sqlite3
quiet manifest rebuild
cp aside repo/catalog.sqlite3
unchanged find
