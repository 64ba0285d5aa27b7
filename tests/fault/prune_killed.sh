#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# manifest prune killed at each system call that changes the repository, with renames, and with the
# links that stand in for them where a file system has no RENAME_NOREPLACE: at any time what is there
# verifies, with its set; what is on hold, of another series, or without a seal stays to the byte; and
# the next pruning finishes.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir data
make_repo base
for night in 1 2 3 4; do
	noise 20000 $night >data/$night
	backup_tree data base
	[ $night -ne 2 ] || held=$(basename "$(newest base)")
done
last=$(basename "$(newest base)")
quiet backup --source data --repo base --key key --series other
other=$(basename base/other-*.seal .seal)
echo "from before" >base/autolab-backup-20200101_000000.tar.gz
quiet manifest hold "$held" --repo base --reason "for the audit"

# Of these nothing may ever be missing or changed; the newest one's seal is made anew.
digests() {
	(cd "$1" && sha256sum ./*20200101* "$held".* "$other".* "$last".tar.gz "$last".manifest.gz)
}
digests base >lasting

prune() {
	"$@" manifest prune --repo repo --key key --series autolab-backup --keep-last 1
}

# The second try goes by link and unlink. strace has no way to say EINVAL and kill at once.
for by in rename link; do
	inject=()
	[ $by = rename ] || inject=(-e inject=renameat2:error=EINVAL)
	kills=0
	for call in write fsync renameat renameat2 linkat unlinkat; do
		[ $by.$call != link.renameat2 ] || continue
		for ((n = 1; n < 100; n++)); do
			where="$by, $call $n"
			rm -rf repo
			cp -a base repo
			status=0
			# In a shell of its own, which keeps its "Killed" to itself.
			(prune strace -f -qq -o trace -e trace=write,fsync,renameat,renameat2,linkat,unlinkat \
			    "${inject[@]}" -e inject="$call:signal=SIGKILL:when=$n" >out 2>err) 2>shell || status=$?
			[ "$status" -ne 0 ] || break
			[ "$status" -eq 137 ] || fail "$where: exit $status: $(cat err)"
			kills=$((kills + 1))
			digests repo >now
			cmp -s lasting now || fail "$where: changed: $(diff lasting now)"
			# On a copy: what verify finds good may stay for that.
			rm -rf look
			cp -a repo look
			verify --repo look --trust key.pub --all >out 2>&1 || fail "$where: $(cat out)"
			prune >out 2>&1 || fail "$where: the next pruning: $(cat out)"
			verify --repo repo --trust key.pub --all >out 2>&1 || fail "$where: pruned: $(cat out)"
			(cd repo && find . -name '*.seal' | sort) >seals
			printf './%s.seal\n' "$held" "$last" "$other" | sort | cmp -s - seals ||
				fail "$where: in the end there are $(cat seals)"
			digests repo | cmp -s lasting - || fail "$where: something changed in the end"
			left=$(find repo -name '.*' ! -name .lock -type f)
			[ -z "$left" ] || fail "$where: left $left"
		done
	done
	[ $kills -ge 12 ] || fail "$by: killed only $kills times"
done
