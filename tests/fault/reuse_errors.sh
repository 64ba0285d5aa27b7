#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A disk that fails under the older backup costs packing, not the new one; one that is full while
# members are copied costs the new one, and nothing else; attributes that cannot be read are told
# every night.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace faketime jq rsync
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"
need_ctimes

mkdir -p data/sub
for i in $(seq 60); do
	noise 50000 "$i" >"data/sub/$i"
done
noise 3300000 9 >data/large
make_repo base
NIGHT=0
night base
earlier=$(told name)
members=$(told members)

# failing N PATH: the Nth read of that file of the older backup, and those after it, fail.
failing() {
	rm -rf repo
	cp -r base repo
	later 2h strace -f -qq -o trace -P "$PWD/repo/$2" -e trace=pread64 -e inject=pread64:error=EIO:when="$1" \
	    backup --source data --repo repo --key key --json --jobs 1 >told 2>err || fail "$1: $(cat err)"
}
sound() {
	local name
	name=$(jq -r .name told)
	verify --repo repo --trust key.pub --level deep "$name" >out 2>&1 || fail "$1: $(cat out)"
	rm -rf extracted
	mkdir extracted
	tar -xzf "repo/$name.tar.gz" --numeric-owner -C extracted
	same_tree data extracted
}

# Each read of the archive in each thread: what was to be copied is packed anew, and told.
met=0
for ((n = 1; n <= members; n++)); do
	failing $n "$earlier.tar.gz"
	grep -q INJECTED trace || break
	met=$((met + 1))
	sound "read $n"
	[ "$(jq .members_copied told)" -ge $((members - 5)) ] || fail "read $n: $(jq .members_copied told) of $members were copied"
	[ "$(grep -c 'Input/output error' err)" = $((members - $(jq .members_copied told))) ] ||
	    fail "read $n: $(jq .members_copied told) of $members were copied: $(cat err)"
done
[ $met -gt 5 ] || fail "$met reads for $members members"
# All of them.
failing 1+ "$earlier.tar.gz"
sound "all reads"
[ "$(jq .members_copied told)" = 0 ] || fail "$(jq .members_copied told) members were copied by nobody"
# The manifest: its root, its page, its sections, in whatever order they come.
met=0
for ((n = 1; n < 40; n++)); do
	failing $n "$earlier.manifest.gz"
	grep -q INJECTED trace || break
	met=$((met + 1))
	sound "read $n of the manifest"
done
[ $met -gt 4 ] || fail "only $met reads of the manifest"
failing 1+ "$earlier.manifest.gz"
sound "all reads of the manifest"

# Full, at each write of the archive.
for n in 1 2 3 5 8; do
	rm -rf repo
	cp -r base repo
	status=0
	later 2h strace -f -qq -o trace -e trace=pwrite64 -e inject=pwrite64:error=ENOSPC:when=$n+ \
	    backup --source data --repo repo --key key -q >out 2>err || status=$?
	[ $status = 3 ] || fail "full at $n: exit $status: $(cat err)"
	[ "$(grep -c '^backup: .*No space left on device' err)" = 1 ] || fail "full at $n: $(cat err)"
	[ -z "$(find repo -name '.*' ! -name .lock -type f)" ] || fail "full at $n: left $(ls -A repo)"
	quiet verify --repo repo --trust key.pub --level deep "$earlier"
done

# Attributes that cannot be read: told each night, until they can.
rm -rf repo
cp -r base repo
chown -R -h "$(id -u):$(id -g)" data
denied() {
	later "$1" strace -f -qq -o trace -e trace=flistxattr -e inject=flistxattr:error=EACCES:when=1+ \
	    backup --source data --repo repo --key key --json >told 2>err || fail "$(cat err)"
}
for hours in 2h 3h; do
	denied $hours
	[ "$(grep -c 'extended attributes cannot be read' err)" -ge 61 ] ||
	    fail "at $hours they were told of $(grep -c 'extended attributes' err) files of 61"
done
NIGHT=3
night repo
silent
night repo
packed 0
