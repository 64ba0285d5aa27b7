#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Archives without a seal that lie, or are damaged, restored from themselves alone: an error or a finding, never
# a crash, a hang, or a change outside of the target; and never is something missing in silence.
# long
# timeout: 600
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need python3

N=autolab-backup-20260101_000005
mkdir repo outside
echo precious >outside/precious
chmod 600 outside/precious
state() { find outside ! -path outside -printf '%p %m %u %g %s %T@ %l\n' | sort; find outside -type f -exec cat {} +; }
state >before
r() {
	expect "$1" restore --repo repo --untrusted --backup $N --target target "${@:2}"
}
told() {
	grep -q -- "$1" "$CASE_BASE/stderr" || fail "$what, not told: $1
$(cat "$CASE_BASE/stderr")"
}

# made NAME: an archive of the tool box below.
made() {
	what=$1
	rm -rf target
	# shellcheck disable=SC2016
	python3 - "$1" "$PWD/outside" <<'E1' | gzip -1 >repo/$N.tar.gz
import io, os, sys, tarfile

out = io.BytesIO()
t = tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT)

def add(name, data=b"", type=tarfile.REGTYPE, link="", mode=0o644, mtime=1000000000):
    i = tarfile.TarInfo(name)
    i.type, i.linkname, i.size, i.mode, i.mtime = type, link, len(data), mode, mtime
    i.uid, i.gid = os.getuid(), os.getgid()
    t.addfile(i, io.BytesIO(data))

def link(name, to):
    add(name, type=tarfile.LNKTYPE, link=to)

def symlink(name, to):
    add(name, type=tarfile.SYMTYPE, link=to, mode=0o777)

def dir(name, mode=0o755):
    add(name, type=tarfile.DIRTYPE, mode=mode)

what, outside = sys.argv[1:]
add("first", b"first")
if what == "absolute":
    add(outside + "/evil", b"x")
elif what == "dotdot":
    add("a/../../outside/evil", b"x")
elif what == "symlink":
    symlink("a", outside)
    add("a/evil", b"x")
    add("a/precious", b"x")
    dir("a/sub")
    link("hard", "a/precious")
elif what == "symlink-dir":
    symlink("a", outside)
    dir("a", 0o777)
    add("a/in", b"x")
elif what == "symlink-file":
    symlink("a", outside + "/precious")
    add("a", b"x")
elif what == "dir-symlink":
    dir("a")
    add("a/in", b"x")
    symlink("a", outside)
    add("a/again", b"x")
elif what == "link-symlink":
    symlink("a", outside + "/precious")
    link("b", "a")
    add("b", b"x")
elif what == "link-outside":
    link("a", "../outside/precious")
elif what == "link-later":
    link("a", "b")
    add("b", b"x")
elif what == "link-dir":
    dir("d")
    link("a", "d")
elif what == "link-self":
    link("a", "a")
elif what == "work":
    add(".tarseal-restore/state", b"tarseal-restore: 1\nstate: in\n")
    dir(".tarseal-restore/new")
elif what == "root-link":
    symlink("./", outside)
elif what == "twice":
    add("f", b"one")
    link("g", "f")
    add("f", b"two", mode=0o600, mtime=900000000)
    symlink("s", "x")
    add("s", b"file")
    add("t", b"file")
    symlink("t", "x")
    dir("d", 0o700)
    add("d/in", b"x")
    dir("d", 0o750)
    add("p/q", b"x")
    add("p", b"x")
elif what == "names":
    add("n" * 300, b"x")
    dir("m" * 255)
    add("m" * 255 + "/f", b"x")
    add("/".join("p" * 3000), b"x")
elif what == "device":
    i = tarfile.TarInfo("dev")
    i.type, i.devmajor, i.devminor = tarfile.CHRTYPE, 1, 3
    t.addfile(i)
elif what == "setid":
    i = tarfile.TarInfo("suid")
    i.mode, i.uid, i.gid, i.mtime = 0o6755, 4711, 4712, 1000000000
    t.addfile(i, io.BytesIO())
elif what == "unreadable":
    dir("d", 0)
    add("d/f", b"x", mode=0)
elif what == "lost":
    dir("lost+found", 0o700)
    add("lost+found/#12", b"x")
