#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tools/ci-drill as a pipeline would run it, and the commands of docs/DRILLS.md.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need jq
sample_tree data
mkdir data/app data/app/conf repo
echo '{}' >data/app/conf/site.json
make_key
backup_tree data repo
mkdir scratch
export TARSEAL_REPO=repo TARSEAL_TRUST=key.pub TMPDIR=$PWD/scratch
ci() {
	run_sh "$TOP/tools/ci-drill $* | sed 's/[0-9.]* s, \(1[0-9]* entries\)/SECONDS s, \1/'; exit \${PIPESTATUS[0]}"
	[ -z "$(ls -A scratch)" ] || fail "left: $(find scratch)"
}
cat >cases.py <<'EOF'
import sys, xml.etree.ElementTree as t
for c in t.parse("drill/drill.xml").getroot():
    print(c.get("name"), [x.tag for x in c])
EOF

ci
run_sh 'ls drill; jq -r .passed drill/drill.json'
run_sh 'python3 cases.py'
ci --out elsewhere --max-age none --check-command "'test -s app/conf/site.json'"
run_sh 'ls elsewhere'
GITHUB_STEP_SUMMARY=$PWD/summary ci --max-rto 0
run_sh 'grep -c FAILED summary'
sleep 2
ci --max-age 1s
ci --check-command "'exit 7'"
run_sh 'python3 cases.py'
flip "$(newest repo).tar.gz" 100
ci
run_sh 'python3 cases.py'
flip "$(newest repo).tar.gz" 100
# Nothing of an older drill stays where this one came to nothing.
make_key other
TARSEAL_TRUST=other.pub ci
run_sh 'ls drill'
TARSEAL_TRUST='' ci
ci --max-rto soon
ci --max-rto 0900
ci --max-rto 99999999999999999999
ci --backup
run_sh "$TOP/tools/ci-drill --help | head -n 3"
# Without the command tarseal, by the programs' own names.
mkdir bin
for p in verify restore; do
	ln -s "$(command -v $p)" bin/$p
done
PATH=$PWD/bin:/usr/bin:/bin ci

# The page.
awk '/^```/ { code = !code } !code && /^    [ ]*[^ ]/ { sub(/^ */, ""); print }' "$TOP/docs/DRILLS.md" >commands
[ "$(wc -l <commands)" -ge 5 ] || fail "the commands are gone from docs/DRILLS.md"
sed "s#/backups#repo#g; s# /scratch# scratch#; s# ci-drill # $TOP/tools/ci-drill #" commands >here
while IFS= read -r command; do
	expect 0 bash -c "$command"
done <here
