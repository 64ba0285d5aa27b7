#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# On a terminal of any width no line of a table is wider than that, and no name moves the cursor.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
need script

long=$(printf 'a-long-name-%.0s' {1..12})
mkdir -p "data/$long/$long" data/$'dir\e[2J\n'
printf 'x\n' >"data/$long/$long/file"
printf 'escape\n' >data/$'dir\e[2J\n'/$'esc\e[31m\tred\r\x7f\xc2\x9b1m'
printf 'latin\n' >data/$'caf\xe9'
printf 'wide\n' >"data/$(printf '\u5305\u88f9%.0s' {1..20})"
printf 'right to left\n' >data/$'\u202egpj.exe'
ln -s $'to\e]0;title\a' data/link
set_times data
make_repo repo
backup_tree data repo
sleep 1.1 # names of one length
for f in data/*/* data/link data/caf*; do
	[ -d "$f" ] || touch -h -d '2020-03-01 UTC' "$f"
done
printf 'more\n' >>"data/$long/$long/file"
backup_tree data repo
backup_tree data repo --series other-and-longer-than-that

export options='--repo repo --trust key.pub'
# on COLUMNS COMMAND: what a terminal gets; COMMAND must end with 0 or 1.
on() {
	script -qec "stty cols $1; $2" /dev/null </dev/null >typed || [ $? = 1 ] || fail "$2: exit $?"
	tr -d '\r' <typed >screen
	# Columns, not characters: the wide ones take two.
	perl -CSD -ne 'chomp; s/[\x{1100}-\x{115f}\x{2e80}-\x{9fff}]/xx/g;
	    if (length > '"$1"') { print "$_\n"; $bad = 1 } END { exit $bad }' screen ||
	    fail "$2: wider than $1 columns"
	if LC_ALL=C grep -a $'[\x01-\x08\x0b-\x1f\x7f]\|\xc2[\x80-\x9f]\|\xe2\x80[\xaa-\xae]' screen; then
		fail "$2: a name's bytes reached the terminal"
	fi
}
words() {
	head -n 1 screen | tr -s ' ' | sed 's/^ //'
}
series='--series autolab-backup'
for cols in 200 100 80 60; do
	echo "$cols columns"
	on $cols "manifest list $options" && words
	on $cols "manifest list $options $series" && words
	on $cols "manifest find $options '**'" && words
	on $cols "manifest find $options '**' --all" && words
	on $cols "manifest history $options $series $long/$long/file" && words
	on $cols "manifest history $options $series link" && words
	on $cols "manifest diff $options $series previous latest -q" && words
	[ $cols -lt 80 ] || on $cols "manifest stats $options"
done
# As long as they are, and still escaped.
on 10000 "manifest ls -lR $options $series"
on 10000 "manifest show $options $series"
on 10000 "manifest stats $options"
on 10000 "manifest diff $options $series previous latest"
