#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A repository of the first format, as it was written once (tests/data/format-1), stays
# readable for ever: verified, restored, indexed, and built upon.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir repo
cp "$TESTS/data/format-1/"autolab* repo
cp "$TESTS/data/format-1/key.pub" .
first=autolab-backup-20261123_165113
second=autolab-backup-20261123_165215
common=(--repo repo --trust key.pub)

# Owners and set-id bits come back to root only; attributes, where the file system has them.
facts() {
	(
		cd "$1" || exit
		find . -type d -printf '%P d %m %U:%G %T@\n' -o -printf '%P %y %m %U:%G %T@ %n %s %l\n' |
		    sort
		find . -type f -exec sha256sum {} + | sort -k 2
	) | if [ "$(id -u)" = 0 ]; then cat; else sed "s/ $(id -u):$(id -g) / 1000:1000 /; s/ f 755 / f 4755 /"; fi
}

quiet verify --all "${common[@]}" --level deep
for backup in $first $second; do
	expect 0 restore "${common[@]}" --backup "$backup" --target "$backup"
	facts "$backup" >"facts-$backup"
	diff "$TESTS/data/format-1/$backup.facts" "facts-$backup"
	[ "$(restore "${common[@]}" --backup "$backup" --stdout config.json)" = '{"id": 1, "name": "first"}' ] ||
	    fail "config.json of $backup"
done
touch probe
if setfattr -n user.comment -v x probe 2>/dev/null; then
	value=$(getfattr --only-values -n user.comment $second/logs/app.log)
	[ "$value" = 'a value' ] || fail "the attribute is $value"
fi

quiet manifest rebuild "${common[@]}"
[ "$(manifest find "${common[@]}" old | grep -c " $first  *old$")" = 1 ] || fail "find: $(manifest find "${common[@]}" old)"
history=$(manifest history "${common[@]}" logs/app.log)
[ "$(grep -c "$first\|$second" <<<"$history")" = 2 ] || fail "history: $history"

# One more backup, under another key that trusts the first: all three belong together.
make_key new
cat key.pub new.pub >both.pub
mkdir data
echo data >data/file
quiet backup --source data --repo repo --key new --trust both.pub
[ "$(grep -c "^# holds: \($first\|$second\) " "$(newest repo).seal")" = 2 ] || fail "$(cat "$(newest repo).seal")"
quiet verify --all --repo repo --trust both.pub --level deep
quiet manifest list --repo repo --trust both.pub
