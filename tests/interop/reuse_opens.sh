#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a night costs where nothing changed: no file of an unchanged member is opened, and none
# is asked for attributes.  Over thirty nights each member is read once more.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime jq strace setfattr
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"
need_ctimes

mkdir -p data/sub
for i in $(seq 100); do
	noise 40000 "$i" >"data/sub/f$i"
	ln "data/sub/f$i" "data/sub/link$i"
	ln -s "f$i" "data/sub/symlink$i"
done
echo "beside the source itself, so that no member is without a file" >data/f0
for i in 1 2 3; do
	noise $((2500000 + i)) "$i" >"data/large$i"
done
make_repo repo

# traced: one more night; the calls in trace.
traced() {
	NIGHT=$((${NIGHT-0} + 1))
	later "${NIGHT}h" strace -f -qq -o trace -e trace=openat,getxattr,lgetxattr,fgetxattr,listxattr,llistxattr,flistxattr \
	    backup --source data --repo repo --key key --json --jobs 2 >told 2>err || fail "$(cat err)"
	[ ! -s err ] || fail "$(cat err)"
}
# Small files that were opened, each once; large ones are, to be sure of them, but not read.
opened() { { grep -o '"f[0-9]*", O_RDONLY' trace || :; } | cut -d'"' -f2 | sort -u; }
xattrs() { grep -c 'xattr' trace || :; }

traced
[ "$(opened | wc -l)" = 101 ] || fail "the first night opened $(opened | wc -l) files"
[ "$(xattrs)" -gt 200 ] || fail "the first night asked for attributes $(xattrs) times"
[ "$(grep -c '"large[0-9]"' trace)" = 3 ] || fail "large files: $(grep '"large' trace)"
traced
members=$(jq .members told)

: >all
quiet_nights=0
for _ in $(seq 30); do
	traced
	[ "$(jq .members_copied told)" = "$members" ] || fail "night $NIGHT: $(jq -c '[.members, .members_copied]' told)"
	opened >now
	cat now >>all
	if [ ! -s now ]; then
		quiet_nights=$((quiet_nights + 1))
		# Of the directory that is the source, and of those in it, too.
		[ "$(xattrs)" = 0 ] || fail "night $NIGHT: attributes were asked for: $(grep xattr trace)"
	fi
done
[ $quiet_nights -gt 15 ] || fail "only $quiet_nights nights opened nothing"
[ "$(sort all | uniq -c | awk '$1 != 1' | wc -l)" = 0 ] || fail "not once: $(sort all | uniq -c | awk '$1 != 1')"
[ "$(sort -u all | wc -l)" = 101 ] || fail "only $(sort -u all | wc -l) files of 101 were read again"

# By content everything is opened, every night.
NIGHT=$((NIGHT + 1))
later "${NIGHT}h" strace -f -qq -o trace -e trace=openat backup --source data --repo repo --key key --reuse content -q
[ "$(opened | wc -l)" = 101 ] || fail "by content: $(opened | wc -l) files were opened"
