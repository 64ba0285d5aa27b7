# SPDX-License-Identifier: BSD-2-Clause
"""reuse_history.py NIGHTS SEED: see reuse_history.sh, which makes key, with/, without/.

The clock of each night is set, and stands still: both backups get the same name.
"""
import filecmp
import gzip
import json
import os
import random
import shutil
import socket
import stat
import subprocess
import sys
import time

MIB = 1 << 20
ROOT = os.geteuid() == 0
NIGHTS, SEED = int(sys.argv[1]), int(sys.argv[2])
rnd = random.Random(SEED)
serial = 0


def die(what):
    sys.exit(f"seed {SEED}, night {night}: {what}\nbefore it: {', '.join(did)}")


# ---- the tree ----

def content(n):
    kind = rnd.random()
    if kind < 0.5:
        return rnd.randbytes(n)
    if kind < 0.6:
        return bytes(n)
    return (b"line %d of a text that packs well\n" % rnd.randrange(1000) * (n // 30 + 1))[:n]


def new_name():
    global serial
    serial += 1
    return rnd.choice(("file", "x", "log.", "a-", "é")) + str(serial)


def walk():
    dirs, files, others = ["src"], [], []
    for at, subdirs, names in os.walk("src"):
        subdirs.sort()
        dirs += [f"{at}/{d}" for d in subdirs if not os.path.islink(f"{at}/{d}")]
        others += [f"{at}/{d}" for d in subdirs if os.path.islink(f"{at}/{d}")]
        for n in sorted(names):
            p = f"{at}/{n}"
            (files if stat.S_ISREG(os.lstat(p).st_mode) else others).append(p)
    return dirs, files, others


def a_dir():
    return rnd.choice(walk()[0])


def a_file(large=None):
    files = walk()[1]
    if large is not None:
        files = [f for f in files if (os.path.getsize(f) > MIB) == large]
    if not files:
        put(f"{a_dir()}/{new_name()}", content(2 * MIB if large else 100))
        return a_file(large)
    return rnd.choice(files)


def put(path, data):
    with open(path, "wb") as f:
        f.write(data)


def small_size():
    return rnd.choice((0, 1, 511, 512, 513, rnd.randrange(60_000), rnd.randrange(30_000)))


# ---- what happens by day ----

def write_in_place():
    f = a_file()
    size = os.path.getsize(f)
    with open(f, "r+b") as h:
        h.seek(rnd.randrange(size + 1))
        h.write(content(rnd.randrange(1, 5000)))


def append():
    with open(a_file(), "ab") as h:
        h.write(content(rnd.randrange(1, 5000)))


def truncate():
    f = a_file()
    os.truncate(f, rnd.randrange(os.path.getsize(f) + 1))


def same_size_and_mtime():
    f = a_file()
    st = os.stat(f)
    with open(f, "r+b") as h:
        h.seek(rnd.randrange(max(st.st_size, 1)))
        if st.st_size > 0:
            byte = h.read(1)
            h.seek(-1, os.SEEK_CUR)
            h.write(bytes([byte[0] ^ 1]))
    os.utime(f, ns=(st.st_atime_ns, st.st_mtime_ns))


def large_grows():
    with open(a_file(large=True), "ab") as h:
        h.write(content(rnd.randrange(1, MIB)))


def large_shrinks():
    f = a_file(large=True)
    os.truncate(f, rnd.randrange(max(MIB // 2, os.path.getsize(f) // 2), os.path.getsize(f)))


def large_changes():
    f = a_file(large=True)
    with open(f, "r+b") as h:
        h.seek(rnd.randrange(os.path.getsize(f)))
        h.write(content(rnd.choice((1, 4096, 100_000))))


def large_gets_a_hole():
    f = a_file(large=True)
    at = rnd.randrange(os.path.getsize(f)) & ~4095
    subprocess.run(["fallocate", "-p", "-o", str(at), "-l", str(128 << 10), f], check=False,
                   stderr=subprocess.DEVNULL)


def large_comes():
    if sum(os.path.getsize(f) for f in walk()[1]) < 20 * MIB:
        put(f"{a_dir()}/{new_name()}", content(rnd.randrange(MIB - 2, 5 * MIB)))


def large_goes():
    files = [f for f in walk()[1] if os.path.getsize(f) > MIB]
    if len(files) > 3:
        os.unlink(rnd.choice(files))


def rename():
    f = a_file()
    os.rename(f, f"{os.path.dirname(f)}/{new_name()}")


def move():
    f = a_file()
    os.rename(f, f"{a_dir()}/{os.path.basename(f)}" if rnd.random() < 0.5 else f"{a_dir()}/{new_name()}") \
        if not os.path.isdir(f"{a_dir()}/{os.path.basename(f)}") else None


def replace_by_rename():
    f = a_file()
    put("src/.tmp", content(small_size()))
    os.rename("src/.tmp", f)


def delete():
    for _ in range(rnd.randrange(1, 4)):
        os.unlink(a_file())


def insert():
    for _ in range(rnd.randrange(1, 4)):
        put(f"{a_dir()}/{new_name()}", content(small_size()))


def insert_many():
    d = f"{a_dir()}/{new_name()}"
    os.mkdir(d)
    for _ in range(rnd.randrange(20, 60)):
        put(f"{d}/{new_name()}", content(small_size()))


def remove_tree():
    dirs, files, _ = walk()
    if len(files) > 200 and len(dirs) > 5:
        shutil.rmtree(rnd.choice(dirs[1:]))


def chmod():
    p = rnd.choice(walk()[rnd.randrange(2)])
    os.chmod(p, rnd.choice((0o700, 0o755, 0o750)) if os.path.isdir(p) else rnd.choice((0o600, 0o644)))


def chown():
    p = rnd.choice(walk()[rnd.randrange(2)])
    if ROOT:
        os.chown(p, rnd.randrange(5), rnd.randrange(5))


def xattr():
    p = rnd.choice(walk()[rnd.randrange(2)])
    try:
        if "user.k" in os.listxattr(p) and rnd.random() < 0.3:
            os.removexattr(p, "user.k")
        else:
            os.setxattr(p, "user.k", rnd.randbytes(rnd.randrange(1, 300)))
    except OSError:
        pass


def touch():
    p = rnd.choice(walk()[rnd.randrange(2)])
    os.utime(p, (rnd.randrange(2**31), rnd.randrange(2**31)))


def symlink():
    links = [p for p in walk()[2] if os.path.islink(p)]
    if links and rnd.random() < 0.7:
        p = rnd.choice(links)
        os.unlink(p)
    else:
        p = f"{a_dir()}/{new_name()}"
    os.symlink("to/" + new_name(), p)


def hard_link():
    name = rnd.choice(("0", "z", "~")) + new_name()  # before the first name, or behind the last
    os.link(a_file(), f"{a_dir()}/{name}")


def hard_link_goes():
    files = [f for f in walk()[1] if os.stat(f).st_nlink > 1]
    if files:
        os.unlink(rnd.choice((files[0], rnd.choice(files))))


def hard_link_becomes_a_file():
    files = [f for f in walk()[1] if os.stat(f).st_nlink > 1]
    if files:
        f = rnd.choice(files)
        with open(f, "rb") as h:
            data = h.read()
        os.unlink(f)
        put(f, data)


def special():
    p = f"{a_dir()}/{new_name()}"
    if rnd.random() < 0.5:
        os.mkfifo(p)
        return
    s = socket.socket(socket.AF_UNIX)
    s.bind(p)
    s.close()


def special_goes():
    others = walk()[2]
    if others:
        os.unlink(rnd.choice(others))


def file_becomes_directory():
    f = a_file()
    os.unlink(f)
    os.mkdir(f)
    put(f"{f}/inside", content(small_size()))


def directory_becomes_file():
    leaves = [d for d in walk()[0][1:] if not any(e.is_dir(follow_symlinks=False) for e in os.scandir(d))]
    if len(leaves) > 3:
        d = rnd.choice(leaves)
        shutil.rmtree(d)
        put(d, content(small_size()))


def all_ctimes():
    for p in sum(walk(), []):
        st = os.lstat(p)
        os.chown(p, st.st_uid, st.st_gid, follow_symlinks=False)


DAILY = [write_in_place, append, truncate, same_size_and_mtime, large_grows, large_shrinks,
         large_changes, large_gets_a_hole, large_comes, large_goes, rename, move,
         replace_by_rename, delete, insert, insert_many, remove_tree, chmod, chown, xattr, touch,
         symlink, hard_link, hard_link, hard_link_goes, hard_link_becomes_a_file, special,
         special_goes, file_becomes_directory, directory_becomes_file]


def make_tree():
    os.mkdir("src")
    for i in range(12):
        os.mkdir(f"{a_dir()}/{new_name()}")
    dirs = walk()[0]
    for i in range(300):
        put(f"{rnd.choice(dirs)}/{new_name()}", content(small_size()))
    for size in (MIB, MIB + 1, 3 * MIB + 77, 5 * MIB):
        put(f"{rnd.choice(dirs)}/{new_name()}", content(size))


# ---- a night ----

def start(when, *args):
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(when))
    env = dict(os.environ, LD_PRELOAD=os.environ["FAKETIME_LIB"], FAKETIME=at, NO_FAKE_STAT="1",
               FAKETIME_DISABLE_SHM="1")
    return subprocess.Popen(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end(p):
    out, err = p.communicate()
    if p.returncode != 0 or (err and b"the clock has run backwards" not in err):
        die(f"{' '.join(p.args)}: {p.returncode}\n{err.decode()}")
    return json.loads(out)


def back_up(when, reuse, extra):
    args = ("backup", "--json", "--source", "src", "--key", "key", "--keep-last", "3", *extra)
    two = [start(when, *args, "--repo", repo, "--reuse", how, "--jobs", str(rnd.randrange(1, 4)))
           for repo, how in (("with", reuse), ("without", "none"))]
    return [end(p) for p in two]


def compare(name):
    for part in (".tar.gz", ".manifest.gz"):
        a, b = f"with/{name}{part}", f"without/{name}{part}"
        if filecmp.cmp(a, b, shallow=False):
            continue
        with gzip.open(a) as f, gzip.open(b) as g:
            die(f"{a} and {b} differ" + ("" if f.read() != g.read() else ", though not inflated"))


def restore(name):
    shutil.rmtree("out", ignore_errors=True)
    command("restore", "--repo", "with", "--trust", "key.pub", "--backup", name, "--target", "out")
    sockets = [p for p in walk()[2] if stat.S_ISSOCK(os.lstat(p).st_mode)]
    differs = command("rsync", "-aHAXn", "--numeric-ids", "--checksum", "--delete", "--itemize-changes",
                      *(f"--exclude={p[3:]}" for p in sockets), "src/", "out/")
    if differs:
        die("restored, it differs:\n" + differs)


def command(*args):
    p = subprocess.run(args, capture_output=True, check=False)
    if p.returncode != 0:
        die(f"{' '.join(args)}: {p.returncode}\n{p.stdout.decode()}{p.stderr.decode()}")
    return p.stdout.decode()


def one_night(when, extra, reuse):
    a, b = back_up(when, reuse, extra)
    if (a["name"], a["entries"], a["bytes"], a["changed"]) != (b["name"], b["entries"], b["bytes"], b["changed"]):
        die(f"{a}\n{b}")
    compare(a["name"])
    command("verify", "--repo", "with", "--trust", "key.pub", "--level", "deep", a["name"])
    return a


def expect(a, quiet, fresh):
    """Copied is what can be: of an untouched tree all but the end."""
    if fresh and a["members_copied"] > 0:
        die("copied from another level of compression")
    if not fresh and a["copied_from"] is None:
        die("nothing to copy from")
    if quiet and not fresh and a["members_copied"] != a["members"]:
        die(f"nothing changed, and {a['members_copied']} of {a['members']} are copied")
    return a["members_copied"], a["members"]


night, did = 0, []
print("seed", SEED)
make_tree()
day = int(time.time()) + 86400
levels = ["1", "2"]
excludes = []
copied = members = 0
for night in range(1, NIGHTS + 1):
    did = []
    kind = rnd.random()
    quiet = night > 1 and kind < 0.12
    fresh = night in (1, NIGHTS // 2)  # the level changes once
    if 0.12 <= kind < 0.16:
        all_ctimes()
        did = ["all_ctimes"]
    elif not quiet:
        for edit in rnd.choices(DAILY, k=rnd.choice((1, 1, 2, 3, 8))):
            did.append(edit.__name__)
            edit()
    if not quiet and rnd.random() < 0.1:
        excludes = rnd.choice(([], ["x*"], ["log.*", "*7"], ["a-*"]))
    extra = ["--compression", levels[night >= NIGHTS // 2]]
    extra += [w for x in excludes for w in ("--exclude", x)]
    # Sometimes the clock is set right: it has run backwards, and all ctimes are fresh.
    when = int(time.time()) if night % 41 == 40 else day + night * 3600
    a = one_night(when, extra, "content" if rnd.random() < 0.1 else "stat")
    c, m = expect(a, quiet, fresh)
    copied, members = copied + c, members + m
    if night % 20 == 0 and not excludes:
        restore(a["name"])
if copied < members // 2:
    sys.exit(f"seed {SEED}: only {copied} of {members} members were copied")
print(f"{copied} of {members} members were copied")
