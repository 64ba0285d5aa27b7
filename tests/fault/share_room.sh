#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A volume on which nights share blocks, and which has no room for a whole archive: that is no reason
# to refuse a backup, nor to remove others, nor to remove more of them than it takes.
# long
# timeout: 600
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need faketime jq mkfs.xfs mkfs.btrfs
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
make_key

# night N [OPTION...]
night() {
	local n=$1
	shift
	faketime -f "+${n}d" backup --source data --repo "$v/repo" --key key --json "$@"
}
# is JSON-PATH VALUE: in what the last night said.
is() {
	[ "$(jq -c "$1" "$CASE_BASE/stdout")" = "$2" ] ||
	    fail "$v: $1 is not $2: $(cat "$CASE_BASE/stdout" "$CASE_BASE/stderr")"
}
says() { grep -q "$1" "$CASE_BASE/stderr" || fail "$v: not \"$1\": $(cat "$CASE_BASE/stderr")"; }
numbers() { sed -n 's/^# sequence: //p' "$v/repo/"*.seal | sort -n | paste -sd' '; }
well() {
	quiet verify --all --repo "$v/repo" --trust key.pub
	[ -z "$(find "$v/repo" -name '.*.new')" ] || fail "left $(ls -A "$v/repo")"
}

# change FROM TO SEED: these files of a megabyte have something else in them.
change() {
	local i
	for ((i = $1; i <= $2; i++)); do
		noise 1000000 $(($3 * 100 + i)) >"data/$i"
	done
}
# free: MB, when they do not change any more: both give space back in the background.
free() {
	local now=0 before=-1
	while [ "$now" != "$before" ]; do
		sync -f "$v"
		before=$now
		sleep 0.7
		now=$(df -m --output=avail "$v" | tail -n 1 | tr -d ' ')
	done
	echo "$now"
}
# leave MB: so much of the volume is free.
leave() {
	rm -f "$v/fill"
	head -c $(($(free) - $1))M /dev/zero >"$v/fill"
	sync -f "$v"
}

no_room_for_an_archive() {
	rm -rf data
	mkdir data "$v/repo"
	change 1 40 0
	expect 0 night 1
	change 1 8 1
	expect 0 night 2
	change 1 8 2
	expect 0 night 3
	is '.bytes_shared > 30000000' true

	# A megabyte has changed, 15 are free, the archive has 40.
	leave 15
	change 20 20 3
	expect 0 night 4 -v
	is '[.warnings, (.bytes_shared > 38000000)]' '[0,true]'
	says 'is needed, and what has changed: the rest of the archive is expected to be blocks of the last one'
	says 'is shared with it, and takes no space of its own'
	change 20 20 4
	expect 0 night 5 --keep-last 9 --make-room
	is '[.pruned, .warnings]' '[[],0]'
	[ "$(numbers)" = "1 2 3 4 5" ] || fail "there are $(numbers)"

	# Twenty have changed: nobody could know.  Nothing goes that need not.
	leave 15
	change 21 40 5
	expect 3 night 6 --keep-last 2
	says 'No space left on device'
	[ "$(numbers)" = "1 2 3 4 5" ] || fail "there are $(numbers)"
	well
	expect 0 night 6 --keep-last 2 --make-room
	says 'with what is free now the backup begins again'
	is "[.pruned[] | select(.for_room)] | length <= $goes and length > 0" true
	[ "$(numbers)" = "5 6" ] || fail "there are $(numbers)"
	well
}

# The seventh is to be written physically.
no_room_for_a_copy_of_its_own() {
	leave 30
	expect 0 night 7
	says 'no space for a copy of its own: .* is free, about .* is needed; the backup shares blocks with the last one instead'
	is '.bytes_shared > 38000000' true
	well
	# With room for it, it is made, and older ones go for it if they may.
	for n in 8 9 10 11 12 13; do
		expect 0 night $n
	done
	rm "$v/fill"
	free >/dev/null
	expect 0 night 14 -v
	says 'written without sharing blocks, as one backup in 7 is'
	is '.bytes_shared' 0
	well
}

# Not even for what is written in any case.
no_room_at_all() {
	head -c 1G /dev/zero >"$v/fill" 2>/dev/null || :
	expect 3 night 15
	says 'no space for another backup\|No space left on device'
	rm "$v/fill"
	well
}

# on GOES VOLUME...: how many it takes to make room for a few megabytes.
on() {
	goes=$1
	v=$2
	volume "${@:2}"
	no_room_for_an_archive
	no_room_for_a_copy_of_its_own
	no_room_at_all
}

on 1 xfs 300M mkfs.xfs -q
# What was written in one piece is free there only when nobody has any of it, and a rename wants
# space of its own: all that may go.
on 4 btrfs 300M mkfs.btrfs -q --mixed
