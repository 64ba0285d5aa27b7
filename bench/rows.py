# SPDX-License-Identifier: BSD-2-Clause
"""The rows: what is done, to which tree, and by whom.

A group is a function of a Bench, of the place, and of the rows of it that are wanted;
its rows share a tree, and what one row leaves (a first night's repository) serves the
next.  When a group is done its place is empty again.
"""
import os

import contenders
import trees
from harness import Run
from places import Limits, Unavailable, loop, remove

ROWS_OF = {}  # group -> its rows, in the order of the tables
GROUPS = {}
PLACES = {}


def group(name, rows, where=("ram",)):
    def keep(function):
        ROWS_OF[name], GROUPS[name], PLACES[name] = rows, function, where
        return function
    return keep


# ---- what rows have in common ----


def rounds_of(contender):
    """No goal is set against these: once is enough."""
    return 1 if contender.name in ("busybox", "bsdtar", "borg") else None


def first_night(b, place, tree, row, who, *, limits=None, rounds=None, about=""):
    """A first backup, which is kept for the rows that follow."""
    def begin(c):
        def fresh():
            b.aged_for(c, tree)
            return c.backup(tree.path, b.fresh(place, c))
        return fresh

    def size(c):
        def done():
            st = f"{place.path}/kept.{c.name}"
            open(f"{st}/done", "w").close()
            return c.size(st)
        return done
    tree.warm()
    b.play(place, row, f"{about}{tree.title}", [
        Run(c.name, c.title, begin(c), size(c), rounds_of(c))
        for c in b.named(*who)], rounds, limits)


def next_night(b, place, tree, row, who, *, limits=None, rounds=None, about=""):
    """A night after the one that is kept.  What archivers do is the same each night, so they are left out."""
    who = [c.name for c in b.named(*who) if c.second]
    b.keep_all(place, tree, who)
    runs = []
    for c in b.named(*who):
        def begin(c=c):
            return c.backup(tree.path, b.copy(place, c))

        def size(c=c):
            before = c.size(f"{place.path}/kept.{c.name}")
            after = c.size(f"{place.path}/copy.{c.name}")
            return after if c.name == "tarseal" else after - before
        runs.append(Run(c.name, c.title, begin, size, rounds_of(c)))
    tree.warm()
    b.play(place, row, f"{about}{tree.title}", runs, rounds, limits)


def restores(b, place, tree, row, who, rounds=None):
    target = f"{place.path}/restored"

    def begin(c):
        def fresh():
            remove(target)
            return c.restore(b.kept(place, c, tree), target)
        return fresh
    b.keep_all(place, tree, who)
    b.play(place, row, tree.title, [Run(c.name, c.title, begin(c), rounds=rounds_of(c)) for c in b.named(*who)],
           rounds)
    remove(target)


def verifies(b, place, tree, row, who, rounds=None):
    runs = []
    b.keep_all(place, tree, who)
    for c in b.named(*who):
        st = b.kept(place, c, tree)
        if c.name == "tarseal":
            runs += [Run(f"tarseal {level}", f"verify --level {level}", lambda c=c, st=st, level=level: c.verify(st, level))
                     for level in ("standard", "deep")]
        else:
            runs.append(Run(c.name, c.verify_title, lambda c=c, st=st: c.verify(st), rounds=rounds_of(c)))
    b.play(place, row, tree.title, runs, rounds)


def catalog_growth(b, place, row, tree):
    """Of the catalog, from the kept night to the one after it, in bytes for each 10^9 of the tree."""
    size = [os.path.getsize(f"{place.path}/{st}.tarseal/repo/catalog.sqlite3") for st in ("kept", "copy")]
    b.results.figure(place.key, row, "tarseal")["catalog_growth"] = round((size[1] - size[0]) * 1e9 / tree.bytes())
    b.results.save()


# ---- the system tree ----

EVERY = ("tarseal", "tar", "pigz", "busybox", "bsdtar", "restic", "borg")
USUAL = ("tarseal", "tar", "pigz", "restic", "borg")
SECOND = ("tarseal", "restic", "borg")  # those for whom a second night is another one


