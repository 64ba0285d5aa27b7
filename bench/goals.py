# SPDX-License-Identifier: BSD-2-Clause
"""What the design says is to be reached, held against what was measured."""
import dataclasses
import statistics

LIMIT, TIMES = "at most", "at least"


class Missing(Exception):
    """Why there is no figure."""


@dataclasses.dataclass
class Goal:
    work: str
    against: str
    want: float
    kind: str  # LIMIT or TIMES
    unit: str  # x, s, MiB
    value: object  # a function of Figures


class Figures:
    """The figures of one place; others' are asked for by a row's full name."""

    def __init__(self, rows, place):
        self.rows, self.place = rows, place

    def figure(self, row, who):
        name = row if "/" in row else f"{self.place}/{row}"
        known = self.rows.get(name)
        if known is None:
            raise Missing("not measured")
        if known["reason"]:
            raise Missing(known["reason"])
        figure = known["figures"].get(who)
        if figure is None:
            raise Missing(f"no {who}")
        if figure.get("failed"):
            raise Missing(f"{who} failed")
        return figure

    def get(self, row, who, key="wall"):
        value = self.figure(row, who).get(key)
        if value is None or value == []:
            raise Missing("not measured")
        return statistics.median(value) if isinstance(value, list) else value

    def peak(self, rows):
        """Of all that Tarseal did in these rows, in MiB."""
        peaks = []
        for row in rows:
            name = row if "/" in row else f"{self.place}/{row}"
            known = self.rows.get(name, {"figures": {}})["figures"]
            peaks += [max(f["rss"]) / 1024 for who, f in known.items() if who.startswith("tarseal") and f.get("rss")]
        if not peaks:
            raise Missing("not measured")
        return max(peaks)


def times(row, peer, ours="tarseal", peer_row=None):
    return lambda f: f.get(peer_row or row, peer) / f.get(row, ours)


SYSTEM = [
    Goal("first backup", "tar czf", 5, TIMES, "x", times("first", "tar")),
    Goal("first backup", "tar, pigz", 2.5, TIMES, "x", times("first", "pigz")),
    Goal("first backup", "restic", 1.5, TIMES, "x", times("first", "restic")),
    Goal("first backup", "size of gzip -6's", 1.02, LIMIT, "x",
         lambda f: f.get("first", "tarseal", "bytes") / f.get("first", "tar", "bytes")),
    Goal("nightly, nothing changed", "tar czf", 25, TIMES, "x", times("nightly", "tar", peer_row="first")),
    Goal("nightly, nothing changed", "restic's second run", 3, TIMES, "x", times("nightly", "restic")),
    Goal("nightly, nothing changed, XFS", "restic's second run", 6, TIMES, "x",
         lambda f: f.get("xfs/nightly-xfs", "restic") / f.get("xfs/nightly-xfs", "tarseal")),
    Goal("nightly, 1 % changed, and a log grown by 1 %", "restic", 2.5, TIMES, "x", times("changed", "restic")),
    Goal("one file", "seconds", 0.020, LIMIT, "s", lambda f: f.get("one", "tarseal")),
    Goal("one file", "1/64 of the archive (flat)", 1.5, LIMIT, "x",
         lambda f: f.get("one", "tarseal") / f.get("one", "tarseal 1/64")),
    Goal("one file", "tar -xzf ARCHIVE ONE", 100, TIMES, "x", times("one", "tar")),
    Goal("one file", "restic", 40, TIMES, "x", times("one", "restic")),
    Goal("full restore", "tar -xzf", 2, TIMES, "x", times("restore", "tar")),
    Goal("full restore", "restic", 1.3, TIMES, "x", times("restore", "restic")),
    Goal("verify standard", "gzip -t", 10, TIMES, "x", times("verify", "tar", "tarseal standard")),
    Goal("verify standard", "restic check --read-data", 4, TIMES, "x", times("verify", "restic", "tarseal standard")),
    Goal("verify deep", "gzip -t", 3.5, TIMES, "x", times("verify", "tar", "tarseal deep")),
    Goal("verify deep", "restic check --read-data", 1.5, TIMES, "x", times("verify", "restic", "tarseal deep")),
]


def million(work, row, peer, title, ours="tarseal", peer_row=None):
    return Goal(f"1,000,000 tiny files: {work}", title, 1, TIMES, "x", times(row, peer, ours, peer_row))


REST = [
    million("first", "million-first", "restic", "restic"),
    million("first", "million-first", "pigz", "tar, pigz"),
    million("nightly", "million-nightly", "restic", "restic"),
    million("nightly", "million-nightly", "pigz", "tar, pigz", peer_row="million-first"),
    million("verify", "million-verify", "restic", "restic check --read-data", "tarseal standard"),
    million("verify", "million-verify", "pigz", "pigz -t", "tarseal standard"),
    million("restore", "million-restore", "restic", "restic"),
    million("restore", "million-restore", "pigz", "tar -I pigz -xf"),
    Goal("peak memory, large file", "--jobs 2", 64, LIMIT, "MiB", lambda f: f.peak(["memory-large"])),
    Goal("peak memory, 1,000,000 files", "in directories of 100", 64, LIMIT, "MiB",
         lambda f: f.peak(["million-first", "million-nightly", "million-verify", "million-restore"])),
    Goal("peak memory, 1,000,000 files", "in one directory, --jobs 2", 128, LIMIT, "MiB", lambda f: f.peak(["memory-flat"])),
    Goal("catalog: one path in 30 nights", "seconds, starting included", 0.005, LIMIT, "s",
         lambda f: f.get("catalog", "tarseal history")),
    Goal("catalog: glob over 1,000,000 paths", "seconds", 1, LIMIT, "s", lambda f: f.get("catalog", "tarseal glob")),
    Goal("catalog: a night without change", "MB for each GB", 1, LIMIT, "MB",
         lambda f: f.get("nightly", "tarseal", "catalog_growth") / 1e6),
    Goal("a month on XFS, blocks shared", "space of --physical-every 1", 1 / 3, LIMIT, "x",
         lambda f: f.get("month", "tarseal shared", "bytes") / f.get("month", "tarseal physical", "bytes")),
]


def judge(goal, figures):
    """(what was reached, as text; met, not met, or n/a and why)"""
    try:
        value = goal.value(figures)
    except Missing as e:
        return "", f"n/a: {e}"
    met = value >= goal.want if goal.kind == TIMES else value <= goal.want
    return show(value, goal.unit), "met" if met else "**not met**"


def show(value, unit):
    if unit == "s":
        return f"{value * 1000:.1f} ms"
    if unit == "x":
        return f"{value:.2f} x" if value < 10 else f"{value:.0f} x"
    return f"{value:.2f} {unit}" if value < 10 else f"{value:.0f} {unit}"


def sized(words, sizes):
    """The work, where it was measured at other sizes than those of the design."""
    return words.replace("1,000,000", f"{sizes['tiny_files']:,}").replace("30 nights", f"{sizes['nights']} nights")


def wanted(goal):
    return f"{goal.kind} {show(goal.want, goal.unit)}"
