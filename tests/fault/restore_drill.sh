#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Drills that are stopped, killed, or lack space; as a user; two at once; on real trees.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
mkdir scratch
backup_tree data repo
d() {
	expect "$1" restore --drill --repo repo --trust key.pub --scratch scratch "${@:2}"
}
told() {
	grep -q -- "$1" "$CASE_BASE/stderr" "$CASE_BASE/stdout" || fail "not told: $1
$(cat "$CASE_BASE/stderr" "$CASE_BASE/stdout")"
}
empty() {
	[ -z "$(ls -A scratch)" ] || fail "left: $(find scratch)"
}
wait_file() {
	local tries=200
	until [ -e "$1" ]; do
		[ $((tries--)) -gt 0 ] || fail "no $1"
		sleep 0.05
	done
}

# Asked to stop while the check command runs: that ends, too, and the tree goes.
restore --drill --repo repo --trust key.pub --scratch scratch \
    --check-command "touch $PWD/began; sleep 600" 2>stopped &
pid=$!
wait_file began
kill -TERM $pid
status=0
wait $pid || status=$?
[ $status = 143 ] || fail "exit $status: $(cat stopped)"
empty
[ -z "$(pgrep -f "touch $PWD/began")" ] || fail "the check command runs on"

# A check command that does not listen is made to end.
rm began
restore --drill --repo repo --trust key.pub --scratch scratch \
    --check-command "trap '' TERM; touch $PWD/began; while :; do sleep 1; done" 2>stopped &
pid=$!
wait_file began
kill -TERM $pid
status=0
wait $pid || status=$?
[ $status = 143 ] || fail "exit $status: $(cat stopped)"
empty

# Nothing that it starts runs on: not in a group of its own, as timeout(1) makes one, nor in a
# session of its own; but what whoever started us has started is not ours to end.
nap="exec -a nap-$$ sleep"
setsid_nap="setsid bash -c '$nap 600; :' >/dev/null 2>&1"
d 0 --check-command "$setsid_nap & (timeout 599 bash -c '$nap 600; :' &) ; sleep 0.3"
[ -z "$(pgrep -f "nap-$$")" ] || fail "runs on: $(pgrep -af "nap-$$")"
empty
bash -c "sleep 600 & echo \$! >ours; exec restore --drill --repo repo --trust key.pub --scratch scratch \
    --check-command 'setsid sleep 600 &'" >/dev/null
kill "$(cat ours)" || fail "a process that is not the check's was ended"
rm began
restore --drill --repo repo --trust key.pub --scratch scratch \
    --check-command "timeout 599 bash -c 'touch $PWD/began; $nap 600; :'; :" 2>stopped &
pid=$!
wait_file began
kill -TERM $pid
status=0
wait $pid || status=$?
[ $status = 143 ] || fail "exit $status: $(cat stopped)"
[ -z "$(pgrep -f "nap-$$")" ] || fail "runs on: $(pgrep -af "nap-$$")"
empty

# Killed: the next one removes what it left, but not what one that lives is at.
rm began
restore --drill --repo repo --trust key.pub --scratch scratch \
    --check-command "touch $PWD/began; sleep 600" 2>killed &
pid=$!
wait_file began
d 0
[ "$(find scratch -maxdepth 1 -name 'tarseal-drill-*' | wc -l)" = 1 ] || fail "$(ls scratch)"
kill -KILL $pid
wait $pid || :
[ -n "$(ls -A scratch)" ] || fail "nothing was left by a killed one"
d 0
told 'which a drill that was killed left, is removed'
empty
pkill -f "touch $PWD/began" || :

# What cannot be removed is how the drill ended; the backup is good all the same.
if [ "$(id -u)" = 0 ] && touch fixed && chattr +i fixed 2>/dev/null; then
	chattr -i fixed
	expect 3 restore --drill --repo repo --trust key.pub --scratch scratch --junit stays.xml \
	    --check-command 'chattr +i config.json'
	grep -q 'name="remove"' stays.xml || fail "$(cat stays.xml)"
	[ "$(grep -c '<failure' stays.xml)" = 1 ] || fail "$(cat stays.xml)"
	manifest list --repo repo --trust key.pub >listed
	grep -q drill listed || fail "$(cat listed)"
	! grep -q FAILED listed || fail "$(cat listed)"
	chattr -i scratch/*/tree/config.json
	d 0
	empty
fi
# A report of yesterday does not stay where there is no repository any more.
expect 3 restore --drill --repo gone --trust key.pub --scratch scratch --junit stays.xml
grep -q '<failure message="repository gone' stays.xml || fail "$(cat stays.xml)"

# No space: told before anything is written, or when it comes to it.
if [ "$(id -u)" = 0 ]; then
	mkdir small
	mount -t tmpfs -o size=1M tmpfs small || skip "no mounts here"
	trap 'umount "$PWD/small"' EXIT
	expect 3 restore --drill --repo repo --trust key.pub --scratch small --junit full.xml
	told 'do not fit'
	grep -q '<failure message="target .*do not fit' full.xml || fail "$(cat full.xml)"
	[ -z "$(ls -A small)" ] || fail "left: $(find small)"
	expect 3 restore --drill --repo repo --trust key.pub --scratch small --force
	told 'No space left'
	[ -z "$(ls -A small)" ] || fail "left: $(find small)"

	# What cannot be removed is told, and the next one that can removes it, as of a killed one.
	for name in db empty logs; do
		d 3 --check-command "mount -t tmpfs t $name"
		told 'remove .*: Device or resource busy'
		d 0
		told 'which a drill that was killed left, cannot be removed'
		umount scratch/tarseal-drill-*/tree/$name
		d 0
		told 'which a drill that was killed left, is removed'
		empty
	done
fi

# What a user may not restore is told, and no difference; what it may is compared.
mkdir -p users/dir users/closed
echo x >users/file
echo y >users/closed/in
mkfifo users/fifo
chmod 4755 users/file
chmod 0 users/fifo
echo z >users/secret
chmod 0 users/secret
chmod 0300 users/closed
if [ "$(id -u)" = 0 ]; then
	mknod users/null c 1 3 || skip "no devices here"
	chown -R 1234:1235 users/dir users/file
	setfattr -n trusted.x -v y users/dir || skip "no trusted attributes here"
fi
backup_tree users repo
chmod -R a+rX repo key.pub
chmod 777 scratch
chmod 755 . ..
expect 0 as_user restore --drill --repo repo --trust key.pub --scratch scratch
told 'no difference, but for what this user may not do'
empty
d 0
told ': no difference$'
empty

# A tree of the machine's, owners and all.
backup_tree /usr/share/doc repo
expect 0 restore --drill --repo repo --trust key.pub --scratch scratch
told ': no difference'
empty
