#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Archives of busybox, GNU tar in three formats, bsdtar and Python, imported and restored: what
# comes back is what tar extracts.
# long
# timeout: 600
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need busybox bsdtar python3 rsync getfacl

make_repo repo
day=0

# import_made WHAT: archive.tar.gz, imported as one more of the series; restored to out.
import_made() {
	day=$((day + 1))
	name=autolab-backup-$(printf '202601%02d' $day)_000005
	mv archive.tar.gz "repo/$name.tar.gz"
	manifest import --repo repo --key key --trust key.pub "$name" >imported 2>warnings ||
	    fail "$1: exit $?: $(cat warnings)"
	grep -q "^Imported: $name.tar.gz " imported || fail "$1: said: $(cat imported)"
	! grep -q 'warning' warnings || fail "$1: $(cat warnings)"
	quiet verify --repo repo --trust key.pub --level deep "$name-2"
	rm -rf out && mkdir out
	quiet restore --repo repo --trust key.pub --backup "$name-2" --target out
}

# extracted TAR OPTION...: what that makes of the archive imported last, in ref.
extracted() {
	rm -rf ref && mkdir ref
	"$@" -xpf "repo/$name.tar.gz" -C ref
}

# ---- a tree with everything, in formats that can hold it ----

"$TESTS/make-tree" extreme src
"$TESTS/make-tree" many src/many 500
# Sockets are no entries of any tar.
find src -type s -delete

for format in gnu posix; do
	extra=()
	[ $format = gnu ] || extra=(--xattrs '--xattrs-include=*' --acls)
	tar -C src --format=$format "${extra[@]}" -czf archive.tar.gz .
	import_made "GNU tar, $format"
	extracted tar -z --numeric-owner "${extra[@]}"
	same_tree ref out
	find src -type f -size +20M -delete # once is enough
done

# Nothing is lost of what pax can hold.
tar -C src --format=posix --xattrs '--xattrs-include=*' --acls -czf archive.tar.gz .
import_made "GNU tar, posix, again"
same_tree src out

busybox tar -C src -czf archive.tar.gz .
import_made "busybox"
extracted tar -z --numeric-owner # busybox's own extraction leaves times of directories as they come
same_tree ref out

bsdtar -C src --format=pax --no-fflags -czf archive.tar.gz . 2>/dev/null || true
import_made "bsdtar"
extracted tar -z --numeric-owner --xattrs '--xattrs-include=*' --delay-directory-restore --warning=none
# It stores the group's own permissions where an ACL has a mask, and tar sets them.
RSYNC_EXTRA='--no-perms --no-acls' same_tree ref out
for d in src out; do
	getfacl -n -p "$d/attributes/acl-file" | sed 1d >"acl-$d"
done
cmp acl-src acl-out

# ---- what ustar and v7 can hold ----

"$TESTS/make-tree" portable plain
printf '#!/bin/sh\n' >plain/run.sh
chmod 755 plain/run.sh
mkdir plain/a-directory-of-a-length-that-only-fits-where-the-name-is-split
name100=$(printf 'n%.0s' {1..90})
echo long >"plain/a-directory-of-a-length-that-only-fits-where-the-name-is-split/$name100"
find plain -exec touch -h -d '2020-02-08 22:00:00 UTC' {} +
for format in ustar gnu posix; do
	tar -C plain --format=$format --numeric-owner -czf archive.tar.gz .
	import_made "GNU tar, $format, portable"
	same_tree plain out
done
bsdtar -C plain --format=ustar --numeric-owner -czf archive.tar.gz .
import_made "bsdtar, ustar"
same_tree plain out
rm -r plain/a-directory*
find plain -exec touch -h -d '2020-02-08 22:00:00 UTC' {} +
tar -C plain --format=v7 -czf archive.tar.gz .
import_made "GNU tar, v7"
same_tree plain out

# Names without "./", and without a root: it is made up.
(cd plain && tar -czf ../archive.tar.gz -- *)
import_made "without a root"
extracted tar -z
touch -d '2026-01-01 UTC' ref out
chmod 755 ref
same_tree ref out

