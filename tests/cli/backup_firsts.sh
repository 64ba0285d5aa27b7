#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# First names of hard-linked files that cannot be read after all: the next of their names takes
# their place, in the same member of the archive and as the first entry of the next one.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

# A name that begins a member, whatever weighs as little: docs/FORMAT.md, "Cuts".
cutting() {
	python3 - "$1" <<'EOF_PY'
import hashlib, itertools, sys
for i in itertools.count():
    name = f"{sys.argv[1]}{i}"
    if int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") < 1536 << 46:
        print(name)
        break
EOF_PY
}
make_repo repo
mkdir data
echo content >data/a
ln data/a "data/$(cutting b)"
echo fine >data/good
echo other >data/c
ln data/c data/d
chmod 000 data/a data/c
[ "$(id -u)" != 0 ] || chown -R 65534 data repo key
expect 1 as_user backup --source data --repo repo --key key
grep -c 'cannot be read: Permission denied' "$CASE_BASE/stderr"
run_sh 'zcat repo/*.manifest.gz | grep "^#!" | sed "s/b[0-9][0-9]*/bN/"'

# One that is there by the second name only.
rm -rf repo/*
chmod 644 data/*
ln data/a data/bb
mkdir data/sub
mv data/a data/sub/a
echo "-- all of it, with links over members"
expect 0 as_user backup --source data --repo repo --key key
run_sh 'tar -tvzf repo/*.tar.gz | grep -c " link to "'
as_user verify --repo repo --trust key.pub --level deep | sed 's/ ([^)]*)//; s/backup-.*:/backup:/'
