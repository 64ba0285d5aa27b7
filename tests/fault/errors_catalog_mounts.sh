#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A catalog with a hot journal, left by a crash, on a volume that is mounted read-only, and one that
# nobody can write to, or that has no space left: the answers come from the manifests.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need python3
need_root
unshare -rm true 2>/dev/null || unshare -m true 2>/dev/null || skip "no right to mount"
sample_tree data
make_repo repo
backup_tree data repo
first=$(newest repo)
rm data/config.json
backup_tree data repo
export TARSEAL_REPO=repo TARSEAL_TRUST=key.pub
ask() {
	manifest find '**' --json
	manifest history config.json
	manifest ls --backup "$(basename "$first")"
	restore --stdout logs/app.log
}
ask >want

# Half of a transaction is in the file, and the way back only in the journal.
crash() {
	python3 - <<'END'
import os, sqlite3
c = sqlite3.connect("repo/catalog.sqlite3", isolation_level=None)
c.execute("PRAGMA cache_size = 1")
c.execute("PRAGMA cache_spill = 1")
c.execute("BEGIN")
c.execute("DELETE FROM version")
c.execute("CREATE TABLE filler(x)")
for i in range(2000):
    c.execute("INSERT INTO filler VALUES (zeroblob(1000))")
os._exit(0)
END
	[ -s repo/catalog.sqlite3-journal ] || fail "no journal was left"
}
crash
sha256sum repo/* >before
# shellcheck disable=SC2016 # for the other shell
unshare -m bash -c 'mount --bind repo repo && mount -o remount,bind,ro repo && exec "$@"' - \
    bash -c "$(declare -f ask); first=$first; "'
	! touch repo/x 2>/dev/null || exit 9
	ask >got
	verify --level quick >verified || exit 8
	manifest rebuild >rebuilt 2>&1
	[ $? -eq 3 ] || exit 7' 2>err || fail "exit $?: $(cat err rebuilt verified)"
cmp want got || fail "read-only: other answers"
grep -q 'the catalog cannot be used: ' verified || fail "verify: $(cat verified)"
! grep -q 'manifest rebuild' verified || fail "what cannot be done is advised: $(cat verified)"
grep -q '^manifest: .*repo.*: Read-only file system$' rebuilt || fail "rebuild: $(cat rebuilt)"
sha256sum -c --quiet before || fail "something was changed"

# Where it can be written to, the journal is rolled back, and nothing is lost.
ask >got
cmp want got || fail "rolled back: other answers"
[ ! -e repo/catalog.sqlite3-journal ] || fail "the journal stays"

# No right to write, as whoever only reads has none.
crash
chmod 755 . repo
chmod -R a+rX repo key.pub
as_user bash -c "$(declare -f ask); first=$first; ask" >got 2>err || fail "$(cat err)"
cmp want got || fail "as a reader: other answers"

# A full volume: what is asked is answered, a rebuild says why it cannot be.
rm -f repo/catalog.sqlite3*
mkdir small
mount -t tmpfs -o size=8m,mode=755 none small 2>/dev/null || skip "no right to mount a tmpfs"
trap 'umount small' EXIT
cp -a repo small/
dd if=/dev/zero of=small/full bs=4096 status=none 2>/dev/null || true
export TARSEAL_REPO=small/repo
ask >got 2>err || fail "full: exit $?: $(cat err)"
cmp want got || fail "full: other answers"
expect 3 manifest rebuild
grep -q '^manifest: .*small/repo.*: .*\(full\|No space left on device\)' "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
[ -z "$(find small/repo -name '*catalog*')" ] || fail "left: $(ls -A small/repo)"
rm small/full
quiet manifest rebuild
