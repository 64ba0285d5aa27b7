# SPDX-License-Identifier: BSD-2-Clause
"""Histories for retention.sh: what stays, by the programs and by a model of the rules."""
import datetime
import hashlib
import os
import random
import shutil
import subprocess
import sys
import zoneinfo

KYIV = zoneinfo.ZoneInfo("Europe/Kyiv")
PARTS = (".tar.gz", ".manifest.gz", ".seal")
RULES = ("last", "daily", "weekly", "monthly", "yearly")


class Backup:
    def __init__(self, name, sequence, created, complete):
        self.name, self.sequence, self.created, self.complete = name, sequence, created, complete
        self.on_hold = self.verified = False
        self.is_known = True  # by the catalog: else verify cannot note what it found

    def __repr__(self):
        day = datetime.datetime.fromtimestamp(self.created, KYIV).isoformat()
        flags = "".join(c for c, f in zip("chv", (self.complete, self.on_hold, self.verified)) if f)
        return f"{self.name}#{self.sequence}({day},{flags})"


# ---- the model ----

def period(rule, created):
    t = datetime.datetime.fromtimestamp(created, KYIV)
    return {
        "daily": t.date(),
        "weekly": tuple(t.isocalendar())[:2],
        "monthly": (t.year, t.month),
        "yearly": t.year,
    }[rule]


def stays(backups, policy):
    """Names of those that stay, from the words of the manual."""
    if not policy:
        return {b.name for b in backups}
    newest_first = sorted(backups, key=lambda b: -b.sequence)
    complete = [b for b in newest_first if b.complete]
    kept = {b.name for b in backups if b.on_hold}
    kept |= {b.name for b in complete[:policy.get("last", 0)]}
    for rule in RULES[1:]:
        met = []
        for b in complete:
            p = period(rule, b.created)
            if p not in met and len(met) < policy.get(rule, 0):
                met.append(p)
                kept.add(b.name)
    if complete:
        kept.add(complete[0].name)
        kept |= {b.name for b in newest_first if b.sequence > complete[0].sequence}
    else:
        kept |= {b.name for b in newest_first}
    proven = [b for b in complete if b.verified]
    if proven:
        kept.add(proven[0].name)
    return kept


# ---- the programs ----