def system_tree(b, place):
    s = b.sizes
    return trees.system(f"{place.path}/tree", s["system_files"], s["system_bytes"], b.opts.synthetic)


@group("system", ["first", "nightly", "one", "restore", "verify"], ("ram", "disk"))
def system(b, place, wanted):
    tree = system_tree(b, place)
    on_disk = place.key == "disk"
    rounds = 1 if on_disk else None
    if "first" in wanted:
        first_night(b, place, tree, "first", USUAL if on_disk else EVERY, rounds=rounds)
        for name in set(EVERY) - set(USUAL):
            remove(f"{place.path}/kept.{name}")
    if "nightly" in wanted:
        next_night(b, place, tree, "nightly", SECOND, rounds=rounds)
        catalog_growth(b, place, "nightly", tree)
    if "one" in wanted:
        one_file(b, place, tree)
    if "restore" in wanted:
        restores(b, place, tree, "restore", USUAL, rounds)
    if "verify" in wanted:
        verifies(b, place, tree, "verify", USUAL, rounds)


def one_file(b, place, tree):
    path, target = tree.one(), f"{place.path}/one"
    runs = []

    def run(c, st, who, path, rounds=None):
        def begin():
            remove(target)
            return c.one(st, path, target)
        runs.append(Run(who, c.title, begin, (lambda: os.path.getsize(c.archive(st))) if hasattr(c, "archive") else None,
                        rounds))
    c = b.present[0]
    run(c, b.kept(place, c, tree), c.name, path)
    # The same from smaller archives: is it flat?
    for part in (8, 64):
        small = trees.make("system", f"{place.path}/small-{part}", max(10, b.sizes["system_files"] // part),
                           b.sizes["system_bytes"] // part)
        st = b.fresh(place, c, f"small-{part}")
        b.measure(c.backup(small.path, st))
        run(c, st, f"tarseal 1/{part}", small.one())
        runs[-1].title = f"Tarseal, from 1/{part}"
    for c in b.named(*USUAL[1:]):
        run(c, b.kept(place, c, tree), c.name, path, rounds_of(c) or 3)
    b.play(place, "one", f"one file out of it, {tree.title}", runs, max(b.opts.rounds, 7 if b.opts.rounds > 1 else 1))


@group("changed", ["changed"], ("ram", "disk"))
def changed(b, place, wanted):
    s = b.sizes
    tree = system_tree(b, place)
    trees.append_log(f"{tree.path}/application.log", s["log_bytes"])
    tree.title += f" and a log of {s['log_bytes'] / 1e6:,.0f} MB"
    tree.touched()
    b.keep_all(place, tree, SECOND)
    trees.edit(tree, 1)
    trees.append_log(f"{tree.path}/application.log", s["log_bytes"] // 100)
    b.aged(tree)
    next_night(b, place, tree, "changed", SECOND, rounds=1 if place.key == "disk" else None, about="1 % of the files changed, the log grown by 1 %: ")


@group("xfs", ["nightly-xfs"], ("xfs",))
def xfs(b, place, wanted):
    if not contenders.Tarseal.knows("--physical-every"):
        raise Unavailable("backup cannot share blocks yet")
    tree = system_tree(b, place)
    next_night(b, place, tree, "nightly-xfs", ("tarseal", "restic"))


# ---- an application's volume ----


@group("volume", ["volume-first", "volume-changed"])
def volume(b, place, wanted):
    s = b.sizes
    tree = trees.make("volume", f"{place.path}/tree", s["volume_files"], s["volume_bytes"])
    who = ("tarseal", "tar", "busybox", "restic", "borg")
    first_night(b, place, tree, "volume-first", who, about="database, log, users' files: ")
    if "volume-changed" not in wanted:
        return
    b.keep_all(place, tree, [c.name for c in b.named(*who) if c.second])
    change_volume(b, tree)
    b.aged(tree)
    next_night(b, place, tree, "volume-changed", who, about="a day of work later: ")


def change_volume(b, tree, night=1):
    """Some of the users' files, one piece in fifty of the database, more of the log."""
    trees.edit(tree, 1, night)
    path = f"{tree.path}/sled_db/db"
    step = 512 << 10
    with open(path, "r+b") as f:
        for at in range(night % 50 * step, os.path.getsize(path) - 4096, 50 * step):
            f.seek(at)
            f.write(os.urandom(4096))
    trees.append_log(f"{tree.path}/application.log", b.sizes["volume_bytes"] // 500)
    tree.touched()


@group("limits", ["limits-first", "limits-nightly"], ("disk",))
def limits(b, place, wanted):
    """On the disk: pages of a file system in memory would count as the group's own memory."""
    s = b.sizes
    group_of = Limits(200, 256 << 20)
    try:
        tree = trees.make("volume", f"{place.path}/tree", s["volume_files"], s["limits_bytes"])
        about = "200m of a processor, 256 MiB: "
        who = ("tarseal", "tar", "busybox", "restic", "borg")
        first_night(b, place, tree, "limits-first", who, limits=group_of, rounds=1, about=about)
        if "limits-nightly" in wanted:
            next_night(b, place, tree, "limits-nightly", who, limits=group_of, rounds=1, about=about)
    finally:
        group_of.close()


# ---- many files ----


@group("million", ["million-first", "million-nightly", "million-restore", "million-verify", "catalog"])
def million(b, place, wanted):
    s, who = b.sizes, ("tarseal", "pigz", "restic")
    tree = trees.make("tiny", f"{place.path}/tree", s["tiny_files"], s["tiny_files"] * 300)
    if "million-first" in wanted:
        first_night(b, place, tree, "million-first", who, rounds=1)
    if "million-nightly" in wanted:
        next_night(b, place, tree, "million-nightly", who, rounds=1)
    if "million-verify" in wanted:
        verifies(b, place, tree, "million-verify", who, 1)
    if "million-restore" in wanted:
        restores(b, place, tree, "million-restore", who, 1)
    if "catalog" in wanted:
        catalog(b, place, tree)


def catalog(b, place, tree):
    """Nights on the tiny files, 1 % of them changed in every second one; then questions."""
    c = b.present[0]
    b.kept(place, c, tree)
    st = b.copy(place, c)
    for night in range(2, b.sizes["nights"] + 1):
        if night % 2:
            trees.edit(tree, 1, night)
        b.measure(c.backup(tree.path, st))
    path = tree.one()
    part = path.rsplit("-", 1)[1][2:5]
    asks = (("path", "manifest find PATH", c.manifest(st, "find", path)),
            ("history", "manifest history PATH", c.manifest(st, "history", path)),
            ("glob", f"manifest find '**/item-??{part}*'", c.manifest(st, "find", f"**/item-??{part}*")),
            ("ls", "manifest ls DIRECTORY", c.manifest(st, "ls", os.path.dirname(path))),
            ("start", "manifest --version (to start a program)", contenders.Command(c.program("manifest", "--version"))))
    size = os.path.getsize(f"{st}/repo/catalog.sqlite3")
    b.play(place, "catalog", f"{tree.title}, {b.sizes['nights']} nights, a catalog of {size / 1e6:,.1f} MB",
           [Run(f"tarseal {who}", title, lambda command=command: command) for who, title, command in asks],
           5 if b.opts.rounds > 1 else 1)


# ---- memory ----


@group("memory", ["memory-large", "memory-flat"])
def memory(b, place, wanted):
    s = b.sizes
    if "memory-large" in wanted:
        all_programs(b, place, "memory-large", trees.large(f"{place.path}/tree", s["large_bytes"]))
        place.clear()
    if "memory-flat" in wanted:
        tree = trees.make("flat", f"{place.path}/tree", s["tiny_files"], s["tiny_files"] * 300,
                          f"{s['tiny_files']:,} files in one directory")
        all_programs(b, place, "memory-flat", tree)


def all_programs(b, place, row, tree):
    c = contenders.Tarseal(jobs=2)
    st, one, target = b.fresh(place, c), tree.one(), f"{place.path}/restored"

    def emptied(command):
        remove(target)
        return command
    steps = [("backup", lambda: c.backup(tree.path, st)), ("the next backup", lambda: c.backup(tree.path, st))]
    steps += [(f"verify --level {level}", lambda level=level: c.verify(st, level)) for level in ("quick", "standard", "deep")]
    steps += [("restore", lambda: emptied(c.restore(st, target))),
              ("restore one file", lambda: emptied(c.one(st, one, target))),
              ("manifest rebuild", lambda: c.manifest(st, "rebuild")),
              ("manifest list", lambda: c.manifest(st, "list")),
              ("manifest ls --recursive", lambda: c.manifest(st, "ls", "--recursive")),
              ("manifest find '**'", lambda: c.manifest(st, "find", "**")),
              ("manifest find --no-catalog '**'", lambda: c.manifest(st, "find", "--no-catalog", "**")),
              ("manifest history", lambda: c.manifest(st, "history", one))]
    b.aged(tree)
    b.play(place, row, f"{tree.title}, --jobs 2", [Run(f"tarseal {title}", title, begin) for title, begin in steps],
           rounds=1, turns=False)
    remove(target)


# ---- growth ----

GROWING = ("tarseal", "pigz", "restic")


@group("growth-files", ["growth-files"])
def growth_files(b, place, wanted):
    made = [(files, trees.make("tiny", f"{place.path}/tree-{files}", files, files * 300))
            for files in b.sizes["growth_files"]]
    for files, tree in made:
        grow(b, place, f"growth-files-{files}", tree)


@group("growth-bytes", ["growth-bytes"], ("disk",))
def growth_bytes(b, place, wanted):
    for size in b.sizes["growth_bytes"]:
        if place.space() < 3 * size:
            b.results.begin(place.key, f"growth-bytes-{size}-first", f"{size / 1e9:g} GB", "there is no room for it")
            continue
        tree = trees.make("system", f"{place.path}/tree", max(1, size // 262144), size)
        grow(b, place, f"growth-bytes-{size}", tree)
        remove(tree.path)


def grow(b, place, row, tree):
    first_night(b, place, tree, f"{row}-first", GROWING, rounds=1)
    next_night(b, place, tree, f"{row}-nightly", GROWING, rounds=1)
    for c in b.named(*GROWING):
        for name in ("kept", "copy"):
            remove(f"{place.path}/{name}.{c.name}")


# ---- a month on XFS ----


@group("month", ["month"])
def month(b, place, wanted):
    """Two repositories, each on an XFS of its own; what they take, not what time."""
    if not contenders.Tarseal.knows("--physical-every"):
        raise Unavailable("backup cannot share blocks yet")
    s, c = b.sizes, b.present[0]
    tree = trees.system(f"{place.path}/tree", s["month_files"], s["month_bytes"], b.opts.synthetic)
    trees.append_log(f"{tree.path}/application.log", s["month_bytes"] // 10)
    b.aged(tree)
    kept, ways = [], (("shared", ()), ("physical", ("--physical-every", "1")))
    try:
        for name, options in ways:
            fs = loop(name, "xfs", name, b.opts.device << 30)
            kept.append((fs, options, fs.used()))
            c.start(fs.path)
        for night in range(s["nights"]):
            if night:
                trees.edit(tree, 1, night)
                trees.append_log(f"{tree.path}/application.log", s["month_bytes"] // 1000)
            for fs, options, _ in kept:
                b.measure(c.backup(tree.path, fs.path, *options))
        b.results.begin(place.key, "month", f"{s['nights']} nights, 1 % changed: {tree.title}")
        for fs, options, empty in kept:
            figure = b.results.figure(place.key, "month", f"tarseal {fs.key}")
            figure["title"] = f"blocks {fs.key}" if fs.key == "shared" else " ".join(options)
            figure["bytes"] = fs.used() - empty
        b.results.save()
    finally:
        for fs, _, _ in kept:
            fs.close()
