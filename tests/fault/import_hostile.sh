#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Archives that are damaged, or made to do harm, given to manifest import: an error that says
# where, or a backup that verifies; never a crash, a hang, much memory, or something left behind.
# long
# timeout: 600
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need python3

N=autolab-backup-20260101_000005
make_repo repo

# left: nothing but the archive, lock and catalog.
nothing_left() {
	local found
	found=$(find repo -mindepth 1 ! -name "$N.tar.gz" ! -name .lock ! -name 'catalog.sqlite3*')
	[ -z "$found" ] || fail "$1: left $found"
}

# refused WHAT REGEX: repo/$N.tar.gz is, in a line that tells that.
refused() {
	local before
	before=$(sha256sum <"repo/$N.tar.gz")
	expect 1 manifest import --repo repo --dry-run
	grep -q "warning: not imported: $N.tar.gz: .*$2" "$CASE_BASE/stderr" ||
	    fail "$1: a dry run said $(cat "$CASE_BASE/stderr")"
	expect 1 manifest import --repo repo --key key --remove-original
	grep -q "warning: not imported: $N.tar.gz: .*$2" "$CASE_BASE/stderr" ||
	    fail "$1: said $(cat "$CASE_BASE/stderr")"
	[ "$(sha256sum <"repo/$N.tar.gz")" = "$before" ] || fail "$1: the original changed"
	nothing_left "$1"
}

# ---- damage that is told by name ----

sample_tree src
tar -C src --format=posix -cf good.tar .
gzip -nk good.tar
size=$(stat -c %s good.tar.gz)

head -c $((size - 4)) good.tar.gz >"repo/$N.tar.gz"
refused "without its last bytes" "breaks off: the gzip data does not end at its last byte, $((size - 4))"
head -c $((size / 2)) good.tar.gz >"repo/$N.tar.gz"
refused "the first half" "breaks off"
: >"repo/$N.tar.gz"
refused "empty" "is empty"
echo "no gzip at all" >"repo/$N.tar.gz"
refused "text" "is not gzip data"
cp good.tar.gz "repo/$N.tar.gz"
flip "repo/$N.tar.gz" $((size - 6))
refused "a wrong CRC" "gzip data is damaged before byte $((size - 4)): incorrect data check"
cp good.tar.gz "repo/$N.tar.gz"
flip "repo/$N.tar.gz" $((size - 2))
refused "a wrong length" "gzip data is damaged before byte $size: incorrect length check"
{ cat good.tar.gz; echo more; } >"repo/$N.tar.gz"
refused "something behind" "something else than gzip data follows its end, at byte $size"
{ cat good.tar.gz; head -c 512 /dev/zero; } >"repo/$N.tar.gz"
refused "zeros behind" "something else than gzip data follows its end, at byte $size"
{ cat good.tar.gz; gzip -n <good.tar; } >"repo/$N.tar.gz"
refused "two archives" "something follows the end of the archive"
# Sound gzip, and a tar that breaks off between two entries: only its end is missing.
python3 - good.tar <<'EOF' | gzip >"repo/$N.tar.gz"
import sys
d = open(sys.argv[1], "rb").read().rstrip(b"\0")
sys.stdout.buffer.write(d + bytes(-len(d) % 512))
EOF
refused "no end" "the archive breaks off: its end is not there"
head -c 3000 good.tar | gzip >"repo/$N.tar.gz"
refused "tar that ends within an entry" "the archive breaks off"
head -c 10240 /dev/zero | gzip >"repo/$N.tar.gz"
refused "no entries" "holds nothing"
echo "no tar" | gzip >"repo/$N.tar.gz"
refused "gzip of a text" "the archive breaks off"
noise 20000 1 | gzip >"repo/$N.tar.gz"
refused "gzip of noise" "this is no tar archive"

# ---- entries that lie ----

# lie NAME: an archive from the tool box below.
lie() {
	python3 - "$1" >lie.tar <<'EOF'
import io, sys, tarfile

out = io.BytesIO()
t = tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT)

def add(name, type=tarfile.REGTYPE, link="", data=b""):
    i = tarfile.TarInfo(name)
    i.type, i.linkname, i.size = type, link, len(data)
    t.addfile(i, io.BytesIO(data))

what = sys.argv[1]
if what == "absolute":
    add("/etc/passwd", data=b"x")
elif what == "dotdot":
    add("a/../../etc/passwd", data=b"x")
elif what == "below-symlink":
    add("a", tarfile.SYMTYPE, "/etc")
    add("a/passwd", data=b"x")
elif what == "below-file":
    add("a", data=b"x")
    add("a/b", data=b"x")
elif what == "link-to-nothing":
    add("a", tarfile.LNKTYPE, "b")
    add("b", data=b"x")
elif what == "link-outside":
    add("a", tarfile.LNKTYPE, "../etc/passwd")
elif what == "link-to-directory":
    add("d", tarfile.DIRTYPE)
    add("a", tarfile.LNKTYPE, "d")
elif what == "no-target":
    add("a", tarfile.SYMTYPE, "")
elif what == "unknown":
    add("a", b"Z", data=b"x")
elif what == "volumes":
    add("a", b"M", data=b"x")
elif what == "long-name":
    add("/".join(["n" * 250] * 600), data=b"x")
elif what == "huge-name":
    t.fileobj.write(tarfile.TarInfo("././@LongLink").tobuf().replace(b"", b""))
    i = tarfile.TarInfo("././@LongLink")
    i.type, i.size = tarfile.GNUTYPE_LONGNAME, 1 << 40
    out.seek(0)
    out.write(i.tobuf(tarfile.GNU_FORMAT))
    t.offset = 512
