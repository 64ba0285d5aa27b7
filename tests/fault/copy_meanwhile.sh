#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A backup that is sealed, and one that is pruned, while others are copied: what is gone is noted, what is
# new comes along, so that the newest one there does not hold what is missing.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir data
make_repo repo dest
names=()
for i in 1 2 3; do
	noise 100000 "$i" >data/blob
	backup_tree data repo
	names+=("$(basename "$(newest repo)")")
done

# It waits with its first backup until that is done.
strace -f -qq -o trace -e trace=fsync -e inject=fsync:delay_enter=3s:when=1 \
    manifest copy dest --new --repo repo --trust key.pub >out 2>err &
copy=$!
until ls dest/.*.new >/dev/null 2>&1; do sleep 0.05; done
rm "repo/${names[1]}".*
# In another zone, so that it does not get the name that has become free.
backup_tree data repo --timezone Asia/Tokyo
names+=("$(basename "$(newest repo)")")
wait $copy || fail "exit $?: $(cat out err)"
grep -q "^manifest: ${names[1]}: was pruned meanwhile, and is not copied$" err || fail "$(cat err)"
grep -q warning err && fail "$(cat err)"
for i in 0 2 3; do
	grep -q "^${names[i]}: copied" out || fail "${names[i]} is not copied: $(cat out)"
done
grep -q '^Copied 3 backups (.*) to dest$' out || fail "$(cat out)"
quiet verify --all --repo dest --trust key.pub

# The same while the directory is read: its names are known, and not the one of the new seal.
strace -f -qq -o trace -e trace=getdents64 -e inject=getdents64:delay_exit=3s:when=1 \
    manifest copy dest --repo repo --trust key.pub >out 2>err &
copy=$!
# strace tells of the call when it is over: look at what the program has open.
until grep -qs "^pos:.*[1-9]" /proc/"$(pgrep -P $copy manifest || echo none)"/fdinfo/[4-9]; do
	kill -0 $copy 2>/dev/null || break
	sleep 0.05
done
rm "repo/${names[2]}".*
backup_tree data repo --timezone Asia/Kolkata
names+=("$(basename "$(newest repo)")")
wait $copy || fail "exit $?: $(cat out err)"
grep -q "^${names[4]}: copied" out || fail "the new one is not copied: $(cat out err)"
[ ! -s err ] || fail "$(cat err)"
quiet verify --all --repo dest --trust key.pub
