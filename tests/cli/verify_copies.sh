#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify names the other backups that hold what is damaged, and only those that do.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need jq
mkdir data
noise 2500000 1 >data/blob
printf 'small\n' >data/small
# With a hole before its second part, so that chunks are not where their numbers would have them.
truncate -s 100M data/holes
noise 1500000 2 | dd of=data/holes conv=notrunc status=none
noise 1500000 3 | dd of=data/holes bs=1M seek=90 conv=notrunc status=none
set_times data
make_repo whole
for night in 1 2 3 4 5 6; do
	echo $night >data/night
	set_times data
	backup_tree data whole
	names[night]=$(basename "$(newest whole)")
done
backup_tree data whole --series other --compression 1 --reuse none
other=$(basename whole/other-*.seal .seal)
fresh() {
	rm -rf repo
	cp -a whole repo
}
# hurt NAME KIND PATH FILE-OFFSET: a bit in the middle of that member's packed bytes, found by the index.
hurt() {
	local at
	at=$(zcat "repo/$1.manifest.gz" | awk -v kind="$2" -v at="$4" -v path="$3" \
	    '$1 == "#@" && $2 == kind && $(NF - 1) == at && $NF == path { print $3 + int($4 / 2) }')
	[ "$at" ] || fail "$1 has no such member: $2 $3 $4"
	flip "repo/$1.tar.gz" "$at"
}
v() { run verify --repo repo --trust key.pub "${names[3]}" "$@"; }
intact() { run_sh "verify --repo repo --trust key.pub ${names[3]} --json | jq -c '.backups[].findings[] | select(.kind == \"damage\") | [.member, .file_from, .file_to, .intact_in, [.files[]?.path]]'"; }

echo "-- the nearest of those that hold it, before and behind"
fresh
hurt "${names[3]}" c ./blob 1048576
v
intact

echo "-- those that are hurt there as well do not; packed in another way it is the same"
for n in 2 4 5 6; do hurt "${names[n]}" c ./blob 1048576; done
v
hurt "${names[1]}" c ./blob 1048576
v
hurt "$other" c ./blob 1048576
v

echo "-- only what a trusted seal vouches for, and with a sound manifest and archive"
fresh
hurt "${names[3]}" c ./blob 0
sed -i 's/^# changed: 0/# changed: 1/' "repo/${names[2]}.seal"
flip "repo/${names[4]}.manifest.gz" $(($(stat -c %s "repo/${names[4]}.manifest.gz") - 20))
rm "repo/${names[5]}.tar.gz"
truncate -s 1000 "repo/${names[6]}.tar.gz"
intact
run_sh "verify --repo repo --untrusted ${names[3]} --json | jq -c '.backups[].findings[] | select(.kind == \"damage\") | .intact_in'"

echo "-- what changed since is in no other; the header, the end, and a file with a hole before its part"
fresh
hurt "${names[3]}" h ./blob 0
hurt "${names[3]}" c ./holes 94371840
hurt "${names[3]}" f ./night 0
hurt "${names[3]}" e - 0
v
intact

echo "-- what was cut off"
fresh
truncate -s 2000000 "repo/${names[3]}.tar.gz"
v
run_sh "verify --repo repo --trust key.pub ${names[3]} --json | jq -c '.backups[].findings[] | [.code, .intact_in]'"
cp "whole/${names[3]}.tar.gz" repo
truncate -s -5 "repo/${names[3]}.tar.gz"
run_sh "verify --repo repo --trust key.pub ${names[3]} | sed 's/ends at [0-9]* within/ends at 1 within/'"

echo "-- nothing is damaged: nobody is asked"
fresh
v
