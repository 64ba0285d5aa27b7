#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Repositories of the first format, as they were written once (tests/data/format-1, and the same
# tree with padded members in format-1-padded), stay readable for ever: verified, restored,
# indexed, and built upon.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

# Owners and set-id bits come back to root only; attributes, where the file system has them.
facts() {
	(
		cd "$1" || exit
		find . -type d -printf '%P d %m %U:%G %T@\n' -o -printf '%P %y %m %U:%G %T@ %n %s %l\n' |
		    sort
		find . -type f -exec sha256sum {} + | sort -k 2
	) | if [ "$(id -u)" = 0 ]; then cat; else sed "s/ $(id -u):$(id -g) / 1000:1000 /; s/ f 755 / f 4755 /"; fi
}

# restores BACKUP FACTS
restores() {
	expect 0 restore "${common[@]}" --backup "$1" --target "$1"
	facts "$1" >"facts-$1"
	diff "$TESTS/data/format-1/$2.facts" "facts-$1"
	[ "$(restore "${common[@]}" --backup "$1" --stdout config.json)" = '{"id": 1, "name": "first"}' ] ||
	    fail "config.json of $1"
}

has_attribute() {
	local value
	touch probe
	setfattr -n user.comment -v x probe 2>/dev/null || return 0
	value=$(getfattr --only-values -n user.comment "$1")
	[ "$value" = 'a value' ] || fail "the attribute is $value"
}

# answers FIRST SECOND
answers() {
	local history found
	quiet manifest rebuild "${common[@]}"
	found=$(manifest find "${common[@]}" old)
	[ "$(grep -c " $1  *old$" <<<"$found")" = 1 ] || fail "find: $found"
	history=$(manifest history "${common[@]}" logs/app.log)
	[ "$(grep -c "$1\|$2" <<<"$history")" = 2 ] || fail "history: $history"
}

# One more backup, under another key that trusts the first: all three belong together.
one_more() {
	make_key new
	cat key.pub new.pub >both.pub
	mkdir data
	echo data >data/file
	quiet backup --source data --repo repo --key new --trust both.pub
	[ "$(grep -c "^# holds: \($1\|$2\) " "$(newest repo).seal")" = 2 ] || fail "$(cat "$(newest repo).seal")"
	quiet verify --all --repo repo --trust both.pub --level deep
	quiet manifest list --repo repo --trust both.pub
}

# stays_readable FIXTURE FIRST SECOND
stays_readable() {
	mkdir "$1"
	cd "$1" || exit
	mkdir repo
	cp "$TESTS/data/$1/"autolab*.{tar.gz,manifest.gz,seal} repo
	cp "$TESTS/data/$1/key.pub" .
	common=(--repo repo --trust key.pub)
	quiet verify --all "${common[@]}" --level deep
	restores "$2" autolab-backup-20261123_165113
	restores "$3" autolab-backup-20261123_165215
	has_attribute "$3/logs/app.log"
	answers "$2" "$3"
	one_more "$2" "$3"
	cd .. || exit
}

stays_readable format-1 autolab-backup-20261123_165113 autolab-backup-20261123_165215
stays_readable format-1-padded autolab-backup-20261129_023018 autolab-backup-20261129_023020

# It is what its name says.
for archive in "$TESTS/data/format-1-padded/"*.tar.gz; do
	[ $(($(stat -c %s "$archive") % 4096)) = 0 ] || fail "$archive is not padded"
	zcat "${archive%tar.gz}manifest.gz" | grep -qx '# tarseal-index 2' || fail "an index of another version"
	gzip -t "$archive"
done
