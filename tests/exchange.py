#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
#
# exchange.py: somebody who may write in a directory while a restore writes there.
#
#   tests/exchange.py names|held|once TARGET OUTSIDE SECONDS NAME...
#
# Keeps exchanging each directory NAME of TARGET, and of the new/ and old/ of a restore at work in it, with a
# symbolic link to the same NAME in OUTSIDE, and the work directory itself with a link to OUTSIDE. With
# "held" a directory stays open, and those in it are exchanged wherever it is moved; with
# "once" for long. Prints how often that was done.
import ctypes
import os
import random
import sys
import time

RENAME_EXCHANGE = 2
PLACES = ["", ".tarseal-restore", ".tarseal-restore/new", ".tarseal-restore/old"]
libc = ctypes.CDLL(None, use_errno=True)


def opened(fd, path):
    """A directory beneath fd, through no link of ours: what is outside is for the others to touch."""
    fd = os.dup(fd)
    for part in path.split("/") if path else []:
        try:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=fd)
        except OSError:
            return None
        finally:
            os.close(fd)
        fd = below
    return fd


def pairs(outside, names):
    """A directory, a name in it, and where a link in its place shall lead."""
    for place in PLACES:
        for name in names:
            path = os.path.join(place, name)
            yield os.path.dirname(path), os.path.basename(path), os.path.join(outside, name)
    for name in ("", "/new", "/old"):
        path = ".tarseal-restore" + name
        yield os.path.dirname(path), os.path.basename(path), outside


def exchange(fd, name, link):
    return libc.renameat2(fd, os.fsencode(name), fd, os.fsencode(link), RENAME_EXCHANGE) == 0


def turn(fd, name, to, times):
    """How often it was done: an even number of times puts back what was there."""
    done = 0
    try:
        for _ in range(times):
            if exchange(fd, name, "x-" + name):
                done += 1
                continue
            os.symlink(to, "x-" + name, dir_fd=fd)
    except OSError:
        pass
    return done


def by_name(top, outside, names):
    """All of them, where they are now."""
    done = 0
    for where, name, to in pairs(outside, names):
        # A restore whose work directory is gone has come to its end: not too often.
        if name in (".tarseal-restore", "new", "old") and random.randrange(64):
            continue
        fd = opened(top, where)
        if fd is not None:
            done += turn(fd, name, to, random.choice([1, 2, 2, 2]))
            os.close(fd)
    return done


def held(top, outside, names, turns=2000):
    """What is in one directory, for a while, wherever that is moved meanwhile."""
    done = 0
    where = random.choice([n for n in names if "/" in n]).split("/")[0]
    below = [n for n in names if os.path.dirname(n) == where]
    fd = opened(top, where)
    if fd is None:
        return 0
    for _ in range(turns):
        for name in below:
            done += turn(fd, os.path.basename(name), os.path.join(outside, name), 1)
    os.close(fd)
    return done


def main():
    how, target, outside = sys.argv[1], sys.argv[2], os.path.abspath(sys.argv[3])
    hows = {"names": by_name, "held": held, "once": lambda *args: held(*args, turns=20000)}
    end = time.monotonic() + float(sys.argv[4])
    done = 0
    while time.monotonic() < end:
        try:
            top = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        done += hows[how](top, outside, sys.argv[5:])
        os.close(top)
    print(done)


if len(sys.argv) > 5:
    main()