add("last", b"last")
t.close()
sys.stdout.buffer.write(out.getvalue())
E1
}
intact() {
	state | diff before - >&2 || fail "$what: outside of the target changed"
	[ ! -e target/.tarseal-restore ] || fail "$what: left its work directory"
}
# both STATUS NAME: as a whole and among what is there; last is there unless the stream ends before.
both() {
	made "$2"
	r "$1" "${@:3}"
	intact
	rm -rf target
	mkdir target
	r "$1" --mode merge "${@:3}"
	intact
}

both 1 absolute
told 'absolute path'
[ -f target/first ] || fail "absolute: $(ls target)"
[ ! -e target/last ] || fail "absolute: $(ls target)"
both 1 dotdot
told '".." in the path'
both 1 symlink
told 'a/evil: not restored: the way to it leads through'
told 'a/sub: not restored: the way to it leads through'
told 'hard: not restored'
[ -L target/a ] || fail "symlink: $(ls -l target)"
[ -f target/last ] || fail "symlink: $(ls -l target)"
both 0 symlink-dir
[ ! -L target/a ] || fail "symlink-dir: $(ls -l target)"
[ -f target/a/in ] || fail "symlink-dir: $(ls -l target)"
both 0 symlink-file
[ "$(cat target/a)" = x ] || fail "symlink-file: $(ls -l target)"
[ ! -L target/a ] || fail "symlink-file: $(ls -l target)"
both 1 dir-symlink
told 'a: not restored: there is '
[ -f target/a/in ] || fail "dir-symlink: $(ls -lR target)"
[ -f target/a/again ] || fail "dir-symlink: $(ls -lR target)"
both 0 link-symlink
[ -L target/a ] || fail "link-symlink: $(ls -l target)"
[ "$(cat target/b)" = x ] || fail "link-symlink: $(ls -l target)"
both 1 link-outside
told 'a hard link.s target "../outside/precious" is refused'
both 1 link-later
told 'a: not restored: it is a name of b, which does not come before it'
[ ! -e target/a ] || fail "link-later: $(ls -l target)"
[ -f target/b ] || fail "link-later: $(ls -l target)"
[ -f target/last ] || fail "link-later: $(ls -l target)"
both 1 link-dir
told 'a: not restored: it is a name of d, which does not come before it'
both 1 link-self
told 'a: not restored'
both 1 work
told 'tarseal-restore/state: not restored'
both 1 root-link
told 'it stands for the root, and is no directory'
both 0 twice p/q f g s t d first last
[ "$(cat target/f target/g target/s)" = "twoonefile" ] || fail "twice: $(ls -l target)"
[ -L target/t ] || fail "twice: $(ls -l target)"
[ "$(stat -c %a target/d target/f | xargs)" = "750 600" ] || fail "twice: $(ls -l target)"
both 1 twice
told 'p: not restored: there is '
[ -f target/p/q ] || fail "twice: $(ls -l target)"
# What is there already stays, if it shall; what came twice is what it was at last all the same.
for when in never if-newer; do
	rm -rf target
	mkdir target
	echo mine >target/f
	r 1 --mode merge --overwrite $when
	[ "$(cat target/f)" = mine ] || fail "$when: f is $(cat target/f)"
	[ "$(cat target/s)" = "file" ] || fail "$when: $(ls -l target)"
	[ -L target/t ] || fail "$when: $(ls -l target)"
done
# A link alone has what it was a name of then.
rm -rf target
r 0 g
[ "$(cat target/g)" = one ] || fail "a link alone: $(ls -l target)"
[ ! -e target/f ] || fail "a link alone: $(ls -l target)"
# Not what the target has of that name.
made link-later
mkdir target
echo mine >target/b
r 1 --mode merge --overwrite never
[ ! -e target/a ] || fail "a link to what was there"
both 1 names
told 'File name too long'
[ -f target/last ] || fail "names: $(ls target)"
[ -f "target/$(printf 'm%.0s' {1..255})/f" ] || fail "names: $(ls target)"
both 0 unreadable
[ "$(stat -c %a target/d)" = 0 ] || fail "unreadable: $(ls -l target)"
chmod 700 target/d
[ "$(stat -c %a target/d/f)" = 0 ] || fail "unreadable: $(ls -l target/d)"
both 0 lost
rm -rf target
mkdir -p target/lost+found
r 1
told 'lost+found/#12: not restored: the target has a lost+found of its own'
[ -f target/last ] || fail "lost+found: $(ls -l target)"
[ -d target/lost+found ] || fail "lost+found: $(ls -l target)"

