#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Drills: what they say, when they fail, and that nothing stays.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need jq
sample_tree data
make_repo repo
mkdir scratch
backup_tree data repo
d() {
	run restore --drill --repo repo --trust key.pub --scratch scratch "$@"
	[ -z "$(ls -A scratch)" ] || fail "left in scratch: $(find scratch)"
}
# How long something took is the machine's.
junit() {
	run_sh "sed 's/time=\"[0-9.]*\"/time=\"T\"/' $1"
}

# The result is noted where verify's results are.
noted() {
	run_sh "manifest list --repo repo --trust key.pub --json | jq -c '[.backups[].verified | [.level, .ok]]'"
}
noted
d
noted
d --quiet
d --check-command 'test -s config.json && test -h current' --junit ok.xml
junit ok.xml
# It runs in the tree, with no input, and what it prints does not get into the result.
d --check-command 'cat; ls logs; echo said >&2; pwd | sed "s,.*/tarseal-drill-[^/]*/,,"' --quiet
d --check-command 'exit 3' --junit bad.xml
noted
junit bad.xml
noted
d --check-command 'kill -TERM $$'
d --check-command 'no-such-command' --quiet
# Who started us may have left ends of children to the system: a failure is one all the same.
run env --ignore-signal=CHLD restore --drill --repo repo --trust key.pub --scratch scratch --check-command 'exit 3' --quiet
# A check that spoils the tree spoils a copy; what it leaves in the background ends with it.
d --check-command 'rm -rf -- *; { sleep 60; touch "'"$PWD"'/late"; } & mkdir -p a/b; chmod 0 a'
same_tree data data

# Damage: what does not come back is missing in the comparison, too.
first=$(newest repo)
echo more >>data/logs/app.log
backup_tree data repo
flip "$(newest repo).tar.gz" 100
d --junit 'damage<&".xml'
junit "'damage<&\".xml'"
python3 -c 'import sys, xml.dom.minidom as m
s = m.parse(sys.argv[1]).documentElement
print([s.getAttribute(a) for a in ("tests", "failures", "skipped")])' 'damage<&".xml' >parsed
run_sh 'cat parsed'
d --backup "$(basename "$first")"
d --as-of 2020-01-01 --junit none.xml
junit none.xml
noted
# So is damage of what no restore needs: verify finds it, and a drill counts for more.
cp -a repo end
flip "$first.tar.gz" $(($(stat -c %s "$first.tar.gz") - 15))
run_sh "verify --repo repo --trust key.pub $(basename "$first") --quiet"
d --backup "$(basename "$first")" --junit end.xml
junit end.xml
noted
cp -a "end/$(basename "$first").tar.gz" repo
rm "$(newest repo).manifest.gz"
d --junit none.xml
junit none.xml

# Nobody's backup, and nowhere to restore to.
make_key other
run restore --drill --repo repo --trust other.pub --scratch scratch --backup "$(basename "$first")"
run restore --drill --repo repo --trust key.pub --scratch nowhere --junit nowhere.xml
junit nowhere.xml
run restore --drill --repo repo --trust key.pub --scratch scratch --junit no/such/dir.xml
d --target new
d --stdout config.json
d config.json
d --exclude '*.log'
d --mode wipe
run restore --repo repo --trust key.pub --target new --junit x.xml
run_sh 'ls -d new x.xml'

# Without --scratch: TMPDIR.
mkdir tmp
TMPDIR=$PWD/tmp run restore --drill --repo repo --trust key.pub --backup "$(basename "$first")" --check-command 'pwd | grep -c /tmp/tarseal-drill-' --quiet
[ -z "$(ls -A tmp)" ] || fail "left in tmp"
# A directory of that name that is not one of ours stays; of one that was left all goes.
mkdir -p scratch/tarseal-drill-mine scratch/tarseal-drill-left/tree/deep
echo mine >scratch/tarseal-drill-mine/file
touch scratch/tarseal-drill-left/lock
run restore --drill --repo repo --trust key.pub --scratch scratch --backup "$(basename "$first")"
run_sh 'ls scratch'
# So it is of one that was killed as it made its lock, unless that may be going on.
mkdir scratch/tarseal-drill-{begun,begins}
touch -d '-2 minutes' scratch/tarseal-drill-begun/.lock
touch scratch/tarseal-drill-begins/.lock
run restore --drill --repo repo --trust key.pub --scratch scratch --backup "$(basename "$first")"
run_sh 'ls scratch'
