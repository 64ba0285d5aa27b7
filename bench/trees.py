# SPDX-License-Identifier: BSD-2-Clause
"""What is backed up, and how it changes overnight.

The system tree is a sample of this machine's /usr where that is large enough: files
below 8 MiB, chosen and ordered by a hash of their names, so that it is the same each
time.  Elsewhere, or when told, maketree makes one of the same shape.  The other trees
are always made.
"""
import hashlib
import os
import random
import subprocess
import time

import contenders

MAKETREE = f"{contenders.BUILD}/bench/maketree"
SAMPLED = ("/usr/bin", "/usr/include", "/usr/lib", "/usr/share")
LARGEST = 8 << 20


class Tree:
    def __init__(self, path, title):
        self.path, self.title = path, title
        self.touched()

    def touched(self):
        self.born = time.monotonic()

    def files(self):
        """Regular files, below path, in bytewise order."""
        found, left = [], [os.fsencode(self.path)]
        while left:
            with os.scandir(left.pop()) as entries:
                for e in entries:
                    if e.is_dir(follow_symlinks=False):
                        left.append(e.path)
                    elif e.is_file(follow_symlinks=False):
                        found.append(e.path)
        return sorted(found)

    def bytes(self):
        return sum(os.path.getsize(f) for f in self.files())

    def warm(self):
        subprocess.run(["bash", "-c", 'tar -cf - -C "$1" . | cat >/dev/null', "bash", self.path], check=True)

    def one(self):
        """A file from the middle, neither tiny nor large, by its name below the root."""
        found = self.files()
        middle = found[len(found) // 2:]
        fit = (f for f in middle if 4096 <= os.path.getsize(f) <= 131072 and b"\\" not in f)
        chosen = next(fit, middle[0])
        return os.fsdecode(chosen)[len(self.path) + 1:]


def make(kind, path, files, size, title=None):
    """kind is one that maketree knows."""
    subprocess.run([MAKETREE, kind, path, str(files), str(int(size))], check=True)
    return Tree(path, title or f"{files:,} files, {size / 1e6:,.0f} MB")


def append_log(path, size):
    subprocess.run([MAKETREE, "log", path, str(int(size))], check=True)


def sample_of_usr(files):
    found = []
    for top in SAMPLED:
        for at, _, names in os.walk(top):
            found += [f"{at}/{n}" for n in names]
    found.sort(key=lambda f: hashlib.sha256(os.fsencode(f)).digest())
    chosen = []
    for f in found:
        if len(chosen) == files:
            break
        if not os.path.islink(f) and os.path.isfile(f) and os.path.getsize(f) < LARGEST:
            chosen.append(os.fsencode(f))
    return chosen


def system(path, files, size, synthetic=False):
    """files and about size bytes; of the machine's own, size is what they have."""
    chosen = [] if synthetic else sample_of_usr(files)
    if len(chosen) < files:
        return make("system", path, files, size, f"{files:,} files, {size / 1e6:,.0f} MB, made")
    os.mkdir(path)
    reader = subprocess.Popen(["tar", "-cf", "-", "--null", "--no-recursion", "--verbatim-files-from", "-P",
                               "--files-from", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    writer = subprocess.Popen(["tar", "-xf", "-", "-C", path], stdin=reader.stdout, stderr=subprocess.DEVNULL)
    reader.stdin.write(b"\0".join(chosen))
    reader.stdin.close()
    if reader.wait() or writer.wait():
        raise SystemExit("bench: the sample of /usr could not be copied")
    tree = Tree(path, "")
    tree.title = f"{files:,} files of /usr, {tree.bytes() / 1e6:,.0f} MB"
    return tree


def large(path, size):
    """One file, half noise, half lines."""
    os.mkdir(path)
    with open(f"{path}/large", "wb") as f:
        noise = random.Random(1)
        left = size // 2
        while left > 0:
            left -= f.write(noise.randbytes(min(left, 1 << 22)))
    append_log(f"{path}/large", size - size // 2)
    return Tree(path, f"one file of {size / 2**20:,.0f} MiB")


def edit(tree, percent, night=1):
    """Every so-manieth file: eight bytes in its middle, or a third of the time a line more."""
    every = max(1, round(100 / percent))
    chance = random.Random(night)
    for i, f in enumerate(tree.files()):
        if (i + night) % every:
            continue
        grows = chance.randrange(3) == 0
        with open(f, "r+b") as out:
            out.seek(0 if grows else os.path.getsize(f) // 2, os.SEEK_END if grows else os.SEEK_SET)
            out.write(chance.randbytes(64) + b"\n" if grows else chance.randbytes(8))
    tree.touched()
