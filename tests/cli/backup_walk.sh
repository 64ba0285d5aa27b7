#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What goes in and what stays out: patterns, kinds, lost+found; -v tells.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir -p data/{cache,logs/old,lost+found,app/lost+found,app/cache}
echo 1 | tee data/{a.tmp,keep,cache/x,logs/app.log,logs/old/app.log,app/cache/y,app/z.tmp,lost+found/lost} >pipe
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("data/socket")'
set_times data
make_repo repo
cat >patterns <<'EOF_PATTERNS'
# what nobody misses
*.tmp

/cache
logs/**/app.log
EOF_PATTERNS
run backup --source data --repo repo --key key --exclude-from patterns --verbose
run_sh 'tar -tzf repo/*.tar.gz'
run_sh 'zcat repo/*.manifest.gz | grep "^#!"'
run backup --source data --dry-run --exclude-from patterns
run backup --source data --dry-run --exclude /cache/ --exclude 'logs/*' -v
run backup --source data --dry-run --exclude ..
run backup --source data --dry-run --exclude-from missing
run backup --source data --dry-run --repo data/app
run backup --source data --dry-run --exclude '*'
