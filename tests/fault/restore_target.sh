#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Targets that are in the way: default ACLs and set-gid on them, too small, limits on file
# sizes, a stop in the middle.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need setfacl getfacl
sample_tree data
make_repo repo
backup_tree data repo
r() {
	expect "$1" restore --repo repo --trust key.pub "${@:2}"
}
told() {
	grep -q -- "$1" "$CASE_BASE/stderr" || fail "not told: $1
$(cat "$CASE_BASE/stderr")"
}

# What a target passes on to what is made in it must not get into a backup's files.
mkdir acl
setfacl -m u:4711:rwx,d:u:4711:rwx,d:g::rwx,d:o::rwx acl 2>/dev/null || skip "no ACLs here"
chmod g+s acl
r 0 --target acl
same_tree data acl
[ -z "$(getfacl -Rsp acl)" ] || fail "$(getfacl -Rsp acl)"
[ -z "$(find acl -perm /6000)" ] || fail "$(find acl -perm /6000)"

# Some files into a target leave it as it was.
mkdir some
setfacl -m u:4711:rwx,d:u:4711:rwx some
chmod 2770 some
before=$(getfacl some; stat -c %a some)
r 0 --target some config.json logs
[ "$(getfacl some; stat -c %a some)" = "$before" ] || fail "$(getfacl some; stat -c %a some)"
[ -z "$(getfacl -Rsp some/config.json some/logs)" ] || fail "$(getfacl -Rsp some)"

# Nor of somebody else's directory, whose ACL stays.
mkdir shared
setfacl -m d:u:4711:rwx shared
chmod 777 shared
if [ "$(id -u)" = 0 ]; then
	chmod 755 . .. # as_user must get here
	chmod -R a+rX repo key.pub
	expect 0 as_user restore --repo repo --trust key.pub --target shared config.json
	[ -z "$(getfacl -sp shared/config.json)" ] || fail "$(getfacl -sp shared/config.json)"
	getfacl shared | grep -q '^default:user:4711:rwx' || fail "its default ACL is gone"
fi

# A file that may not be so long.
status=0
(ulimit -f 1000 && restore --repo repo --trust key.pub --target limit) 2>err || status=$?
[ "$status" -eq 1 ] || [ "$status" -eq 3 ] || fail "exit $status: $(cat err)"
grep -q 'db/blob.*File too large' err || fail "$(cat err)"
[ ! -e limit/db/blob ] || fail "half a file"

# Stopped: as the signal says, and no half file.
mkfifo pipe
noise 60000000 3 >data/large
set_times data
backup_tree data repo
for delay in 0.03 0.06 0.1 0.15; do
	rm -rf stopped
	restore --repo repo --trust key.pub --target stopped 2>err &
	pid=$!
	sleep "$delay"
	kill -TERM $pid 2>/dev/null || true
	status=0
	wait $pid || status=$?
	[ "$status" -eq 143 ] || [ "$status" -eq 0 ] || fail "exit $status: $(cat err)"
	[ "$status" -eq 143 ] || continue
	[ ! -e stopped ] || fail "left $(ls -A stopped)"
done

need_root
mkdir full
mount -t tmpfs -o size=8m tmpfs full 2>/dev/null || skip "no right to mount"
trap 'umount full/inner 2>/dev/null || :; umount full' EXIT
setfacl -m d:u:4711:rwx full
r 3 --target full/sub
told 'target full/sub: .* of files do not fit, where .* is free (--force tries)$'
[ ! -e full/sub ] || fail "what was made is left"
before=$(stat -c '%y %a' full)
r 3 --target full
told 'target full: .* of files do not fit, where .* is free (--force tries)$'
# Tried all the same: nothing stays, and the target is as it was.
r 3 --target full --force
told 'restore: target full is as it was: .*large: .*No space left on device'
[ "$(grep -c -v 'warning: ' "$CASE_BASE/stderr")" -eq 1 ] || fail "$(cat "$CASE_BASE/stderr")"
[ "$(ls -A full; stat -c '%y %a' full)" = "$before" ] || fail "$(ls -lA full)"
getfacl full | grep -q '^default:user:4711:rwx' || fail "its default ACL is gone"

# Beside what is there: the command that does with the space there is.
rm data/large
backup_tree data repo
noise 7000000 4 >full/mine
r 3 --target full
command=$(sed -n 's/.*beside what is there.*; if what is there may go first: //p' "$CASE_BASE/stderr")
[ -e full/mine ] || fail "what was there is gone"
eval "expect 0 $command"
same_tree data full

# A mount below it can neither be moved nor emptied.
mkdir full/inner
mount -t tmpfs -o size=1m tmpfs full/inner
echo precious >full/inner/file
for mode in stage wipe; do
	r 3 --target full --mode $mode
	told 'target full: inner is a mount point'
done
r 0 --target full config.json
[ -e full/inner/file ] || fail "what was mounted is gone"
umount full/inner || fail "still mounted: $(lsof +D full 2>&1)"

# Files in use stop it, but where a single one is restored, only when it is that one.
(
	exec 9<full/config.json
	flock 9
	# Without descriptors to be seen, as in another container.
	unshare -p -f --mount-proc bash -c 'restore --repo repo --trust key.pub --target full' 2>err && exit 1
	grep -q 'target full: config.json is locked' err || fail "$(cat err)"
	r 4 --target full
	told 'target full: config.json is open in process'
	r 0 --target full logs
	r 1 --target full config.json
	told 'config.json: not restored: what is there is locked'
	r 0 --target full config.json --force
	r 0 --target full --force
)
same_tree data full
