#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One writer at a time: exit status 4 at once, or after the wait that was asked for.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
cat >hold.py <<'PYTHON'
import fcntl, os, struct, sys, time
fd = os.open("repo/.lock", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
open("held", "w").close()
while not os.path.exists("go"):
    time.sleep(0.05)
PYTHON
python3 hold.py &
holder=$!
trap 'touch go; wait $holder' EXIT
while [ ! -e held ]; do sleep 0.05; done
run backup --source data --repo repo --key key
run backup --source data --repo repo --key key --wait-lock 1
run manifest rebuild --repo repo --trust key.pub
(sleep 0.5 && touch go) &
run backup --source data --repo repo --key key --wait-lock 60
# As long as a verify takes to note what it found, a backup waits by itself.
wait $holder
rm go held
python3 hold.py &
holder=$!
while [ ! -e held ]; do sleep 0.05; done
(sleep 0.2 && touch go) &
quiet backup --source data --repo repo --key key

# What is so when the lock is there counts, and not what was so while it was waited for.
# while_waiting CHANGE CMD...: CMD has to wait for the lock, and meanwhile CHANGE is done.
while_waiting() {
	local change=$1 pid
	shift
	rm -f go held
	python3 hold.py &
	holder=$!
	while [ ! -e held ]; do sleep 0.05; done
	run "$@" >said &
	pid=$!
	sleep 1 # it lists, and waits
	eval "$change"
	touch go
	wait "$holder" "$pid"
	cat said
	run_sh 'ls repo | grep -c "hold$"'
}
quiet manifest hold --repo repo --trust key.pub latest
while_waiting 'rm repo/*.hold' manifest hold --repo repo --trust key.pub --wait-lock 60 latest
rm repo/*.hold
# shellcheck disable=SC2016 # then
while_waiting 'touch "$(newest repo).hold"' manifest release --repo repo --trust key.pub --wait-lock 60 latest
