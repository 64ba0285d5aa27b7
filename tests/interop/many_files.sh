#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# timeout: 300
# 100,000 entries in one directory, and a file far larger than what a program may
# hold: all comes back, and no program takes 64 MiB of memory.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need python3
[ "$TEST_VARIANT" = plain ] || skip "sanitizers take memory of their own"

# Held to the limit: the greatest resident set, of the program alone.
cat >within.py <<'EOF_PY'
import os, subprocess, sys
p = subprocess.Popen(sys.argv[2:], stdout=open("printed", "wb"))
_, status, usage = os.wait4(p.pid, 0)
print("%d KiB: %s" % (usage.ru_maxrss, " ".join(sys.argv[2:])))
if status != 0:
    sys.exit("status %d: %s" % (status, sys.argv[2:]))
if usage.ru_maxrss >= int(sys.argv[1]) * 1024:
    sys.exit("too much memory: %d KiB: %s" % (usage.ru_maxrss, sys.argv[2:]))
EOF_PY
within() {
	python3 within.py 64 "$@"
}

"$TESTS/make-tree" flat src/flat 100000
{
	noise 60000000 1
	seq 1 9000000 | head -c 60000000 || true
} >src/large
make_repo repo
common=(--repo repo --trust key.pub --jobs 2)
within backup --source src --repo repo --key key --jobs 2
for level in quick standard deep; do
	within verify "${common[@]}" --level $level
done
within restore "${common[@]}" --target out
diff -r src out
within manifest rebuild --repo repo --trust key.pub
within manifest ls flat --repo repo --trust key.pub
[ "$(wc -l <printed)" = 100000 ] || fail "ls: $(wc -l <printed) lines"
within manifest find '**/file-00777??' --repo repo --trust key.pub
[ "$(wc -l <printed)" -ge 100 ] || fail "find: $(wc -l <printed) lines"
within restore "${common[@]}" --stdout flat/file-0077777
[ "$(cat printed)" = 77777 ] || fail "one file: $(cat printed)"

# The second night holds the first one's facts against its own.
echo more >src/flat/file-0050000
within backup --source src --repo repo --key key --jobs 2
within manifest history flat/file-0050000 --repo repo --trust key.pub
