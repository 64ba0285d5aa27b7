#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A newest backup that was sealed anew at the source, because others were pruned: its seal goes
# after it, and what was pruned stays in the copy.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

make_repo repo dest
mkdir data
# A name that pruning makes free is not given again within the same second, as no night would either.
night() {
	backup_tree data repo --timezone "Etc/GMT-$1"
}
for i in 1 2 3 4; do
	noise 50000 "$i" >data/f
	night "$i"
done
c() {
	run manifest copy dest --repo repo --trust key.pub "$@"
}
c --new
quiet manifest prune --repo repo --trust key.pub --key key --keep-last 2
run_sh "manifest copy dest --repo repo --trust key.pub --dry-run | sed 's/[^ ]* is free/SPACE is free/'"
quiet verify --all --repo dest --trust key.pub
c
cmp "$(newest repo).seal" "$(newest dest).seal" || fail "the seals differ"
run_sh 'verify --all --repo dest --trust key.pub | sed "s/(.*)/(...)/"'
c

# The next backup there holds the one under its new seal.
night 5
c
quiet verify --all --repo dest --trust key.pub

# Sealed anew, and then followed by another, before the copy comes: one after the other.
quiet manifest prune --repo repo --trust key.pub --key key --keep-last 1
night 6
c
quiet verify --all --repo dest --trust key.pub
manifest list --repo dest --trust key.pub | grep -c complete

# The copy has rules of its own; what they remove does not come back, and the source's stay.
run_sh 'manifest prune --repo dest --trust key.pub --keep-last 4 | sed "s/  *[0-9.]*K  / SIZE  /"'
c
quiet verify --all --repo dest --trust key.pub
run manifest find --repo dest --trust key.pub f --no-catalog
run manifest find --repo dest --trust key.pub f