for format in USTAR GNU PAX; do
	python3 - $format <<'EOF'
import sys, tarfile
f = getattr(tarfile, sys.argv[1] + "_FORMAT")
t = tarfile.open("archive.tar.gz", "w:gz", format=f)
t.add("plain", arcname=".")
t.close()
EOF
	import_made "Python, $format"
	same_tree plain out
done

# ---- sparse files ----

mkdir sparse
truncate -s 100M sparse/hole
printf data | dd of=sparse/hole bs=1 seek=70000000 conv=notrunc status=none
truncate -s 3M sparse/small
printf x | dd of=sparse/small bs=1 seek=1000000 conv=notrunc status=none
for i in $(seq 40); do # more pieces than fit in a header
	printf '%d' "$i" | dd of=sparse/many bs=1 seek=$((i * 200000)) conv=notrunc status=none
done
truncate -s 1M sparse/empty
touch sparse/nothing
find sparse -exec touch -d '2020-02-08 22:00:00 UTC' {} +
for how in '--format=gnu' '--format=posix --sparse-version=0.0' '--format=posix --sparse-version=0.1' \
    '--format=posix --sparse-version=1.0'; do
	# shellcheck disable=SC2086 # options
	tar -C sparse $how -S -czf archive.tar.gz .
	import_made "sparse, $how"
	same_tree sparse out
	[ "$(du -k out/hole | cut -f1)" -lt 1000 ] || fail "$how: the hole was filled"
done

# ---- links, in whatever order ----

mkdir links links/b
echo content >links/z
ln links/z links/a
ln links/z links/b/m
ln -s z links/symlink
find links -exec touch -h -d '2020-02-08 22:00:00 UTC' {} +
for order in 'z a b/m' 'b/m z a' 'a b/m z'; do
	# shellcheck disable=SC2086 # names
	tar -C links --no-recursion -czf archive.tar.gz . b symlink $order
	import_made "links: $order"
	same_tree links out
	[ "$(stat -c %h out/a)" = 3 ] || fail "$order: $(stat -c %h out/a) links"
done

# An archive that was appended to: the last of a name counts, and what was linked keeps.
mkdir twice
echo first >twice/f
ln twice/f twice/g
touch -d '2020-01-01 UTC' twice/f
tar -C twice -cf archive.tar f g
rm twice/f
echo second >twice/f
tar -C twice -rf archive.tar f
gzip archive.tar
import_made "appended"
[ "$(cat out/f out/g)" = $'second\nfirst' ] || fail "appended: $(cat out/f out/g)"

# ---- gzip in other ways than gzip's ----

tar -C plain -cf plain.tar .
{ head -c 5000 plain.tar | gzip; tail -c +5001 plain.tar | gzip -1; } >archive.tar.gz
import_made "gzip in two members"
same_tree plain out
if command -v pigz >/dev/null; then
	pigz -c plain.tar >archive.tar.gz
	import_made "pigz"
	same_tree plain out
fi

# ---- as a user: owners come from the archive, whoever reads it ----

if [ "$(id -u)" = 0 ]; then
	mkdir user owned
	echo mine >owned/file
	ln -s file owned/link
	chown -h 1234:4321 owned/file owned/link
	tar -C owned -czf user/autolab-backup-20260101_000005.tar.gz .
	cp key user.key
	chown -R 65534:65534 user user.key
	as_user manifest import --repo user --key user.key >imported
	quiet verify --repo user --trust key.pub --all --level deep
	rm -rf out && mkdir out
	quiet restore --repo user --trust key.pub --target out
	same_tree owned out
	[ "$(stat -c %u:%g out/link)" = 1234:4321 ] || fail "owned by $(stat -c %u:%g out/link)"
fi

# ---- all of them, now ----

quiet verify --repo repo --trust key.pub --all
n=$(find repo -name '*-2.seal' | wc -l)
[ "$n" = "$day" ] || fail "$n backups of $day archives"
manifest list --repo repo --trust key.pub --null | tr '\0' '\n' >listed
sort -c listed || fail "not in the order of time"