class World:
    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)
        self.dir = f"run-{seed}"
        self.repo = f"{self.dir}/repo"
        self.source = f"{self.dir}/data"
        os.makedirs(self.repo)
        os.makedirs(self.source)
        self.write("file", "one")
        # Around one of the two changes of the clock, at some time of the day.
        day = self.random.choice(["2026-03-27", "2026-10-23", "2026-12-29"])
        self.now = datetime.datetime.fromisoformat(day + "T00:00:00+00:00").timestamp() \
            + self.random.randrange(86400)
        self.series = {"app": [], "app-db": []}
        self.held = {"app": set(), "app-db": set()}  # names in the newest seal
        self.policy = {"app": {}, "app-db": {}}  # of the newest seal
        self.first = {}  # series -> archives that were there before its first backup
        self.foreign = {}
        self.has_catalog = False
        self.log = []

    def write(self, name, text):
        with open(f"{self.source}/{name}", "w") as f:
            f.write(text)

    def run(self, *args, status=(0,)):
        stamp = datetime.datetime.fromtimestamp(self.now, datetime.timezone.utc)
        # Not by faketime(1): a semaphore that a killed one left about makes it fail.
        done = subprocess.run(args, capture_output=True, text=True, check=False,
                              env=dict(os.environ, TZ="UTC", LD_PRELOAD=os.environ["FAKETIME_LIB"],
                                       FAKETIME=stamp.strftime("@%Y-%m-%d %H:%M:%S")))
        self.log.append(f"{stamp.isoformat()} {' '.join(args)}: {done.returncode}")
        if done.returncode not in status:
            self.fail(f"exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def fail(self, why):
        print(f"seed {self.seed}: {why}\n" + "\n".join(self.log[-40:]), file=sys.stderr)
        for series, backups in self.series.items():
            print(series, backups, file=sys.stderr)
        sys.exit(1)

    def on_disk(self, series):
        return {f[:-5] for f in os.listdir(self.repo)
                if f.endswith(".seal") and not f.startswith(".")
                and self.series_of(f[:-5]) == series}

    @staticmethod
    def series_of(name):
        return name[:name.index("-20")]

    def seal(self, name):
        with open(f"{self.repo}/{name}.seal", encoding="utf-8") as f:
            lines = [x[2:].rstrip("\n").split(": ", 1) for x in f if x.startswith("# ")]
        return {x[0]: x[1] for x in lines if len(x) == 2 and x[0] != "holds"}, \
            [x[1].split(" ")[0] for x in lines if x[0] == "holds"]

    def options(self, policy):
        return [x for rule, n in policy.items() for x in (f"--keep-{rule}", str(n))]

    # ---- what is done ----

    def spare(self, series):
        """Copies of all, for bring_back()."""
        shutil.rmtree(f"{self.dir}/spare", ignore_errors=True)
        os.mkdir(f"{self.dir}/spare")
        for b in self.series[series]:
            for part in PARTS:
                shutil.copy2(f"{self.repo}/{b.name}{part}", f"{self.dir}/spare")

    def bring_back(self, series, gone):
        """As if the run had been killed between its seal and the pruning."""
        for b in gone:
            b.verified = b.is_known = False  # the catalog forgot it, which a kill would not
            for part in PARTS:
                os.rename(f"{self.dir}/spare/{b.name}{part}", f"{self.repo}/{b.name}{part}")
        self.series[series] = sorted(self.series[series] + gone, key=lambda b: b.sequence)
        self.log.append(f"back: {[b.name for b in gone]}")

    def backup(self, series, policy, incomplete=False, spared=False):
        if spared:
            self.spare(series)
        before = self.on_disk(series)
        if incomplete:
            self.write("secret", "x")
            os.chmod(f"{self.source}/secret", 0)
        self.write("file", str(self.random.random()))
        self.run("backup", "--source", self.source, "--repo", self.repo, "--key", "key", "-q",
                 "--timezone", "Europe/Kyiv", "--series", series, *self.options(policy),
                 status=(1,) if incomplete else (0,))
        if incomplete:
            os.remove(f"{self.source}/secret")
        new = self.on_disk(series) - before
        if len(new) != 1:
            self.fail(f"new: {new}")
        name = new.pop()
        facts, holds = self.seal(name)
        known = self.series[series]
        want = max(b.sequence for b in known) + 1 if known else \
            1 + sum(self.series_of(f) == series for f in self.foreign)
        if int(facts["sequence"]) != want:
            self.fail(f"{name} has sequence {facts['sequence']}, expected {want}")
        known.append(Backup(name, want, int(facts["created"].split(".")[0]),
                            facts["complete"] == "yes"))
        self.policy[series] = policy
        self.has_catalog = True
        for b in self.series["app"] + self.series["app-db"]:
            b.is_known = True
        kept = stays(known, policy)
        gone = [b for b in known if b.name not in kept]
        self.series[series] = [b for b in known if b.name in kept]
        self.held[series] = kept - {name}
        if holds != [b.name for b in self.series[series]][:-1]:
            self.fail(f"{name} holds {holds}")
        if spared and gone:
            self.bring_back(series, gone)
        words = " ".join(f"keep-{r}={policy[r]}" for r in RULES if r in policy) or "-"
        if facts["policy"] != words:
            self.fail(f"{name}: policy {facts['policy']}, expected {words}")

    def prune(self, series, policy):
        """By hand, with the key; policy {}: that of the newest seal."""
        rules = policy or self.policy[series]
        if not self.series[series] or not rules:
            return
        kept = stays(self.series[series], rules)
        sealed_anew = not self.held[series] <= kept
        self.run("manifest", "prune", "--repo", self.repo, "--key", "key", "--series", series,
                 "--timezone", "Europe/Kyiv", *self.options(policy))
        newest = self.series[series][-1].name
        self.series[series] = [b for b in self.series[series] if b.name in kept]
        if sealed_anew:
            self.policy[series] = rules
            self.held[series] = kept - {newest}
        if set(self.seal(newest)[1]) != self.held[series]:
            self.fail(f"{newest} holds {self.seal(newest)[1]}")

    def prune_without_key(self, series):
        """What the newest seal does not hold may go; what else should needs a key."""
        if not self.series[series] or not self.policy[series]:
            return
        kept = stays(self.series[series], self.policy[series])
        goes = not self.held[series] <= kept
        self.run("manifest", "prune", "--repo", self.repo, "--trust", "key.pub", "--series",
                 series, "--timezone", "Europe/Kyiv", status=(2,) if goes else (0,))
        self.series[series] = [b for b in self.series[series]
                               if b.name in kept or b.name in self.held[series]]

    def archive(self, series):
        """As the script made them that backup replaces."""
        t = datetime.datetime.fromtimestamp(self.now - self.random.randrange(10**6), KYIV)
        name = f"{series}-{t.strftime('%Y%m%d_%H%M%S')}"
        path = f"{self.repo}/{name}.tar.gz"
        if os.path.exists(path):
            return
        subprocess.run(["busybox", "tar", "-czf", path, "-C", self.source, "."], check=True)
        self.log.append(f"{path} made by busybox")
        with open(path, "rb") as f:
            self.foreign[name] = hashlib.sha256(f.read()).hexdigest()

    def mark(self, series):
        if not self.series[series]:
            return
        b = self.random.choice(self.series[series])
        b.on_hold = not b.on_hold
        self.run("manifest", "hold" if b.on_hold else "release", "--repo", self.repo, "--trust",
                 "key.pub", b.name)

    def verify(self, series):
        if not self.series[series] or not self.has_catalog:  # where to note it
            return
        b = self.random.choice(self.series[series])
        if not b.is_known:
            return
        level = self.random.choice(["quick", "standard", "deep"])
        self.run("verify", "--repo", self.repo, "--trust", "key.pub", "--level", level,
                 "--series", series, b.name, status=(0, 1) if not b.complete else (0,))
        if level != "quick" and b.complete:
            b.verified = True

    def lose_catalog(self):
        """And with it what verify found."""
        path = f"{self.repo}/catalog.sqlite3"
        if not os.path.exists(path):
            return
        if self.random.random() < 0.5:
            os.remove(path)
        else:
            with open(path, "r+b") as f:
                f.write(bytes(4096))
        self.log.append("catalog lost")
        self.has_catalog = False
        for b in self.series["app"] + self.series["app-db"]:
            b.verified = False

    def pass_time(self):
        kind = self.random.random()
        if kind < 0.55:
            self.now += 86400
        elif kind < 0.85:
            self.now += self.random.randrange(1, 4 * 86400)
        elif kind < 0.92:
            self.now += self.random.randrange(1, 60 * 86400)
        else:
            self.now -= self.random.randrange(1, 40 * 86400)

    # ---- what must hold ----

    def check(self):
        for series, backups in self.series.items():
            want, got = {b.name for b in backups}, self.on_disk(series)
            if want != got:
                self.fail(f"{series}: missing {want - got}, too many {got - want}")
        for name, digest in self.foreign.items():
            with open(f"{self.repo}/{name}.tar.gz", "rb") as f:
                if hashlib.sha256(f.read()).hexdigest() != digest:
                    self.fail(f"{name} was changed")
        parts = {n + s for b in self.series.values() for n in (x.name for x in b)
                 for s in PARTS}
        parts |= {n + ".tar.gz" for n in self.foreign}
        parts |= {b.name + ".hold" for x in self.series.values() for b in x if b.on_hold}
        rest = set(os.listdir(self.repo)) - parts - {".lock", "catalog.sqlite3"}
        if rest:
            self.fail(f"left over: {rest}")

    def step(self):
        series = self.random.choice(list(self.series))
        policy = {r: self.random.randrange(1, 4) for r in RULES if self.random.random() < 0.4}
        kind = self.random.random()
        self.pass_time()
        if kind < 0.50:
            self.backup(series, policy)
        elif kind < 0.62:
            self.backup(series, policy, spared=True)
        elif kind < 0.70:
            self.backup(series, policy, incomplete=True)
        elif kind < 0.76:
            self.archive(series)
        elif kind < 0.84:
            self.mark(series)
        elif kind < 0.90:
            self.verify(series)
        elif kind < 0.91:
            self.lose_catalog()
        elif kind < 0.96:
            self.prune(series, policy)
        else:
            self.prune_without_key(series)
        self.check()
        if any(b.complete for b in self.series[series]):
            # An incomplete one makes verify say 1; strangers and missing ones would be 5.
            worst = all(b.complete for b in self.series[series])
            self.run("verify", "--repo", self.repo, "--trust", "key.pub", "--level", "quick",
                     "--all", "--series", series, status=(0,) if worst else (0, 1))


# ---- histories ----

def ten_nights():
    world = World("ten-nights")
    world.now = datetime.datetime(2026, 10, 20, 0, 30, tzinfo=datetime.timezone.utc).timestamp()
    for _ in range(10):
        world.archive("app")
        world.backup("app", {"last": 3})
        world.check()
        world.run("verify", "--repo", world.repo, "--trust", "key.pub", "--level", "quick",
                  "--all", "--max-age", "26h")
        world.now += 86400
    if len(world.series["app"]) != 3:
        world.fail("not three")


def months():
    """Seven months of nights at 03:30 in Kyiv, an hour that one night lacks and one has twice."""
    world = World("months")
    day = datetime.datetime(2026, 9, 20, 3, 30, tzinfo=KYIV)
    policy = {"last": 2, "daily": 7, "weekly": 4, "monthly": 6}
    for i in range(200):
        world.now = day.timestamp()
        world.backup("app", policy)
        if i % 40 == 39:
            world.backup("app", policy)  # a second one the same day
        world.check()
        day += datetime.timedelta(days=1)  # of the wall clock
    world.run("verify", "--repo", world.repo, "--trust", "key.pub", "--all")
    if len(world.series["app"]) < 14:
        world.fail("too few stayed")


def main():
    ten_nights()
    months()
    first = int(os.environ.get("RETENTION_SEED", "1"))
    for seed in range(first, first + int(os.environ.get("RETENTION_RUNS", "10"))):
        world = World(seed)
        for _ in range(40):
            world.step()
        world.run("verify", "--repo", world.repo, "--trust", "key.pub", "--all", status=(0, 1))


main()