elif what == "root-is-a-file":
    add("./", tarfile.SYMTYPE, "x")
t.close()
sys.stdout.buffer.write(out.getvalue())
EOF
	gzip -c lie.tar >"repo/$N.tar.gz"
}

while read -r what regex; do
	lie "$what"
	refused "$what" "$regex"
done <<'E2'
absolute "/etc/passwd" is refused: an absolute path
dotdot "a/../../etc/passwd" is refused: ".." in the path
below-symlink a/passwd: lies below a, which is no directory
below-file a/b: lies below a, which is no directory
link-to-nothing a: is a hard link to b, which does not come before it
link-outside a: a hard link's target "../etc/passwd" is refused
link-to-directory a: is a hard link to d, which is a directory
no-target a: a link without a target
unknown a: an entry of unknown type 0x5a
volumes a: a part of an archive of several volumes
long-name a path of 150599 bytes
huge-name names and records of an entry over 4 MiB
root-is-a-file stands for the root, and is no directory
E2

# ---- bombs: as small on disk as they came, and in memory ----

python3 - <<'EOF' | gzip -1 >"repo/$N.tar.gz"
import sys, tarfile
t = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT)
t.addfile(tarfile.TarInfo("/".join("d" * 8000)))
t.close()
EOF
quiet manifest import --repo repo --key key --jobs 2
quiet verify --repo repo --trust key.pub --level deep "$N-2"
grep -q '^# entries: 8001$' "repo/$N-2.seal" || fail "$(cat "repo/$N-2.seal")"
rm repo/*

python3 - <<'EOF' | gzip -1 >"repo/$N.tar.gz"
import sys, tarfile
i = tarfile.TarInfo("zeros")
i.size = 3 << 30
sys.stdout.buffer.write(i.tobuf(tarfile.GNU_FORMAT))
z = bytes(1 << 20)
for _ in range(3 << 10):
    sys.stdout.buffer.write(z)
sys.stdout.buffer.write(bytes(1024))
EOF
[ "$TEST_VARIANT" != plain ] || ulimit -v 400000
quiet manifest import --repo repo --key key --jobs 2
quiet verify --repo repo --trust key.pub "$N-2"
[ "$(stat -c %s "repo/$N-2.tar.gz")" -lt 1000000 ] || fail "3 GiB of zeros did not stay small"
rm repo/*

# ---- mutants: bits of the tar stream changed, its checksums mended ----

mkdir mutants
tar -C src --format=posix -S --xattrs -cf base1.tar config.json db/table db/table-link current logs
truncate -s 200k src/sparse
echo end >>src/sparse
mkdir -p "src/$(printf 'long%.0s' {1..40})/$(printf 'name%.0s' {1..40})"
(cd src && tar --format=gnu -S -cf ../base2.tar sparse long* logs db/table db/table-link current)
(cd src && tar --format=posix -S -cf ../base3.tar sparse long* logs)
python3 - <<'EOF'
import random, sys

def mend(d, at):
    h = bytearray(d[at:at + 512])
    h[148:156] = b" " * 8
    d[at + 148:at + 156] = b"%06o\0 " % sum(h)

texts = [b"\0", b"/", b"..", b"=", b"\n", b"-1", b"9" * 19, b"18446744073709551616", b"\xff", b"0", b"%",
         b"GNU.sparse.", b"SCHILY.xattr.user.", b"size=", b"path=", b"\x80" + b"\xff" * 11]
n = 0
for base in "123":
    whole = open("base%s.tar" % base, "rb").read()
    heads = [i for i in range(0, len(whole), 512) if whole[i + 257:i + 262] == b"ustar"]
    for seed in range(40):
        r = random.Random("%s-%d" % (base, seed))
        d = bytearray(whole)
        for _ in range(r.choice([1, 1, 1, 2, 5])):
            at = r.choice(heads)
            if r.random() < 0.5:
                to = at + r.randrange(512)
            else: # the records behind it
                to = min(at + 512 + r.randrange(400), len(d) - 32)
            t = r.choice(texts) if r.random() < 0.6 else bytes([r.randrange(256)])
            d[to:to + len(t)] = t
            if r.random() < 0.1:
                d[at + 156:at + 157] = bytes([r.choice(b"01234567xgLKSDVM\0")])
            mend(d, at)
        if r.random() < 0.1:
            a, b = sorted((r.choice(heads), r.choice(heads)))
            d = d[:a] + d[b:]
        n += 1
        open("mutants/%03d" % n, "wb").write(d)
EOF
imported=0 refused=0
for m in mutants/*; do
	gzip -1 -c "$m" >"repo/$N.tar.gz"
	status=0
	timeout 60 manifest import --repo repo --key key --jobs 1 --compression 1 >out 2>err || status=$?
	case $status in
	0)
		imported=$((imported + 1))
		timeout 60 verify --repo repo --trust key.pub --level deep "$N-2" >out 2>&1 ||
		    fail "$m: what was imported does not verify: $(cat out)"
		rm repo/"$N"-2.*
		;;
	1)
		refused=$((refused + 1))
		grep -q "not imported: $N.tar.gz: " err || fail "$m: $(cat err)"
		;;
	*) fail "$m: exit $status: $(cat err)" ;;
	esac
	nothing_left "$m"
done
if [ $imported -lt 5 ] || [ $refused -lt 30 ]; then
	fail "$imported imported, $refused refused"
fi
