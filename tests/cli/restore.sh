#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What restore brings back, and what it refuses.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

sample_tree data
make_repo repo
backup_tree data repo
first=$(newest repo)
cp -a data first
echo 'line 4' >>data/logs/app.log
rm data/config.json
backup_tree data repo
r() {
	run restore --repo repo --trust key.pub "$@"
}
r --target all
same_tree data all
r --target before --backup "$(basename "$first")"
same_tree first before
r --stdout logs/app.log
r --stdout --backup "$(basename "$first")" ./config.json
r --stdout config.json
r --stdout logs
r --target some 'db/t*' logs
run_sh 'find some | sort'
same_tree data/logs some/logs
r --target none no/such/file
r --target none --dry-run
run_sh 'ls -d none'
r --target past --as-of 2019-01-01
r --target past --backup nothing

# A target that is not empty is replaced; lost+found does not count.
r --target all
mkdir -p volume/lost+found
r --target volume --quiet
RSYNC_EXTRA=--exclude=/lost+found same_tree data volume
touch file
r --target file

# Nobody who is not trusted.
make_key other
run restore --repo repo --trust other.pub --target untrusted
run restore --repo repo --trust other.pub --target untrusted --untrusted
same_tree data untrusted

# A damaged member: its files do not come back, all others do.
flip "$(newest repo).tar.gz" 1000000
r --target damaged
run_sh 'cd damaged && find . -type f | sort'
r --target healthy logs
same_tree data/logs healthy/logs
