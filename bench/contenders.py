# SPDX-License-Identifier: BSD-2-Clause
"""How each program is called.

A contender keeps what it makes in a directory of its own (its state): repository,
archive, keys, cache.  A state may be copied away and back, so that each round of a
second night begins from the same first one.  A method gives a Command; `sync` says
that the program leaves its result unsynced and is followed by a sync of the file
system.
"""
import dataclasses
import glob
import os
import shutil
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = f"{TOP}/build/plain"


@dataclasses.dataclass
class Command:
    argv: list
    sync: bool = False
    env: dict = dataclasses.field(default_factory=dict)
    cwd: str = None
    stdout: str = None


def shell(text, *args):
    return ["bash", "-o", "pipefail", "-c", text, "bash", *args]


def tree_bytes(directory):
    total = 0
    for at, _, names in os.walk(directory):
        total += sum(os.lstat(f"{at}/{n}").st_size for n in names)
    return total


class Tarseal:
    name, title, second = "tarseal", "Tarseal", True
    verify_title = "verify"

    def __init__(self, jobs=None):
        self.jobs = ["--jobs", str(jobs)] if jobs else []

    @staticmethod
    def missing():
        missing = [p for p in ("backup", "verify", "restore", "manifest") if not os.path.exists(f"{BUILD}/bin/{p}")]
        return "make" if missing else None

    @staticmethod
    def knows(option):
        out = subprocess.run([f"{BUILD}/bin/backup", "--help"], capture_output=True, text=True)
        return option in out.stdout

    @staticmethod
    def program(name, *args):
        return [f"{BUILD}/bin/{name}", *args]

    def start(self, st):
        os.mkdir(f"{st}/repo")
        subprocess.run(self.program("manifest", "keygen", "--key", f"{st}/key", "--public", f"{st}/key.pub"),
                       check=True, stdout=subprocess.DEVNULL)

    def use(self, st):
        return ["--repo", f"{st}/repo", "--trust", f"{st}/key.pub"]

    def backup(self, src, st, *options):
        return Command(self.program("backup", "--source", src, "--repo", f"{st}/repo", "--key", f"{st}/key",
                                    "--quiet", *self.jobs, *options))

    def verify(self, st, level="standard"):
        return Command(self.program("verify", *self.use(st), "--quiet", "--level", level, *self.jobs))

    def restore(self, st, target):
        return Command(self.program("restore", *self.use(st), "--quiet", "--target", target, *self.jobs))

    def one(self, st, path, target):
        return Command(self.program("restore", *self.use(st), "--quiet", "--target", target, *self.jobs, path))

    def manifest(self, st, command, *args):
        return Command(self.program("manifest", command, *self.use(st), *args))

    def size(self, st):
        """Of the newest backup: archive, manifest and seal."""
        newest = max(glob.glob(f"{st}/repo/*.seal"), key=os.path.getmtime)[:-len(".seal")]
        return sum(os.path.getsize(newest + end) for end in (".tar.gz", ".manifest.gz", ".seal"))

    def archive(self, st):
        return max(glob.glob(f"{st}/repo/*.tar.gz"), key=os.path.getmtime)


class Archiver:
    """tar and its kin: one archive, the whole of it each time."""
    second = False

    def __init__(self, name, title, program, pack, unpack, check):
        self.name, self.title, self.program = name, title, program
        self.pack, self.unpack, self.check = pack, unpack, check
        self.verify_title = " ".join(check)

    def missing(self):
        return next((p for p in self.program if shutil.which(p) is None), None)

    def start(self, st):
        pass

    def archive(self, st):
        return f"{st}/archive.tar.gz"

    def backup(self, src, st):
        return Command(shell(self.pack, src, self.archive(st)), sync=True)

    def verify(self, st):
        return Command([*self.check, self.archive(st)])

    def restore(self, st, target):
        os.makedirs(target, exist_ok=True)
        return Command([*self.unpack, self.archive(st), "-C", target], sync=True)

    def one(self, st, path, target):
        os.makedirs(target, exist_ok=True)
        return Command([*self.unpack, self.archive(st), "-C", target, f"./{path}"], sync=True)

    def size(self, st):
        return os.path.getsize(self.archive(st))