# As a user: no device, no owner, and no set-id bit for somebody else.
if [ "$(id -u)" = 0 ]; then
	chmod 755 . .. repo
	chmod 644 repo/*
	for kind in device setid; do
		made $kind
		mkdir -m 777 target
		expect 0 as_user restore --repo repo --untrusted --backup $N --target target/of-user
		told 'not restored, because that needs root'
		[ -z "$(find target -perm /6000)" ] || fail "$kind: $(ls -l target/of-user)"
		[ ! -e target/of-user/dev ] || fail "$kind: $(ls -l target/of-user)"
	done
	both 0 setid
	[ "$(stat -c '%a %u %g' target/suid)" = "6755 4711 4712" ] || fail "setid: $(ls -l target)"
fi

# ---- mutants: bits of the tar stream changed, its checksums mended ----

sample_tree src
mkdir mutants
ln -s ../outside src/out
tar -C src --format=posix --xattrs -cf base1.tar config.json db/table db/table-link current logs out
tar -C src --format=gnu -cf base2.tar out logs db/table db/table-link current config.json
python3 - <<'E2'
import random

def mend(d, at):
    h = bytearray(d[at:at + 512])
    h[148:156] = b" " * 8
    d[at + 148:at + 156] = b"%06o\0 " % sum(h)

texts = [b"\0", b"/", b"..", b"out/", b"out/precious\0", b"=", b"\n", b"9" * 19, b"\xff", b"0", b"size=", b"path=",
         b"\x80" + b"\xff" * 11]
n = 0
for base in "12":
    whole = open("base%s.tar" % base, "rb").read()
    heads = [i for i in range(0, len(whole), 512) if whole[i + 257:i + 262] == b"ustar"]
    for seed in range(60):
        r = random.Random("%s-%d" % (base, seed))
        d = bytearray(whole)
        for _ in range(r.choice([1, 1, 2, 5])):
            at = r.choice(heads)
            to = at + r.choice([0, 0, 157, 157, r.randrange(480)])
            t = r.choice(texts) if r.random() < 0.6 else bytes([r.randrange(256)])
            d[to:to + len(t)] = t
            if r.random() < 0.3:
                d[at + 156:at + 157] = bytes([r.choice(b"01234567xgLK\0")])
            mend(d, at)
        n += 1
        open("mutants/%03d" % n, "wb").write(d)
E2
fine=0 wrong=0
mkdir base
tar -C base -xf base1.tar
for m in mutants/*; do
	what=$m
	gzip -1 -c "$m" >repo/$N.tar.gz
	rm -rf target
	cp -a base target
	for mode in stage merge; do
		status=0
		timeout 60 restore --repo repo --untrusted --backup $N --target target --mode $mode --force \
		    >out 2>err || status=$?
		case $status in
		0) fine=$((fine + 1)) ;;
		1) wrong=$((wrong + 1)) ;;
		*) fail "$m, $mode: exit $status: $(cat err)" ;;
		esac
		intact
	done
done
[ $fine -ge 20 ] || fail "$fine restored, $wrong not"
[ $wrong -ge 20 ] || fail "$fine restored, $wrong not"

# ---- much of everything takes no memory without end ----

[ "$TEST_VARIANT" = plain ] || exit 0
python3 - <<'E3' | gzip -1 >repo/$N.tar.gz
import sys, tarfile
o = sys.stdout.buffer
for i in range(300000):
    t = tarfile.TarInfo("f%d" % i)
    t.type = tarfile.FIFOTYPE if i % 2 else tarfile.LNKTYPE
    t.linkname = "f1" if not i % 2 else ""
    o.write(t.tobuf(tarfile.GNU_FORMAT))
o.write(bytes(1024))
E3
rm -rf target
(
	ulimit -v 400000
	r 0 f3 'f12?'
)
[ "$(find target -type p | wc -l)" = 11 ] || fail "links: $(ls -l target)"
[ target/f120 -ef target/f122 ] || fail "links: $(ls -l target)"
