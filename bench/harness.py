# SPDX-License-Identifier: BSD-2-Clause
"""Runs commands side by side and keeps what they took.

Figures are kept in OUT/results.json by place, row and contender; a row that is measured
again takes the place of what was known of it, so that single rows can be repeated.
"""
import dataclasses
import datetime
import fcntl
import json
import os
import subprocess
import sys
import time
import typing

import contenders
import places

MEASURE = f"{contenders.BUILD}/bench/measure"
AGED = 61


@dataclasses.dataclass
class Run:
    """One contender in a row.  begin makes all ready and gives the Command; size what it stored."""
    who: str
    title: str
    begin: typing.Callable
    size: typing.Callable = None
    rounds: int = None


def say(text):
    print(text, file=sys.stderr, flush=True)


def machine():
    def first(path, word):
        with open(path) as f:
            return next((line.split(":" if ":" in line else "=", 1)[1].strip().strip('"') for line in f
                         if line.startswith(word)), "?")
    memory = int(first("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    return {"processors": f"{len(os.sched_getaffinity(0))}, {first('/proc/cpuinfo', 'model name')}",
            "memory": f"{memory:.0f} GiB", "kernel": os.uname().release.split("-")[0],
            "system": first("/etc/os-release", "PRETTY_NAME")}


def revision():
    out = subprocess.run(["git", "-C", contenders.TOP, "describe", "--always", "--dirty", "--exclude=*"],
                         capture_output=True, text=True)
    return out.stdout.strip() or "unknown"


def comparable(data, key):
    """Rows of growth have their sizes in their names, and so any stand beside each other."""
    return {k: v for k, v in data[key].items() if not k.startswith("growth")}


class Results:
    def __init__(self, out, sizes, keep=False):
        self.path, self.begun = f"{out}/results.json", set()
        self.data = {"machine": machine(), "sizes": sizes, "places": {}, "versions": {}, "left_out": {}, "rows": {}}
        try:
            with open(self.path) as f:
                old = json.load(f)
        except FileNotFoundError:
            return
        if keep:
            self.data = old
        elif all(comparable(old, k) == comparable(self.data, k) for k in ("machine", "sizes")):
            self.data["rows"], self.data["places"] = old["rows"], old["places"]
        else:
            say("bench: results of another machine, or of other sizes, are replaced")

    def begin(self, place, row, about, reason=None):
        """Forget what was known of a row."""
        self.begun.add((place, row))
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        self.data["rows"][f"{place}/{row}"] = {"about": about, "when": at, "revision": revision(),
                                               "reason": reason, "figures": {}}

    def figure(self, place, row, who):
        return self.data["rows"][f"{place}/{row}"]["figures"].setdefault(who, {"wall": [], "cpu": [], "rss": []})

    def save(self):
        with open(self.path + ".new", "w") as f:
            json.dump(self.data, f, indent=1)
            f.write("\n")
        os.replace(self.path + ".new", self.path)


class Bench:
    """opts are those of bench/run."""

    def __init__(self, opts, sizes):
        self.opts, self.sizes, self.opened = opts, sizes, {}
        os.makedirs(opts.out, exist_ok=True)
        self.results = Results(opts.out, sizes, opts.report)
        self.present = []
        if opts.report:
            return
        for c in contenders.ALL:
            if opts.peers and c.name not in ("tarseal", *opts.peers.split(",")):
                continue
            missing = c.missing()
            if missing:
                say(f"bench: without {c.title}: {missing} is missing")
                self.results.data["left_out"][c.name] = missing
            else:
                self.present.append(c)
                self.results.data["versions"][c.name] = contenders.version(c)

    # ---- places ----

    def place(self, key):
        if key not in self.opened:
            size = self.opts.device << 30
            self.opened[key] = {
                "ram": lambda: places.loop("ram", "ext4", "ext4 on a loop device in memory", size),
                "xfs": lambda: places.loop("xfs", "xfs", "XFS with reflinks on a loop device in memory", size),
                "disk": lambda: places.disk(self.opts.disk)}[key]()
            self.results.data["places"][key] = self.opened[key].title
        return self.opened[key]

    def close(self):
        for place in self.opened.values():
            place.close()

    def named(self, *names):
        return [c for c in self.present if c.name in names]

    # ---- states ----

    def fresh(self, place, contender, name="kept"):
        st = f"{place.path}/{name}.{contender.name}"
        places.remove(st)
        os.mkdir(st)
        contender.start(st)
        return st

    def kept(self, place, contender, tree):
        """The state after a first night; made now if no row has left it."""
        st = f"{place.path}/kept.{contender.name}"
        if not os.path.exists(f"{st}/done"):
            self.aged_for(contender, tree)
            self.measure(contender.backup(tree.path, self.fresh(place, contender)))
            open(f"{st}/done", "w").close()
        return st

    def keep_all(self, place, tree, who):
        """We come last, so that files age meanwhile."""
        for c in reversed(self.named(*who)):
            self.kept(place, c, tree)

    def copy(self, place, contender):
        """A copy of what is kept, to go on from."""
        st = f"{place.path}/copy.{contender.name}"
        places.remove(st)
        subprocess.run(["cp", "-a", f"{place.path}/kept.{contender.name}", st], check=True)
        return st

    def aged(self, tree):
        """A file whose ctime is younger than a minute is not believed the next night."""
        left = tree.born + AGED - time.monotonic()
        if self.opts.wait and left > 0:
            say(f"  waiting {left:.0f} s for the files to age")
            time.sleep(left)

    def aged_for(self, contender, tree):
        if contender.name == "tarseal":
            self.aged(tree)

    # ---- running ----

    def measure(self, command, where=None, limits=None):
        """(seconds, seconds of processor, KiB); Unavailable when it fails."""
        note = f"{self.opts.out}/measured.{os.getpid()}"
        argv = [MEASURE, "-o", note]
        if command.sync and where:
            argv += ["-s", where]
        for procs in limits.procs if limits else ():
            argv += ["-g", procs]
        with open(command.stdout or os.devnull, "wb") as out, self.lock():
            ran = subprocess.run(argv + command.argv, stdout=out, stderr=subprocess.PIPE,
                                 env={**os.environ, "LC_ALL": "C.UTF-8", **command.env}, cwd=command.cwd)
        try:
            with open(note) as f:
                wall, user, system, rss, status = f.read().split()
            os.unlink(note)
        except FileNotFoundError:
            raise SystemExit(f"bench: {argv}: {ran.stderr.decode(errors='replace')}") from None
        if status != "0":
            tail = ran.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise places.Unavailable(f"{os.path.basename(command.argv[0])}: status {status} {' '.join(tail)}".strip())
        return float(wall), float(user) + float(system), int(rss)

    def lock(self):
        """Of --lock, or of nothing: held while a command runs."""
        f = open(self.opts.lock or os.devnull, "a")
        if self.opts.lock:
            fcntl.flock(f, fcntl.LOCK_EX)
        return f

    def play(self, place, row, about, runs, rounds=None, limits=None, turns=True):
        """Every run of a row, round after round; in turns, each begins with another one, the first with the second."""
        say(f"{place.key}/{row}: {about}")
        self.results.begin(place.key, row, about)
        for run in runs:
            self.results.figure(place.key, row, run.who)["title"] = run.title
        for r in range(rounds or self.opts.rounds):
            first = (r + 1) % len(runs) if turns else 0
            for run in runs[first:] + runs[:first]:
                if r < (run.rounds or r + 1):
                    self.play_one(place, row, run, limits)
            self.results.save()

    def play_one(self, place, row, run, limits):
        figure = self.results.figure(place.key, row, run.who)
        if figure.get("failed"):
            return
        try:
            command = run.begin()
            place.sync()
            wall, cpu, rss = self.measure(command, place.path, limits)
        except places.Unavailable as e:
            figure["failed"] = str(e)
            say(f"  {run.title}: {e}")
            return
        for key, value in (("wall", wall), ("cpu", cpu), ("rss", rss)):
            figure[key].append(value)
        if run.size:
            figure["bytes"] = run.size()
        say(f"  {run.title}: {wall:.3f} s, {cpu:.3f} s of processor, {rss / 1024:.1f} MiB"
            + (f", {figure['bytes']:,} bytes" if run.size else ""))
