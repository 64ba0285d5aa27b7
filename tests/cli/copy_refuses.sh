#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is not copied: what is damaged, here or there, and what nobody trusted signed.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

make_repo repo dest
mkdir data
names=()
for i in 1 2 3 4; do
	noise 50000 "$i" >data/f
	backup_tree data repo
	names+=("$(basename "$(newest repo)")")
done
c() {
	run manifest copy "$@" --repo repo --trust key.pub
}
holds() {
	local name
	for name in "${names[@]}"; do
		[ ! -f "dest/$name.seal" ] || echo "$name"
	done
}

# Damaged in many ways; the one in between goes, and nothing of the others is left.
cp -r repo sound
flip "repo/${names[0]}.tar.gz" 300
truncate -s -1 "repo/${names[1]}.manifest.gz"
rm "repo/${names[3]}.tar.gz"
c dest --new
holds
expect 5 verify "${names[2]}" --repo dest --trust key.pub --level deep
[ -z "$(find dest -name '.*.new')" ] || fail "left $(ls -A dest)"
[ "$(find dest -name 'auto*' | wc -l)" = 3 ] || fail "more than one backup is there: $(ls -A dest)"
cp sound/* repo/
flip "repo/${names[1]}.manifest.gz" 40
echo more >>"repo/${names[3]}.tar.gz"
c dest
rm "repo/${names[3]}.tar.gz"
ln -s /dev/zero "repo/${names[3]}.tar.gz"
c dest "${names[3]}"
cp --remove-destination sound/* repo/
c dest
quiet verify --all --repo dest --trust key.pub

# A key that is not trusted; a seal that was edited; one that is none; one without a signature.
rm -r dest
mkdir dest
make_key other
run manifest copy dest --new --repo repo --trust other.pub
sed -i 's/^# entries: 2/# entries: 3/' "repo/${names[0]}.seal"
echo garbage >"repo/${names[1]}.seal"
{
	head -n -1 "sound/${names[2]}.seal"
	echo '# signature: none'
} >"repo/${names[2]}.seal"
c dest --new
holds
c dest "${names[0]}"
c dest "${names[1]}"
c dest "${names[2]}"
run manifest copy dest --repo repo
cp sound/* repo/

# Who copied without looking gets the right seals now.
c dest
quiet verify --all --repo dest --trust key.pub
rm -r dest

# There, but no more what it was.
cp -r sound dest
truncate -s 100 "dest/${names[0]}.tar.gz"
rm "dest/${names[1]}.manifest.gz"
echo garbage >"dest/${names[2]}.seal"
run_sh "manifest copy dest --new --dry-run --repo repo --trust key.pub | sed 's/[^ ]* is free/SPACE is free/'"
c dest
