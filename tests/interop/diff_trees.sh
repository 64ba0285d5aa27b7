#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# manifest diff against the trees themselves: random edits of a tree that is hard to back up, and
# what differs between any two nights is what lstat, readlink and sha256 say.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need python3
"$TESTS/make-tree" extreme data
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


def walk(path=b""):
    yield path
    full = os.path.join(ROOT, path) if path else ROOT
    if stat.S_ISDIR(os.lstat(full).st_mode):
        for name in os.listdir(full):
            yield from walk(os.path.join(path, name))


def digest(full):
    h = hashlib.sha256()
    with open(full, "rb") as f:
        for block in iter(lambda: f.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()


def snapshot():
    first, out = {}, {}
    for path in sorted(walk(), key=order):
        full = os.path.join(ROOT, path) if path else ROOT
        s = os.lstat(full)
        if stat.S_ISSOCK(s.st_mode):
            continue
        e = {"type": stat.S_IFMT(s.st_mode), "mode": stat.S_IMODE(s.st_mode),
             "owner": (s.st_uid, s.st_gid), "mtime": s.st_mtime_ns, "link": None, "content": None,
             "device": None, "size": 0}
        if stat.S_ISREG(s.st_mode):
            e["content"] = digest(full)
            e["size"] = s.st_size
            target = first.setdefault((s.st_dev, s.st_ino), path)
            e["link"] = target if target != path else None
        elif stat.S_ISLNK(s.st_mode):
            e["link"] = os.readlink(full)
        elif stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode):
            e["device"] = s.st_rdev
        e["xattrs"] = {n: os.getxattr(full, n, follow_symlinks=False)
                       for n in os.listxattr(full, follow_symlinks=False)}
        out[path or b"."] = e
    return out


def expected(a, b, below):
    out = []
    for path in sorted(set(a) | set(b), key=lambda p: b"" if p == b"." else order(p)):
        if below and path != below and not path.startswith(below + b"/"):
            continue
        x, y = a.get(path), b.get(path)
        if x is None or y is None:
            out.append((path, "added" if x is None else "removed", []))
            continue
        if x["type"] != y["type"]:
            what = ["type"]
        else:
            what = [k for k in ("content", "mode", "owner", "mtime", "xattrs", "link", "device")
                    if x[k] != y[k]]
        if what:
            changed = what == ["type"] or "content" in what
            out.append((path, "changed" if changed else "facts", what))
    return out


def diff(a, b, below):
    run = subprocess.run(["manifest", "diff", "--repo", "repo", "--trust", "key.pub", "--json", a, b] +
                         ([below] if below else []), stdout=subprocess.PIPE)
    d = json.loads(run.stdout)
    found = [(bytes.fromhex(i["path_hex"]) if "path_hex" in i else i["path"].encode(), i["change"],
              i["what"]) for i in d["differences"]]
    return run.returncode, found, d["totals"]


def edit(r, n):
    paths = [os.path.join(ROOT, p) for p in walk() if p]
    files = [p for p in paths if stat.S_ISREG(os.lstat(p).st_mode)]
    dirs = [p for p in paths if stat.S_ISDIR(os.lstat(p).st_mode)] + [ROOT]
    f, g, d = r.choice(files), r.choice(paths), r.choice(dirs)
    s = os.lstat(f)
    how = r.randrange(13)
    if how == 0:
        with open(f, "ab") as o:
            o.write(b"more")
    elif how in (1, 2) and s.st_size > 0:  # the same size and time, other content
        with open(f, "r+b") as o:
            o.seek(r.randrange(s.st_size))
            o.write(bytes([r.randrange(256)]))
        os.truncate(f, s.st_size)
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
    elif how in (8, 9):
        os.link(f, os.path.join(d, b"linked-%d" % n))
    elif how == 10:
        os.unlink(f)
        os.mkdir(f)
        with open(os.path.join(f, b"in\xff"), "wb") as o:
            o.write(b"x" * r.randrange(3000000))
    elif how == 11:
        os.unlink(f)
        os.symlink(b"to-%d" % n, f)
    else:
        os.setxattr(f, "user.n", b"%d" % n)


def main():
    r = random.Random(int(sys.argv[1]))
    nights = []
    for night in range(4):
        for n in range(25 if night > 0 else 0):
            edit(r, night * 100 + n)
        out = subprocess.run(["backup", "--source", "data", "--repo", "repo", "--key", "key", "--json"],
                             check=True, stdout=subprocess.PIPE).stdout
        nights.append((json.loads(out)["name"], snapshot()))
    told = 0
    for i, (a, x) in enumerate(nights):
        for j, (b, y) in enumerate(nights):
            below = r.choice([None, r.choice(sorted(x)), os.path.dirname(r.choice(sorted(x)))])
            below = None if below in (b"", b".") else below
            status, found, totals = diff(a, b, below)
            want = expected(x, y, below)
            if found != want or status != (1 if want else 0):
                print(f"{a} {b} {below}: exit {status}", file=sys.stderr)
                for line in set(map(repr, found)) ^ set(map(repr, want)):
                    print(line, line in map(repr, want), file=sys.stderr)
                sys.exit(1)
            told += len(found)
            if below is None:
                assert totals["same"] == len(set(x) & set(y)) - sum(1 for w in want if w[1] in ("changed", "facts"))
    assert told > 100, told


main()
PYTHON
make_repo repo
for seed in ${DIFF_SEEDS:-1 2}; do
	quiet python3 trees.py "$seed"
	rm -r repo data
	mkdir repo
	"$TESTS/make-tree" portable data
done
