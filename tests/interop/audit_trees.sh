#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# verify --source against the trees themselves: random edits of a tree that is hard to back up, and
# what it tells is what lstat, readlink, listxattr and sha256 say; and what rsync would transfer.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need python3 rsync
cat >trees.py <<'PYTHON'
import hashlib
import json
import os
import random
import stat
import subprocess
import sys

ROOT = b"data"


def order(path):
    return path.replace(b"/", b"\0")


def full(path):
    return os.path.join(ROOT, path) if path else ROOT


def walk(path=b""):
    yield path
    if stat.S_ISDIR(os.lstat(full(path)).st_mode):
        for name in os.listdir(full(path)):
            yield from walk(os.path.join(path, name))


def look(path):
    s = os.lstat(full(path))
    e = {"type": stat.S_IFMT(s.st_mode), "mode": stat.S_IMODE(s.st_mode), "owner": (s.st_uid, s.st_gid),
         "mtime": s.st_mtime_ns, "inode": (s.st_dev, s.st_ino)}
    if stat.S_ISREG(s.st_mode):
        with open(full(path), "rb") as f:
            e["content"] = hashlib.sha256(f.read()).digest()
    elif stat.S_ISLNK(s.st_mode):
        e["link"] = os.readlink(full(path))
    elif stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode):
        e["device"] = s.st_rdev
    e["xattrs"] = {n: os.getxattr(full(path), n, follow_symlinks=False)
                   for n in os.listxattr(full(path), follow_symlinks=False)}
    return e


def snapshot():
    out = {p: look(p) for p in sorted(walk(), key=order)}
    return {p: e for p, e in out.items() if not stat.S_ISSOCK(e["type"])}


def holders(tree):
    """Of each file the path that holds its content: its first name."""
    first = {}
    return {p: first.setdefault(e["inode"], p) for p, e in tree.items() if stat.S_ISREG(e["type"])}


def links(a, b):
    """Names that do not belong together as they did, as verify(1) has it."""
    held, told, group = holders(a), set(), {}
    for p in b:
        if p not in held or not stat.S_ISREG(b[p]["type"]):
            continue
        target, inode = held[p], b[p]["inode"]
        if inode in group:
            other, apart = group[inode]
            if other != target or apart:
                told.add(p)
            continue
        apart = target != p and (target not in b or b[target]["inode"] != inode)
        group[inode] = (target, apart)
        if apart:
            told.add(p)
    return told


def expected(a, b):
    out, apart = [], links(a, b)
    for path in sorted(set(a) | set(b), key=order):
        x, y = a.get(path), b.get(path)
        if x is None or y is None:
            out.append((path, "added" if x is None else "removed", []))
            continue
        if x["type"] != y["type"]:
            out.append((path, "changed", ["type"]))
            continue
        what = [k for k in ("content", "mode", "owner", "mtime", "xattrs", "link", "device")
                if x.get(k) != y.get(k) or (k == "link" and path in apart)]
        if what:
            out.append((path, "changed" if "content" in what else "facts", what))
    return out


def audit(name, jobs):
    run = subprocess.run(["verify", "--repo", "repo", "--trust", "key.pub", "--json", "--source", "data",
                          "--jobs", str(jobs), name], stdout=subprocess.PIPE)
    d = json.loads(run.stdout)
    found = [(bytes.fromhex(i["path_hex"]) if "path_hex" in i else i["path"].encode(), i["change"],
              i["what"]) for i in d["differences"]]
    return run.returncode, [(b"" if p == b"." else p, c, w) for p, c, w in found], d["totals"]


