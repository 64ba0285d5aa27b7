#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 400
# Backups with a part that an enemy changed, under digests and a signature that hold: no
# program crashes, hangs, takes much memory, or writes outside of its target, and each says in
# one line what is wrong.  HOSTILE_SEEDS="FIRST LAST" for longer runs.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need python3 openssl
read -r first last <<<"${HOSTILE_SEEDS:-1 25}"
export TARSEAL_TRUST=key.pub

sample_tree data
mkfifo data/fifo
truncate -s 100M data/sparse
make_repo whole
backup_tree data whole
name=$(basename "$(newest whole)")

# And a sound one of another day, to compare with.
mkdir day
printf 'other\n' >>data/config.json
backup_tree data day --series day
day=$(basename "$(newest day)")

attack() {
	local before after
	status=0
	before=$(find . -path ./target -prune -o -path ./repo -prune -o -print | sort)
	# The address sanitizer wants terabytes of addresses.
	(
		[ "$TEST_VARIANT" != plain ] || ulimit -v 1500000
		timeout 60 "$@"
	) >out 2>err || status=$?
	after=$(find . -path ./target -prune -o -path ./repo -prune -o -print | sort)
	case $status in
	0 | 1 | 5) ;;
	3) [ "$(grep -vc 'warning: ' err)" -eq 1 ] || bad "$status" "$@" ;;
	*) bad "$status" "$@" ;;
	esac
	# Nothing but our own messages, and no path that leads out.
	! grep -v "^$1: " err || bad "$status" "$@"
	[ "$before" = "$after" ] || bad "wrote outside" "$@"
}

bad() {
	echo "seed $seed ($kind): ${*:2}: $1" >&2
	cat err >&2
	exit 1
}

: >out
: >err
for seed in $(seq "$first" "$last"); do
	rm -rf repo target
	kind=$("$TESTS/mutate" "$seed" whole "$name" key repo)
	attack verify --repo repo --level deep
	sound=$status
	attack restore --repo repo --target target
	# What verify finds sound comes back whole.
	[ "$sound" -ne 0 ] || [ "$status" -eq 0 ] || bad "$status, and verify found it sound" restore
	rm -rf target
	attack restore --repo repo --target target --json db current 'o*'
	attack restore --repo repo --stdout config.json
	rm -rf target
	mkdir target
	attack manifest copy target --new --repo repo
	[ -z "$(find target -name '.*.new')" ] || bad "$status" "left in the copy: $(ls -A target)"
	rm -rf target
	attack manifest list --repo repo --json
	attack manifest show --repo repo
	attack manifest ls --repo repo --json
	attack manifest find --repo repo '*'
	attack manifest stats --repo repo
	cp day/"$day".* repo
	attack manifest diff --repo repo "$name" "$day"
	attack manifest diff --repo repo --json "$day" "$name" db
done
