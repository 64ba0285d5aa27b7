#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Restores in each mode onto what volumes have: ext4, XFS, tmpfs; and as a user.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need rsync mkfs.ext4 mkfs.xfs
sample_tree data
make_repo repo
backup_tree data repo
cp -a data older
echo older >older/config.json
mkdir older/gone
echo gone >older/gone/file

r() {
	expect "$1" restore --repo repo --trust key.pub --target "$v" "${@:2}"
}

all_modes() {
	v=$1
	for mode in stage wipe; do
		cp -a older/. "$v"
		r 0 --mode $mode
		RSYNC_EXTRA=--exclude=/lost+found same_tree data "$v"
	done
	cp -a older/. "$v"
	r 0 --mode merge
	[ "$(cat "$v/gone/file")" = gone ] || fail "$v: a merge removed something"
	[ "$(stat -c %y data)" = "$(stat -c %y "$v")" ] || fail "$v: the time of the top"
	rm -r "$v/gone"
	touch -r data "$v"
	RSYNC_EXTRA=--exclude=/lost+found same_tree data "$v"
	echo older >"$v/config.json"
	r 0 config.json
	cmp data/config.json "$v/config.json"
	[ ! -e "$v/.tarseal-restore" ] || fail "$v: left $(ls -A "$v/.tarseal-restore")"
}

volume ext4 100M mkfs.ext4 -q
all_modes ext4
[ -d ext4/lost+found ] || fail "lost+found is gone"
volume xfs 300M mkfs.xfs -q
all_modes xfs
mkdir tmpfs
mount -t tmpfs -o size=100m tmpfs tmpfs
trap 'umount tmpfs; volumes_gone' EXIT
all_modes tmpfs
umount tmpfs
trap volumes_gone EXIT

# As a user: a target of theirs, with things that are another's in it.
chmod 755 . ..
chmod -R a+rX repo key.pub
mkdir -m 755 mine
chown nobody mine
as_user mkdir mine/sub
echo "not theirs" >mine/sub/root
for mode in stage wipe; do
	expect 0 as_user restore --repo repo --trust key.pub --target mine --mode $mode
	diff -r --no-dereference data mine || fail "as a user: $mode"
done
