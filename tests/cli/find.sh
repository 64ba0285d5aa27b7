#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# manifest find: by path, glob, name and content; the newest version or each; what cannot be asked.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

mkdir -p data/logs/old data/etc/logs
printf 'v1\n' >data/etc/app.conf
printf 'a log\n' >data/logs/app.log
ln data/logs/app.log data/logs/old/app.log.1
printf 'escape\n' >data/$'etc/esc\e[31m\nred'
printf 'latin\n' >data/$'etc/caf\xe9'
printf '\xf0\x9f\x93\xa6\n' >data/$'etc/\u5305\u88f9'
set_times data
make_repo repo
for n in 1 2 3; do
	printf 'v%d\n' "$n" >data/etc/app.conf
	touch -d "2020-03-0$n UTC" data/etc/app.conf
	backup_tree data repo
	[ $n = 1 ] && rm data/logs/app.log
	touch -d '2020-02-08 22:00:00 UTC' data/logs
	sleep 1.1
done
first=$(basename "$(newest repo)")

f() {
	run manifest find --repo repo --trust key.pub "$@"
}
# The newest version of each path, also of what is gone; or all of them.
f app.conf
f app.conf --all
f 'app*'
f --all 'app*'
f etc/app.conf --backup "$first"
f --as-of 2020-01-01 app.conf
# Names, in whatever directory; directories only.
f --name logs
f --name 'logs/'
f 'etc/**' --name 'l*'
# By content: that of an old version, of what is gone, and links to it.
f --sha256 "$(printf 'v1\n' | sha256sum | cut -c 1-64)"
f --sha256 "$(printf 'v1\n' | sha256sum | cut -c 1-64 | tr a-f A-F)" --json
f --sha256 "$(printf 'a log\n' | sha256sum | cut -c 1-8)"
f --sha256 "$(printf 'a log\n' | sha256sum | cut -c 1-8)" --name '*.log'
# Hostile names: shown escaped; exact with --null.
f 'etc/*'
run_sh "manifest find -0 --repo repo --trust key.pub 'etc/*' | od -An -c"
run_sh "manifest find -0 --all --repo repo --trust key.pub 'app.conf' | od -An -c"
f --json --name 'caf*'
# No match is one line, and exit 1.
f nothing
f --name nothing
f -0 nothing
f --sha256 00000000
f app.log --backup latest
# What cannot be asked.
f
f ''
f --name ''
f --name etc/app.conf
f --sha256 12345
f --sha256 nothexnothex
f '../*'
f 'etc/../*.conf'
f ../etc
f a b
f app.conf --as-of yesterday
f app.conf --backup latest --as-of 2020-01-01
