# SPDX-License-Identifier: BSD-2-Clause
"""Where trees and repositories lie while they are measured.

As root everything is mounted in a mount namespace of our own, and the images have no
names any more once they are mounted: whatever ends a run, nothing stays behind.
"""
import os
import shutil
import subprocess
import sys
import tempfile

PRIVATE = "BENCH_PRIVATE"


def isolate():
    """As root: begin again in a mount namespace of our own."""
    if os.geteuid() != 0 or os.environ.get(PRIVATE) or shutil.which("unshare") is None:
        return
    probe = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"], capture_output=True)
    if probe.returncode == 0:
        os.environ[PRIVATE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


class Unavailable(Exception):
    """Why something cannot be measured here."""


def command(*argv):
    out = subprocess.run(argv, capture_output=True, text=True)
    if out.returncode != 0:
        raise Unavailable(f"{argv[0]}: {(out.stderr.strip().splitlines() or ['failed'])[-1]}")


def remove(path):
    """A tree of a million files too, which shutil is slow at."""
    subprocess.run(["rm", "-rf", path], check=True)


class Place:
    """A directory to work in.  key names it in the results."""

    def __init__(self, key, title, path, mounts=(), home=None):
        self.key, self.title, self.path = key, title, path
        self.mounts, self.home = list(mounts), home or path

    def space(self):
        s = os.statvfs(self.path)
        return s.f_bavail * s.f_frsize

    def sync(self):
        subprocess.run(["sync", "-f", self.path], check=True)

    def used(self):
        self.sync()
        s = os.statvfs(self.path)
        return (s.f_blocks - s.f_bfree) * s.f_frsize

    def clear(self):
        for name in os.listdir(self.path):
            if name != "lost+found":
                remove(f"{self.path}/{name}")
        if self.mounts:
            subprocess.run(["fstrim", self.path], capture_output=True)

    def close(self):
        for m in self.mounts:
            subprocess.run(["umount", m], capture_output=True)
        remove(self.home)


def disk(base):
    path = tempfile.mkdtemp(prefix="tarseal-bench.", dir=base)
    kind = subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True).stdout.strip()
    return Place("disk", f"the machine's disk ({kind})", path)


MKFS = {
    # What mkfs leaves for later is left undone, so that it is not done while we measure.
    "ext4": (["mkfs.ext4", "-q", "-F", "-i", "6000", "-E", "lazy_itable_init=1"], "loop,noinit_itable,discard"),
    "xfs": (["mkfs.xfs", "-q", "-f", "-m", "reflink=1"], "loop,discard"),
}


def memory():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def loop(key, kind, title, size, base=None):
    """A file system of size bytes on a loop device over a file in memory, or in base."""
    mkfs, options = MKFS[kind]
    if not os.environ.get(PRIVATE):
        raise Unavailable("only root can mount a file system of its own")
    if shutil.which(mkfs[0]) is None:
        raise Unavailable(f"{mkfs[0]} is not installed")
    path = tempfile.mkdtemp(prefix="tarseal-bench.", dir=base)
    back = f"{path}/back"
    os.mkdir(back)
    os.mkdir(f"{path}/fs")
    mounts = [f"{path}/fs"]
    try:
        if base is None:
            command("mount", "-t", "tmpfs", "-o", "size=95%", "tmpfs", back)
            mounts.append(back)
        image = f"{back}/image"
        with open(image, "wb") as f:
            f.truncate(size)
            # Pages that a virtual machine has to get from its host first would be charged to
            # whoever writes first.  With XFS it was this that made rounds unlike each other.
            if base is None and kind == "ext4" and size <= memory() // 2:
                os.posix_fallocate(f.fileno(), 0, size)
        command(*mkfs, image)
        command("mount", "-o", options, image, f"{path}/fs")
        os.unlink(image)
    except Unavailable:
        Place(key, title, path, mounts).close()
        raise
    return Place(key, title, f"{path}/fs", mounts, home=path)


class Limits:
    """A control group of so much of a processor, and of memory; version 1 or 2, by hand."""

    def __init__(self, cpu_milli, memory):
        self.made, self.procs = [], []
        name = f"tarseal-bench-{os.getpid()}"
        quota, period = cpu_milli * 100, 100000
        try:
            if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
                self.version = 2
                root = "/sys/fs/cgroup"
                self.write(f"{root}/cgroup.subtree_control", "+cpu +memory")
                self.group(f"{root}/{name}", {"cpu.max": f"{quota} {period}", "memory.max": str(memory)})
            else:
                self.version = 1
                self.group(f"/sys/fs/cgroup/cpu/{name}", {"cpu.cfs_period_us": str(period), "cpu.cfs_quota_us": str(quota)})
                self.group(f"/sys/fs/cgroup/memory/{name}", {"memory.limit_in_bytes": str(memory)})
        except OSError as e:
            self.close()
            raise Unavailable(f"control groups: {e.strerror}: {e.filename}") from e

    @staticmethod
    def write(path, text):
        with open(path, "w") as f:
            f.write(text)

    def group(self, path, values):
        os.mkdir(path)
        self.made.append(path)
        for name, value in values.items():
            self.write(f"{path}/{name}", value)
        self.procs.append(f"{path}/cgroup.procs")

    def close(self):
        for path in self.made:
            os.rmdir(path)
