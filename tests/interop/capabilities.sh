#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Root in a container has not all rights. What docs/OPERATIONS.md lists is what a tree with everything in it
# takes, to be backed up and to be restored; and one that is left out is told, by what it costs, with exit 1, and
# nothing else is wrong.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need setpriv setfacl setfattr setcap rsync
chmod 755 .
mkdir -p data/dir data/closed data/sgid data/ours
echo a >data/dir/a
ln data/dir/a data/dir/hard
ln -s a data/dir/link
echo b >data/closed/b
echo c >data/capped
echo s >data/suid
echo t >data/trusted
echo u >data/user
mkfifo data/fifo
mknod data/null c 1 3 || skip "no right to make devices"
setfattr -n user.x -v 1 data/user 2>/dev/null || skip "no attributes here"
setfattr -n trusted.x -v 1 data/trusted || skip "no right to set trusted attributes"
setfacl -m u:4711:r data/user
setfacl -d -m u:4711:rx data/dir
chown -R -h 1000:1001 data
chown -R 0:0 data/ours data/dir/a
chown -R 2000:2000 data/closed
chmod 4755 data/suid
chmod 2775 data/sgid
chmod 400 data/user
chmod 0 data/closed/b data/closed
setcap cap_net_raw+ep data/capped || skip "no right to set capabilities"
set_times data
make_repo repo

# with CAPS CMD...: as root that has these, and no other.
with() {
	local caps=$1
	shift
	setpriv --inh-caps=-all --bounding-set="-all${caps:+,+${caps//,/,+}}" "$@"
}
told() {
	grep -q -- "$1" "$CASE_BASE/stderr" || fail "$what, not told: $1
$(cat "$CASE_BASE/stderr")"
}

# The lists that the page gives.
list() {
	sed -n "s/^| $1 *| \`\([A-Z_, ]*\)\`.*/\1/p" "$TOP/docs/OPERATIONS.md" | tr -d ' ' | tr '[:upper:]' '[:lower:]'
}
backup_caps=$(list backup) restore_caps=$(list restore)
if [ -z "$backup_caps" ] || [ -z "$restore_caps" ]; then
	fail "docs/OPERATIONS.md has no lists of capabilities"
fi

# ---- backup ----

what="a backup without any"
expect 1 with "" backup --source data --repo repo --key key
told 'closed: cannot be read: Permission denied'
told 'user: cannot be read: Permission denied'
rm -f repo/*
what="a backup"
expect 0 with "$backup_caps" backup --source data --repo repo --key key
[ ! -s "$CASE_BASE/stderr" ] || fail "$(cat "$CASE_BASE/stderr")"
# Attributes of that kind are not even seen without.
restore --repo repo --trust key.pub --target seen --quiet
! getfattr -d -m trusted seen/trusted 2>/dev/null | grep -q . || fail "trusted attributes take no right here"
rm -rf repo/* seen
expect 0 with "$backup_caps,sys_admin" backup --source data --repo repo --key key

# ---- restore ----

r() {
	rm -rf out
	expect "$1" with "$2" restore --repo repo --trust key.pub --target out "${@:3}"
}
# differs: what is not as it was, by rsync's columns.
differs() {
	rsync -aHAXn --numeric-ids --checksum --delete --itemize-changes data/ out/ | sed 's/^\(.\{11\}\) /\1:/' | sort
}
all=$restore_caps,sys_admin
what="all of them"
for mode in stage merge wipe; do
	r 0 "$all" --mode $mode
	[ ! -s "$CASE_BASE/stderr" ] || fail "$mode: $(cat "$CASE_BASE/stderr")"
	same_tree data out
done
# In place of what is there, which is somebody else's, too.
echo more >out/closed/more
expect 0 with "$all" restore --repo repo --trust key.pub --target out
same_tree data out
expect 0 with "$all" restore --repo repo --trust key.pub --target out --mode merge
same_tree data out

without() {
	what="without $1"
	r "$2" "$(tr , '\n' <<<"$all" | grep -vx "$1" | paste -sd,)" "${@:3}"
}
without sys_admin 1
told 'root may not do that here: extended attributes of 1'
[ "$(differs)" = ".f........x:trusted" ] || fail "$what: $(differs)"
without setfcap 1
told 'root may not do that here: extended attributes of 1'
[ "$(differs)" = ".f........x:capped" ] || fail "$what: $(differs)"
without mknod 1
told 'root may not do that here: device of 1'
[ "$(differs)" = "cD+++++++++:null" ] || fail "$what: $(differs)"
without fsetid 1
told 'sgid: the file system did not keep the mode (2775 became 0775)'
[ "$(differs)" = ".d...p.....:sgid/" ] || fail "$what: $(differs)"
without chown 1
told 'root may not do that here: owner of 12, set-id bits of 1'
! differs | grep -qv '^......*[og]' || fail "$what: $(differs)"
[ "$(stat -c %a out/suid)" = 755 ] || fail "$what: a set-id bit for root: $(stat -c %a out/suid)"
without fowner 1
told 'closed: set the mode: Operation not permitted'
told 'closed/b: set the time: Operation not permitted'
! differs | grep -qv '^\.' || fail "$what: $(differs)"
# Files come back; nothing of others is moved, and that is known before anything has moved.
mkdir was
echo was >was/file
without dac_override 3
told 'target out is as it was: .* is somebody else.s directory, and cannot be moved: that takes the capability DAC_OVERRIDE'
[ ! -e out ] || fail "$what: left $(find out)"
without dac_override 1 user dir closed
told 'user: user.x: Permission denied'
[ "$(rsync -aHAXn --numeric-ids --checksum --itemize-changes data/{user,dir,closed} out)" = ".f........x user" ] ||
    fail "$what: $(differs)"
cp -a was there
chown 1000 there/file
what="without dac_override, over something"
expect 3 with "${all/dac_override,/}" restore --repo repo --trust key.pub --target there
told 'target there is as it was'
[ "$(ls -A there)" = file ] || fail "$what: $(find there)"
expect 3 with "${all/dac_override,/}" restore --repo repo --trust key.pub --target there --mode wipe
restore --repo repo --trust key.pub --target there --quiet # what was there may have gone by then
same_tree data there
# What is root's own takes none.
rm -rf repo/* out
mkdir plain
cp -a data/ours plain
echo x >plain/ours/file
backup_tree plain repo
expect 0 with "" restore --repo repo --trust key.pub --target out
same_tree plain out

# ---- a user moves what is theirs, also what they may not write in ----

mkdir user
chmod 777 user
mkdir user/data user/data/closed
echo x >user/data/closed/file
chmod 555 user/data/closed
chown -R 65534:65534 user/data
chmod 777 repo
rm -rf repo/*
backup_tree user/data repo
chmod -R a+rX repo key.pub
for mode in stage stage wipe stage; do
	expect 0 as_user restore --repo repo --trust key.pub --target user/out --mode $mode
	same_tree user/data user/out
done
