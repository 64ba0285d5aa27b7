#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A signal in the middle of it: the work in progress goes, and the status is that of the signal.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
# Its zeros are hashed for minutes.
truncate -s 500G data/huge 2>/dev/null || skip "no large files here"
make_repo repo

for signal in TERM INT HUP; do
	# A background job of a script ignores SIGINT; a program that is told to can still be asked.
	python3 - "$signal" <<'EOF_PY'
import glob, os, signal, subprocess, sys, time
sig = getattr(signal, "SIG" + sys.argv[1])
for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(s, signal.SIG_DFL)
p = subprocess.Popen(["backup", "--source", "data", "--repo", "repo", "--key", "key"],
    stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
end = time.time() + 20
while not glob.glob("repo/.*.tar.gz.new"):
    assert time.time() < end and p.poll() is None, "it never began"
    time.sleep(0.02)
time.sleep(0.3)
p.send_signal(sig)
began = time.time()
err = p.stderr.read().decode()
p.wait()
assert p.returncode == 128 + sig, (p.returncode, err)
assert time.time() - began < 10, "slow to stop"
assert os.listdir("repo") == [".lock"], os.listdir("repo")
assert err.count("\n") == 1 and "backup: " in err, err
EOF_PY
done
