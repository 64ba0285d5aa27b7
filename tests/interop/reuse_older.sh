#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# long
# timeout: 600
# What is copied from when the last backup is gone, damaged, forged, somebody else's, older than
# reuse, or packed otherwise.  Nothing of that is an error, and the new backup is right.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime jq rsync python3
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
need_ctimes

mkdir data
for i in $(seq 60); do
	noise 50000 "$i" >"data/$i"
done
noise 3500000 1 >data/large
make_repo base
NIGHT=0
night base
night base
older=$(told name)
members=$(told members)
start=$NIGHT

# from NAME|null N: what was copied from, and how many were packed.
from() {
	[ "$(told copied_from)" = "$1" ] || fail "copied from $(told copied_from), expected $1"
	packed "$2"
}

# again: the repository as it was.
again() {
	rm -rf repo
	cp -r base repo
	NIGHT=$start
}
hurt() { flip "repo/$older.$1" "$2"; }
# The index: each line's number, kind, offset and packed length in the archive, section and length, path.
index() { zcat "base/$older.manifest.gz" | grep -a '^#@ [fhce] '; }
# of N: the fields of the Nth line of the index.
of() { index | sed -n "$1p"; }
field() { cut -d' ' -f"$1"; }
size() { stat -c %s "base/$older.$1"; }
all=$members
first=$(find base -name '*.seal' | sort | head -n 1 | sed 's|.*/||; s/.seal$//')

# ---- gone or damaged ----

again
rm "repo/$older.tar.gz"
night repo
from "$first" 0
again
rm "repo/$older."*
night repo
from "$first" 0
again
truncate -s -100 "repo/$older.tar.gz"
night repo
from "$first" 0
warned "nothing is copied from $older: the archive has another size"
again
truncate -s -100 "repo/$older.manifest.gz"
night repo
from "$first" 0
warned "nothing is copied from $older: "
again
hurt manifest.gz $(($(size manifest.gz) - 30))
night repo
from "$first" 0
warned "nothing is copied from $older: root of the manifest's index: "
# The only page.
again
hurt manifest.gz "$(sed -n 's/^# manifest-index: \([0-9]*\).*/\1/p' "base/$older.seal" | awk '{print $1 - 40}')"
night repo
from "$older" "$all"
warned "what that lists is packed anew"
# Members and sections, of small files and of a large one.
again
for n in 1 2; do
	hurt tar.gz $(($(of $n | field 3) + 20))
done
night repo
from "$older" 2
[ "$(grep -c 'cannot be copied from the last backup, and is packed anew: member at' "$CASE_BASE/night.err")" = 2 ] ||
    fail "$(cat "$CASE_BASE/night.err")"
again
hurt manifest.gz $(($(of 1 | field 9) + 12))
night repo
[ "$(told copied_from)" = "$older" ] || fail "copied from $(told copied_from)"
packed 1
warned "cannot be copied from the last backup, and is packed anew: section at"
again
chunk=$(index | grep -n ' 1048576 ./large$' | cut -d: -f1)
hurt tar.gz $(($(of "$chunk" | field 3) + 20))
night repo
from "$older" 1
warned "large: cannot be copied from the last backup, and is packed anew: member at"
# The night after it is whole again.
night repo
packed 0
silent

# ---- whose it is ----

# A stranger's seal over it: not there for us.
again
make_key enemy
python3 "$TESTS/mutate" 1 base "$older" enemy forged >kind
cp "forged/$older".* repo
night repo
from "$first" 0
# The files exchanged under the old seal.
again
cp "forged/$older.tar.gz" "forged/$older.manifest.gz" repo
cmp -s "base/$older.manifest.gz" "repo/$older.manifest.gz" && fail "nothing was forged"
night repo
from "$first" 0
grep -q "nothing is copied from $older: " "$CASE_BASE/night.err" || fail "$(cat "$CASE_BASE/night.err")"

# One who has our key can fool us, but not break us.
for seed in $(seq 30); do
	rm -rf hostile
	python3 "$TESTS/mutate" "$seed" base "$older" key hostile >kind
	status=0
	later "$((NIGHT + 2))h" timeout 60 backup --source data --repo hostile --key key --series autolab-backup \
	    >out 2>err || status=$?
	case $status in
	0 | 1 | 3) ;;
	*) fail "seed $seed ($(cat kind)): exit $status: $(cat err)" ;;
	esac
done

# Another key's: copied only when it is trusted.
make_key other
rm -rf repo
mkdir repo
later 1h backup --source data --repo repo --key other -q
NIGHT=1
night repo --series autolab-backup
from null "$all"
rm -rf repo
mkdir repo
later 1h backup --source data --repo repo --key other -q
cat key.pub other.pub >both.pub
cp key.pub only.pub
cp both.pub key.pub
NIGHT=1
night repo --trust both.pub
cp only.pub key.pub
[ "$(told members_copied)" = "$all" ] || fail "a trusted key's: $(told members_copied) were copied"

# Not signed.
rm -rf repo
mkdir repo
later 1h backup --source data --repo repo --unsigned -q
NIGHT=1
night repo
from null "$all"
later 3h backup --source data --repo repo --unsigned --json >told
[ "$(jq -r .copied_from told)" = null ] || fail "without a signature it was copied from $(jq .copied_from told)"

# Another series has nothing to give.
again
night repo --series other
from null "$all"

# ---- what it is ----

# Of the first format: its keys are others, its content the same.
rm -rf repo old.pub
mkdir repo
cp "$TESTS/data/format-1/autolab"* repo
cp "$TESTS/data/format-1/key.pub" old.pub
rm -rf data-new
mv data data-new
restore --repo repo --trust old.pub --target data --quiet
NIGHT=24
cat old.pub only.pub >key.pub
# It may have been packed at another level than we do; only then nothing is copied.
level=$(sed -n 's/^# packer: .* level //p' "$(newest repo).seal")
night repo --trust key.pub --compression "$level"
[ "$(told copied_from)" = autolab-backup-20261123_165215 ] || fail "format 1: copied from $(told copied_from)"
[ "$(told members_copied)" -gt 0 ] || fail "format 1: nothing is copied by content"
night repo --trust key.pub --compression "$level"
packed 0
rm -rf data
mv data-new data
cp only.pub key.pub

# Packed at another level.
again
night repo --compression 2
from null "$all"
night repo --compression 2
packed 0
night repo
[ "$(told copied_from)" = "$older" ] || fail "the level of before: copied from $(told copied_from)"
packed 0

# Imported: no keys, but content.
rm -rf repo
mkdir repo
tar -czf repo/autolab-backup-20260101_000005.tar.gz --numeric-owner -C data .
quiet manifest import --repo repo --key key
NIGHT=1
night repo
[ "$(told copied_from)" = autolab-backup-20260101_000005-2 ] || fail "imported: copied from $(told copied_from)"
[ "$(told members_copied)" -gt 0 ] || fail "imported: nothing was copied"
night repo
packed 0

# The clock ran backwards: read, and found to be the same.
again
NIGHT=$((start - 2))
night repo
from "$older" 0
warned "the clock has run backwards since $older: all files are read"
NIGHT=$start
night repo
packed 0

# All the same, but said so by --reuse.
again
night repo --reuse none
from null "$all"
night repo --reuse content
packed 0

# Removed in the same run (it stays while it is the last one that verified).
again
night repo --keep-last 1
from "$older" 0
night repo --keep-last 1
packed 0
[ ! -e "repo/$older.seal" ] || fail "not pruned: $(ls repo)"
night repo --keep-last 1
packed 0
