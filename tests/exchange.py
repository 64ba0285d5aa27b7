#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
#
# exchange.py: somebody who may write in a directory while a restore writes there.
#
#   tests/exchange.py TARGET OUTSIDE SECONDS NAME...
#
# Keeps exchanging each directory NAME of TARGET, and of the new/ and old/ of a restore at work in it, with a
# symbolic link to the same NAME in OUTSIDE, and the work directory itself with a link to OUTSIDE. Prints how
# often that was done.
import ctypes
import os
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


def turn(top, pair, times):
    """How often it was done: an even number of times puts back what was there."""
    where, name, to = pair
    fd = opened(top, where)
    if fd is None:
        return 0
    done = 0
    try:
        for _ in range(times):
            if exchange(fd, name, "x-" + name):
                done += 1
                continue
            os.symlink(to, "x-" + name, dir_fd=fd)
    except OSError:
        pass
    finally:
        os.close(fd)
    return done


def main():
    target, outside, seconds = sys.argv[1], os.path.abspath(sys.argv[2]), float(sys.argv[3])
    all_pairs = list(pairs(outside, sys.argv[4:]))
    end = time.monotonic() + seconds
    done = turns = 0
    while time.monotonic() < end:
        try:
            top = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        for pair in all_pairs:
            turns += 1
            # A restore whose work directory is gone has come to its end: not too often.
            if pair[1] in (".tarseal-restore", "new", "old") and turns % 64:
                continue
            done += turn(top, pair, 2 if turns % 5 else 1)
        os.close(top)
    print(done)


main()
