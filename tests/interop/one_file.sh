#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# One file out of a large backup: only its member, its section and the index on the
# way to them are read, with the catalog and without.  Of a large file, only its own.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace python3
[ "$TEST_VARIANT" = plain ] || skip "sanitizers read files of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

"$TESTS/make-tree" many src 6000
for i in 1 2 3 4 5 6; do
	noise 16000000 "$i" >"src/noise-$i"
done
make_repo repo
backup_tree src repo
size=$(stat -c %s "$(newest repo).tar.gz")
[ "$size" -gt 96000000 ] || fail "the archive has only $size bytes"

# bytes_read LIMIT CMD...: what it read of the repository's files, all threads together.
bytes_read() {
	local limit=$1 n
	shift
	quiet strace -f -qq -y -o trace -e trace=read,pread64,readv,preadv,preadv2,mmap,copy_file_range,sendfile "$@"
	if grep -E '(mmap|copy_file_range|sendfile|readv)\(.*/repo/' trace >&2; then fail "bytes that are not counted"; fi
	n=$(sed -n 's/.*\(read\|pread64\)([0-9]*<[^>]*\/repo\/autolab[^>]*>.* = \([0-9]*\)$/\2/p' trace |
	    awk '{ n += $1 } END { print n + 0 }')
	[ "$n" -gt 1000 ] || fail "nothing was read: $*"
	[ "$n" -lt "$limit" ] || fail "$n bytes were read: $*"
	echo "$n: $*"
}

one=000/33/item-3300.json
for catalog in with without; do
	bytes_read 500000 restore --repo repo --trust key.pub --target "out-$catalog" "$one"
	cmp "src/$one" "out-$catalog/$one"
	[ "$(find "out-$catalog" -type f | wc -l)" = 1 ] || fail "more than one file"
	bytes_read 500000 restore --repo repo --trust key.pub --target "dir-$catalog" 000/33
	same_tree src/000/33 "dir-$catalog/000/33"
	bytes_read 17000000 restore --repo repo --trust key.pub --target "large-$catalog" noise-4
	cmp src/noise-4 "large-$catalog/noise-4"
	rm -f repo/catalog.sqlite3
done

# A pattern reads the whole index, but not the members that it does not match.
bytes_read 800000 restore --repo repo --trust key.pub --target glob '**/item-33?0.json'
[ "$(find glob -type f | wc -l)" = 10 ] || fail "$(find glob -type f)"