class Restic:
    """It syncs what it writes into a repository, and nothing that it restores."""
    name, title, second = "restic", "restic", True
    verify_title = "restic check --read-data"

    @staticmethod
    def missing():
        return None if shutil.which("restic") else "restic"

    def call(self, st, *args, **more):
        env = {"RESTIC_REPOSITORY": f"{st}/repo", "RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": f"{st}/cache"}
        return Command(["restic", "--quiet", *args], env=env, **more)

    def start(self, st):
        c = self.call(st, "init")
        subprocess.run(c.argv, check=True, env={**os.environ, **c.env}, stdout=subprocess.DEVNULL)

    def backup(self, src, st):
        return self.call(st, "backup", ".", cwd=src)

    def verify(self, st):
        return self.call(st, "check", "--read-data")

    def restore(self, st, target):
        return self.call(st, "restore", "latest", "--target", target, sync=True)

    def one(self, st, path, target):
        os.makedirs(target, exist_ok=True)
        return self.call(st, "dump", "latest", f"/{path}", stdout=f"{target}/one", sync=True)

    def size(self, st):
        return tree_bytes(f"{st}/repo")


class Borg:
    """The archive's name is the same each night but for its number, kept beside the repository."""
    name, title, second = "borg", "borg", True
    verify_title = "borg check --verify-data"

    @staticmethod
    def missing():
        return None if shutil.which("borg") else "borg"

    def call(self, st, *args, **more):
        env = {"BORG_BASE_DIR": f"{st}/base", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
               "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes"}
        return Command(["borg", *args], env=env, **more)

    def start(self, st):
        c = self.call(st, "init", "-e", "none", f"{st}/repo")
        subprocess.run(c.argv, check=True, env={**os.environ, **c.env}, stdout=subprocess.DEVNULL)

    def latest(self, st, step=0):
        try:
            with open(f"{st}/night") as f:
                n = int(f.read()) + step
        except FileNotFoundError:
            n = step
        with open(f"{st}/night", "w") as f:
            f.write(str(n))
        return f"{st}/repo::night-{n}"

    def backup(self, src, st):
        return self.call(st, "create", self.latest(st, 1), ".", cwd=src)

    def verify(self, st):
        return self.call(st, "check", "--verify-data", f"{st}/repo")

    def restore(self, st, target):
        os.makedirs(target, exist_ok=True)
        return self.call(st, "extract", self.latest(st), cwd=target, sync=True)

    def one(self, st, path, target):
        os.makedirs(target, exist_ok=True)
        return self.call(st, "extract", self.latest(st), path, cwd=target, sync=True)

    def size(self, st):
        return tree_bytes(f"{st}/repo")


# In the order of the tables.
ALL = [
    Tarseal(),
    Archiver("tar", "tar czf", ["tar", "gzip"], 'tar -czf "$2" -C "$1" .', ["tar", "-xzf"], ["gzip", "-t"]),
    Archiver("pigz", "tar, pigz", ["tar", "pigz"], 'tar -cf - -C "$1" . | pigz >"$2"',
             ["tar", "-I", "pigz", "-xf"], ["pigz", "-t"]),
    Archiver("busybox", "busybox tar", ["busybox"], 'busybox tar -czf "$2" -C "$1" .',
             ["busybox", "tar", "-xzf"], ["busybox", "gzip", "-t"]),
    Archiver("bsdtar", "bsdtar", ["bsdtar"], 'bsdtar -czf "$2" -C "$1" .', ["bsdtar", "-xzf"],
             ["bsdtar", "-tf"]),
    Restic(),
    Borg(),
]


def version(contender):
    """The version that Debian's package of a contender says."""
    args = {"tarseal": [f"{BUILD}/bin/backup", "--version"], "tar": ["tar", "--version"], "pigz": ["pigz", "--version"],
            "busybox": ["busybox"], "bsdtar": ["bsdtar", "--version"], "restic": ["restic", "version"],
            "borg": ["borg", "--version"]}[contender.name]
    out = subprocess.run(args, capture_output=True, text=True)
    return (out.stdout + out.stderr).splitlines()[0].split(" compiled")[0]
