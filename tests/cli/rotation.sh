#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Another key from one night on, and the old one's public key forgotten for some nights: when it is
# named in the end, the newest nights are the newest, and those that stay.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"

sample_tree data
make_key old
make_key new
mkdir repo
night() {
	local day=$1
	shift
	quiet faketime "2026-03-$day 00:00:05" backup --timezone UTC --source data --repo repo --keep-last 3 "$@"
}
numbers() {
	local seal
	for seal in repo/*.seal; do
		echo "$(sed -n 's/^# sequence: //p' "$seal") ${seal#repo/}"
	done | sort -n
}
for day in 01 02 03 04 05; do night $day --key old; done
for day in 06 07; do night $day --key new; done
echo "-- two histories side by side"
run numbers
night 08 --key new --trust old.pub
echo "-- one of them again"
run numbers
cat old.pub new.pub >both.pub
run manifest prune --repo repo --trust both.pub --dry-run --keep-last 3 --null
quiet verify --repo repo --trust both.pub --all

echo "-- from no key to a key, and back"
mkdir plain
quiet backup --source data --repo plain --unsigned
quiet backup --source data --repo plain --unsigned
quiet backup --source data --repo plain --key new
quiet backup --source data --repo plain --unsigned
run_sh 'cat plain/*.seal | sed -n "s/^# sequence: //p" | sort -n'
