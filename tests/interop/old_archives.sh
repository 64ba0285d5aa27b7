#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A repository that already holds ten busybox archives with our name pattern: after
# backups and a roll-forward all ten are as they were.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need busybox

"$TESTS/make-tree" portable src
make_repo repo
for day in 0 1 2 3 4 5 6 7 8 9; do
	(cd src && busybox tar -czf "../repo/autolab-backup-2026020${day}_000005.tar.gz" .)
done
old_archives() {
	find repo -name 'autolab-backup-2026020*' -printf '%f %i %T@ %s\n' | sort
	(cd repo && sha256sum autolab-backup-2026020*)
}
old_archives >before

backup_tree src repo
backup_tree src repo

# Cut off between the durable seal and the renames: the next run finishes it.
name=$(newest repo)
for part in tar.gz manifest.gz seal; do
	mv "$name.$part" "repo/.${name##*/}.$part.new"
done
# And one without a seal: the next run clears it away.
cp "repo/.${name##*/}.tar.gz.new" repo/.autolab-backup-20260209_000006.tar.gz.new
backup_tree src repo
[ -e "$name.seal" ] || fail "the sealed backup was not rolled forward"
[ ! -e repo/.autolab-backup-20260209_000006.tar.gz.new ] || fail "the unsealed leftover is still there"

old_archives | diff before -
verify --all --repo repo --trust key.pub --level deep
