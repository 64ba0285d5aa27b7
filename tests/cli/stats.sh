#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Figures: sizes, growth, what is the same, what is largest and changes most; the volume's end.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"

tree=data
mkdir -p $tree/logs $tree/$'odd\ndir'
noise 3000000 1 >$tree/blob
noise 40000 2 >$tree/$'odd\ndir'/$'esc\e[31m'
printf 'short\n' >$tree/short
ln $tree/blob $tree/blob-link
make_repo repo
# A log that grows each night, a file that flips between two contents, all else the same.
for night in 1 2 3 4 5; do
	noise $((night * 100000)) 3 >$tree/logs/app.log
	printf 'state %d\n' $((night % 2)) >$tree/state
	faketime "2026-02-0$night 00:00:05" backup --source $tree --repo repo --key key \
	    >/dev/null 2>&1 || fail "night $night"
done
# What depends on the disk and on packing.
figures() {
	sed -E 's/^free +[^;]*/free        FREE/; s/about [0-9]+ days/about N days/; s/(the catalog )[0-9.]+[KMG]?/\1SIZE/
	    s/archives [0-9.]+M, manifests [0-9.]+K/archives SIZE, manifests SIZE/
	    s/("[a-z_]*(bytes|size|full_in_days|archive_last|archive_average)": )[0-9]+/\1N/
	    s/, [0-9.]+M; /, SIZE; /'
}
export -f figures
q() {
	run_sh "faketime '2026-02-05 12:00:00' manifest stats --repo repo --trust key.pub $* | figures"
}
q
q --top 2 --no-catalog
q --top 0 --json

# A volume that is small, with nothing pruned, will be full; more than one series; one of them
# that is over does not grow.
backup_tree data repo --series other
touch repo/old-20250101_000000.tar.gz
q --top 0
run manifest stats --repo repo --trust key.pub --series none
run manifest stats --repo repo --trust key.pub --top many
run manifest stats --repo repo --trust key.pub extra
