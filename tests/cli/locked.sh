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
