#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/OPERATIONS.md, "By hand, without Tarseal": its commands, in its order, word for word but
# for the places of files, with none of our programs in PATH: once with the GNU tools, once with
# busybox.  Then our programs look at what was done.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need busybox faketime openssl gzip
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"

page=${OPERATIONS_PAGE:-$TOP/docs/OPERATIONS.md}
awk '/^## /    { inside = /^## By hand, without Tarseal/ }
     !inside   { next }
     /^### /   { printf "echo \"== %s\"\n", substr($0, 5) }
     /^    /   { print substr($0, 5) }' "$page" >commands
[ "$(grep -c '^echo "== ' commands)" -ge 10 ] || fail "the section is gone from docs/OPERATIONS.md"

# ---- a repository with all that the page speaks of ----

owner=$(id -u)
[ "$owner" != 0 ] || owner=65534
sample_tree data
mkdir repo offsite safe
make_key safe/key
if [ "$(id -u)" = 0 ]; then chown -R "$owner:$owner" data repo safe; fi
night() { # night DATE EXPECTED-STATUS
	# shellcheck disable=SC2016 # for the inner shell, which is the user's own from its start
	expect "${2-0}" as_user bash -c 'faketime -f "$0" "$@"' "2026-02-$1 00:00:05" \
	    backup --source data --repo repo --key safe/key
}
name() { echo "repo/autolab-backup-202602$1_000005"; }
export TZ=UTC
night 07
night 08
echo 4 >>data/logs/app.log
night 09
echo 5 >>data/logs/app.log
night 10
chmod 0 data/config.json
night 11 1
chmod 644 data/config.json
night 12
cp repo/*.seal offsite
(cd data && busybox tar -czf ../repo/autolab-backup-20260130_000003.tar.gz .)
rm "$(name 09).seal"
for part in tar.gz manifest.gz seal; do mv "$(name 12).$part" "repo/.autolab-backup-20260212_000005.$part.new"; done
# Two that were not finished: one without its seal, one whose archive is cut.
cp repo/.autolab-backup-20260212_000005.tar.gz.new repo/.autolab-backup-20260213_000005.tar.gz.new
for part in tar.gz manifest.gz seal; do
	cp "repo/.autolab-backup-20260212_000005.$part.new" "repo/.autolab-backup-20260214_000005.$part.new"
done
sed -i 's/20260212/20260214/' repo/.autolab-backup-20260214_000005.seal.new
truncate -s -1 repo/.autolab-backup-20260214_000005.tar.gz.new
mkdir base
cp -a repo base

# ---- the two sets of tools ----

mkdir gnu box
for tool in awk base64 cat cp cut grep gzip head ls mkdir mv openssl rm sed sha256sum sort sync tail tar tee tr zcat; do
	ln -s "$(command -v "$tool")" "gnu/$tool"
done
ln -s "$(command -v dash || command -v bash)" gnu/sh
for tool in $(busybox --list); do ln -s "$(command -v busybox)" "box/$tool"; done
ln -s "$(command -v openssl)" box/openssl

for set in gnu box; do
	rm -rf repo restore tmp
	cp -a base/repo repo
	mkdir tmp
	sed "s#/\(backups\|safe\|offsite\|restore\|tmp\)\>#%%\1#g; s#%%backups#%%repo#g; s#%%#$PWD/#g" commands >script
	grep -q "$PWD/repo" script || fail "the places on the page have changed"
	cp safe/key.pub tmp/before.pub
	env -i PATH="$PWD/$set" "$PWD/$set/sh" -eu script >did 2>err || fail "$set: exit $?: $(cat did err)"
	part() { sed -n "/^== $1/,/^== /p" did | sed '1d; /^== /d'; }
	says() { # says HEADING PATTERN
		part "$1" | grep -q -- "$2" || fail "$set: \"$1\" does not say $2: $(part "$1")"
	}

	says 'Which backup' '^5 no-1 autolab-backup-20260211_000005$'
	says 'Which backup' '^autolab-backup-20260210_000005$'
	says 'Is it ours' 'Signature Verified Successfully'
	says 'Is it ours' '^autolab-backup-20260210_000005.tar.gz: OK$'
	says 'Is it ours' '^autolab-backup-20260210_000005.manifest.gz: OK$'
	says 'Is it ours' '^autolab-backup-20260208_000005: held$'
	says 'Is it ours' '^autolab-backup-20260209_000005: GONE OR EXCHANGED$'
	says 'What is in it' ' logs/app.log$'
	says 'What is in it' '^\./odd\\040name\\012with\\040newline type=file'
	[ "$(part 'What is in it' | grep -c '^autolab-backup-.* \./logs/app.log type=file')" -ge 4 ] ||
	    fail "$set: versions of a file: $(part 'What is in it')"
	[ -z "$(part 'Get all')" ] || fail "$set: $(part 'Get all')"
	[ "$(part 'Get one' | cut -c 1-64 | uniq -c | awk '{print $1}')" = 2 ] || fail "$set: one file: $(part 'Get one')"
	for f in logs/app.log db/table db/blob; do cmp "restore/$f" "data/$f"; done
	[ -z "$(find repo -name '*20260207_000005*')" ] || fail "$set: the old backup is still there"
	says 'A run was cut' '^autolab-backup-20260212_000005: finished$'
	says 'A run was cut' '^autolab-backup-20260214_000005: not whole: remove'
	says 'A run was cut' '^\.lock$'
	[ "$(part 'A seal is' | cut -d' ' -f1 | sort -u | wc -l)" = 1 ] || fail "$set: $(part 'A seal is')"
	[ ! -e repo/catalog.sqlite3 ] || fail "$set: the catalog is still there"
	cmp tmp/key.pub tmp/before.pub
	says 'Archives from' '^autolab-backup-20260130_000003.tar.gz: no seal, whole'

	# One on hold, and the newest complete one, are not removed by these commands.
	sed -n '/^echo "== Remove/,/^echo "== A run/p' script | sed '/^echo/d' >remove
	for keep in 08 10; do
		echo "1 yes autolab-backup-202602${keep}_000005" >tmp/list
		[ $keep = 10 ] || echo "somebody wants it" >"$(name $keep).hold"
		(cd repo && env -i PATH="$OLDPWD/$set" NAME=autolab-backup-20260210_000005 "$OLDPWD/$set/sh" -eu ../remove)
		for part in tar.gz manifest.gz seal; do
			[ -e "$(name $keep).$part" ] || fail "$set: $(name $keep).$part was removed"
		done
	done

	# What our programs say: only the backup that was removed is missing, until the next one.
	rm -f repo/.autolab-backup-20260214*
	expect 5 verify --repo repo --trust safe/trust.pem --all
	grep -q 'autolab-backup-20260207_000005.*missing' "$CASE_BASE/stdout" || fail "$set: $(cat "$CASE_BASE/stdout")"
	quiet backup --source data --repo repo --key safe/new-key --trust safe/key.pub
	expect 1 verify --repo repo --trust safe/trust.pem --all
	[ "$(grep -o '[^ ]*: FAILED' "$CASE_BASE/stdout")" = 'autolab-backup-20260211_000005: FAILED' ] ||
	    fail "$set: $(cat "$CASE_BASE/stdout")"
	[ -z "$(find repo -name '.*.new' -o -name '.*.gone')" ] || fail "$set: left $(ls -A repo)"
	rm -f safe/new-key* safe/trust.pem
done

# ---- one file quickly, of each kind of member, wherever it lies ----

sed -n '/^echo "== Get one/,/^echo "== Remove/p' script | sed '/^echo/d' >one
sed -i '/^FILE=/d' one
mkdir many
for i in {1..150}; do noise $((i * 400)) "$i" >"many/f$i"; done
noise 9000000 3 >many/g-large
mkdir manyrepo
quiet backup --source many --repo manyrepo --key safe/key
cd manyrepo || exit
NAME=$(basename "$(newest .)")
for f in f1 f10 f77 f150 g-large f99; do
	for set in gnu box; do
		(cd .. && rm -rf restore)
		env -i PATH="$OLDPWD/$set" NAME="$NAME" FILE="$f" "$OLDPWD/$set/sh" -eu ../one >../did 2>&1 || fail "$f: $(cat ../did)"
		cmp "../restore/$f" "../many/$f"
		[ "$(cut -c 1-64 ../did | uniq -c | awk '{print $1}')" = 2 ] || fail "$f: $(cat ../did)"
	done
done
