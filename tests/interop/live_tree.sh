#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A tree that another process keeps writing to: the backup succeeds, is sound, and
# what held still comes back as it was.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need rsync python3

"$TESTS/make-tree" portable src
mkdir src/live
cat >writer.py <<'EOF_PY'
import os, random, time
r = random.Random(1)
end = time.time() + 120
open("src/live/db", "wb").close()
n = 0
while time.time() < end and not os.path.exists("stop"):
    n += 1
    with open("src/live/log", "ab") as f:
        f.write(b"line %d\n" % n * 50)
    with open("src/live/db", "r+b") as f:
        f.seek(r.randrange(4 << 20))
        f.write(r.randbytes(4096))
    name = "src/live/t%d" % r.randrange(40)
    if r.random() < 0.5:
        with open(name, "wb") as f:
            f.write(r.randbytes(r.randrange(100_000)))
    elif os.path.exists(name):
        os.unlink(name)
EOF_PY
python3 writer.py &
writer=$!
trap 'touch stop; wait $writer' EXIT
while [ ! -s src/live/db ]; do sleep 0.05; done
make_repo repo
for _ in 1 2 3; do
	backup_tree src repo
done
verify --all --repo repo --trust key.pub --level deep
restore --repo repo --trust key.pub --target out
RSYNC_EXTRA='--exclude=/live' same_tree src out
tar -tzf "$(newest repo).tar.gz" >listed
grep -qx 'live/log' listed || fail "live/log is not in the archive"
