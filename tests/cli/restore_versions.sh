#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each version of one file.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need jq
mkdir -p data/conf repo
touch -d 2026-02-01 data/conf
n=0
names=()
# next [CMD...]: do something, then one more backup.
next() {
	"$@"
	n=$((n + 1))
	find data -newermt 2026-03-01 -exec touch -hd "2026-02-$((10 + n)) 12:00" {} +
	backup_tree data repo --series app
	names[n]=$(basename "$(newest repo)")
}
make_key
put() {
	printf '%s' "$2" >"data/$1"
	touch -d "2026-01-$((10 + n)) 10:00" "data/$1"
}
next put conf/site.json one
next put conf/.profile dot
next put conf/site.json three
next rm data/conf/site.json
next put conf/site.json five
next chmod 600 data/conf/site.json
next ln data/conf/site.json data/conf/link
next noise 2500000 7 >data/conf/big.log
next true
r() {
	run restore --repo repo --trust key.pub --all-versions "$@"
}

r conf/site.json --target v --dry-run
run_sh 'ls -d v'
r conf/site.json --target v
run_sh 'cd v && ls -tr | xargs stat -c "%n %a %y" && ls -tr | xargs cat'
run_sh 'restore --repo repo --trust key.pub --all-versions conf/site.json --target v --overwrite never --json |
    jq -c "[.versions[] | [.name, .backup, .size, .restored]], .stayed, .entries"'
run_sh 'restore --repo repo --trust key.pub --all-versions conf/site.json --json --dry-run | jq -c "[.planned, .versions[0]]"'
# A name that begins with a dot has no other; a hard link is a file; a large one.
r conf/.profile --target v
r conf/link --target v
r conf/big.log --target v
cmp data/conf/big.log v/big~*.log || fail "big.log differs"
run_sh 'ls -Atr v'
# No room for a stamp.
long=$(printf 'x%.0s' {1..250}).json
next put "$long" long
# A stamp is longer when two backups are of one second, and then there is room for less.
r "$long" --target long | sed 's/x\{20,\}/xxx/g'
run_sh 'ls long | wc -c'

r conf --target none
r nothing --target none
r conf/site.json conf/.profile --target none
r 'conf/*' --target none
r conf/site.json
r conf/site.json --stdout
r conf/site.json --target none --backup latest
r conf/site.json --target none --mode stage
r conf/site.json --target none --exclude x
run_sh 'ls -d none'

# A version that is damaged in one backup comes from the next that has it.
cp -a repo hurt
flip "hurt/${names[1]}.tar.gz" 60
run restore --repo hurt --trust key.pub --all-versions conf/site.json --target hurt-1
run_sh 'cd hurt-1 && ls -tr | xargs cat'
rm "hurt/${names[3]}.manifest.gz"
flip "hurt/${names[4]}.seal" 30
run restore --repo hurt --trust key.pub --all-versions conf/site.json --target hurt-2
run_sh 'ls -tr hurt-2'

# A suffix may be as long as a name; the version is called by what there is room for.
mkdir suffix suffix-repo
suffix=$(printf 'b%.0s' {1..253})
echo 1 >"suffix/a.$suffix"
backup_tree suffix suffix-repo
expect 0 restore --repo suffix-repo --trust key.pub --all-versions "a.$suffix" --target suffix-1
run_sh 'cat suffix-1/a.bbb*; ls suffix-1 | wc -c'

# Of one series.
sleep 1 # else both may have one stamp
backup_tree data repo --series other
r conf/site.json --target none
r conf/site.json --target other --series other
make_key second
run restore --repo repo --trust second.pub --all-versions conf/site.json --target none
run restore --repo repo --untrusted --all-versions conf/site.json --target untrusted --series app
run_sh 'ls untrusted | wc -l'