def edit(r, n):
    paths = [full(p) for p in walk() if p]
    files = [p for p in paths if stat.S_ISREG(os.lstat(p).st_mode)]
    dirs = [p for p in paths if stat.S_ISDIR(os.lstat(p).st_mode)] + [ROOT]
    f, g, d = r.choice(files), r.choice(paths), r.choice(dirs)
    s = os.lstat(f)
    how = r.randrange(15)
    if how == 0:
        with open(f, "ab") as o:
            o.write(b"more")
    elif how in (1, 2) and s.st_size > 0:  # the same size and time, other content
        with open(f, "r+b") as o:
            o.seek(r.randrange(s.st_size))
            o.write(bytes([r.randrange(256)]))
        os.utime(f, ns=(s.st_atime_ns, s.st_mtime_ns))
    elif how == 3:
        os.chmod(f, r.randrange(0o1000))
    elif how == 4:
        os.lchown(g, r.randrange(5), r.randrange(5))
    elif how == 5:
        os.utime(g, ns=(0, r.randrange(-10**18, 10**18)), follow_symlinks=False)
    elif how == 6:
        os.unlink(f)
    elif how == 7:
        os.rename(f, os.path.join(d, b"moved-%d" % n))
    elif how == 8:
        os.link(f, os.path.join(d, b"linked-%d" % n))
    elif how in (9, 10) and len(files) > 1:  # two that were there become one
        other = r.choice([p for p in files if p != f])
        if not os.path.samefile(f, other):
            os.unlink(other)
            os.link(f, other)
    elif how == 11:
        os.unlink(f)
        os.mkdir(f)
        with open(os.path.join(f, b"in\xff"), "wb") as o:
            o.write(b"x" * r.randrange(3000000))
    elif how == 12:
        os.unlink(f)
        os.symlink(b"to-%d" % n, f)
    elif how == 13:  # a name becomes a copy
        with open(f, "rb") as o:
            content = o.read()
        os.unlink(f)
        with open(f, "wb") as o:
            o.write(content)
        os.utime(f, ns=(s.st_atime_ns, s.st_mtime_ns))
    else:
        os.setxattr(f, "user.n", b"%d" % n)


def main():
    r = random.Random(int(sys.argv[1]))
    nights, told = [], 0
    for night in range(4):
        for n in range(25 if night > 0 else 0):
            edit(r, night * 100 + n)
        now = snapshot()
        out = subprocess.run(["backup", "--source", "data", "--repo", "repo", "--key", "key", "--json"],
                             check=True, stdout=subprocess.PIPE).stdout
        nights.append((json.loads(out)["name"], now))
        for name, then in nights:
            status, found, totals = audit(name, r.randrange(1, 5))
            want = expected(then, now)
            if found != want or status != (1 if want else 0):
                print(f"{name}: exit {status}", file=sys.stderr)
                for line in set(map(repr, found)) ^ set(map(repr, want)):
                    print(line, line in map(repr, want), file=sys.stderr)
                sys.exit(1)
            both = set(then) & set(now)
            assert totals["same"] == len(both) - sum(1 for w in want if w[0] in both)
            told += len(found)
    assert told > 100, told


main()
PYTHON
make_repo repo
for seed in ${AUDIT_SEEDS:-1 2}; do
	"$TESTS/make-tree" "$([ $((seed % 2)) = 1 ] && echo extreme || echo portable)" data
	quiet python3 trees.py "$seed"
	rm -r repo data
	mkdir repo
done

# What rsync would transfer, by checksum, or delete.
cp -a /usr/include include 2>/dev/null || fail "no /usr/include"
backup_tree include repo
cp -a include before
find include -type f -size +2k | sort | awk 'NR % 50 == 0' >picked
while read -r file; do
	flip "$file" 1000
	touch -r "before/${file#include/}" "$file"
done <picked
find include -type f | sort | awk 'NR % 70 == 0' | xargs rm
find include -type d | sort | awk 'NR % 30 == 0 { print $0 "/added" }' | xargs touch
expect 1 verify --repo repo --trust key.pub --source include --json
jq -r '.differences[] | select(.what == [] or (.what | index("content"))) | .path' "$CASE_BASE/stdout" | sort >ours
rsync -rlHn --checksum --delete --out-format='%i %n' include/ before/ |
    sed -n 's/^\(>f\S*\|\*deleting\) *//p' | grep -v '/$' | sort >theirs
[ "$(wc -l <theirs)" -gt 50 ] || fail "rsync tells of $(wc -l <theirs) files only"
diff ours theirs || fail "verify --source and rsync do not agree"
