# SPDX-License-Identifier: BSD-2-Clause
"""Two charts, as SVG: seconds by row and program, and how they grow."""
import html
import math
import statistics

import goals

OURS, PEERS, INK, FAINT = "#0b6e4f", "#a9b4bd", "#1f2933", "#7b8794"
LINES = {"tarseal": OURS, "pigz": "#c77700", "restic": "#4a5fc1"}
NAMES = {"tarseal": "Tarseal", "pigz": "tar, pigz", "restic": "restic"}
FONT = "font-family='DejaVu Sans, Verdana, sans-serif'"

# What archivers do is the same each night: a panel may borrow it from the first one.
NIGHTLY = {"ram/nightly": "ram/first", "ram/million-nightly": "ram/million-first"}
PANELS = [("ram/first", "First backup"), ("ram/nightly", "Nightly, nothing changed"),
          ("ram/changed", "Nightly, 1 % changed, 1 GB log"), ("xfs/nightly-xfs", "Nightly on XFS"),
          ("ram/restore", "Full restore"), ("ram/verify", "Verify"), ("ram/one", "One file"),
          ("ram/million-first", "1,000,000 tiny files: first"), ("ram/million-nightly", "1,000,000 tiny files: nightly"),
          ("ram/million-restore", "1,000,000 tiny files: restore"), ("ram/million-verify", "1,000,000 tiny files: verify"),
          ("disk/limits-first", "200m CPU, 256 MiB: first"), ("disk/limits-nightly", "200m CPU, 256 MiB: nightly")]


def text(x, y, words, size=12, colour=INK, anchor="start", weight="normal"):
    return (f"<text x='{x:.1f}' y='{y:.1f}' font-size='{size}' fill='{colour}' text-anchor='{anchor}' "
            f"font-weight='{weight}' {FONT}>{html.escape(words)}</text>")


def svg(width, height, title, body):
    return [f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' role='img'>",
            f"<title>{html.escape(title)}</title>", f"<rect width='{width}' height='{height}' fill='#ffffff'/>", *body, "</svg>"]


def amount(s):
    return f"{s * 1000:.0f} ms" if s < 1 else f"{s:.1f} s"


def entries_of(data, name):
    """(title, seconds, whether it is ours)"""
    figures = dict(data["rows"].get(name, {"figures": {}})["figures"])
    for who, f in data["rows"].get(NIGHTLY.get(name), {"figures": {}})["figures"].items():
        if who in ("tar", "pigz"):
            figures.setdefault(who, f)
    return [(f["title"], statistics.median(f["wall"]), who.startswith("tarseal")) for who, f in figures.items() if f["wall"]]


def panel(x, y, width, title, entries):
    """Bars from (x, y) down; gives its lines and its height."""
    label, bar = 150, width - 150 - 60
    most = max(seconds for _, seconds, _ in entries)
    out = [text(x, y + 14, title, 13, weight="bold")]
    for i, (name, seconds, ours) in enumerate(entries):
        at = y + 26 + i * 19
        long = max(1.5, bar * seconds / most)
        short = name if len(name) < 25 else name[:23] + "…"
        out += [text(x + label - 8, at + 11, short, 11, INK if ours else FAINT, "end", "bold" if ours else "normal"),
                f"<rect x='{x + label}' y='{at}' width='{long:.1f}' height='14' rx='2' fill='{OURS if ours else PEERS}'/>",
                text(x + label + long + 5, at + 11, amount(seconds), 11)]
    return out, 26 + len(entries) * 19 + 22


def bars(data):
    """Panels in two columns, each scaled to its slowest program."""
    width, margin, columns = 920, 24, [64, 64]
    body = [text(margin, 30, "Seconds of wall time, durable results, medians; shorter is better", 15, weight="bold"),
            text(margin, 48, "each panel has a scale of its own", 11, FAINT)]
    for name, title in PANELS:
        entries = entries_of(data, name)
        if not any(ours for _, _, ours in entries):
            continue
        c = columns.index(min(columns))
        lines, height = panel(margin + c * (width - 2 * margin + 20) / 2, columns[c], (width - 2 * margin - 20) / 2,
                              goals.sized(title, data["sizes"]), entries)
        body += lines
        columns[c] += height
    return svg(width, max(columns) + 10, "Seconds by work and program", body)


# ---- growth ----


def points(data, kind):
    """(who, night) -> [(size, seconds)]"""
    found = {}
    for name, row in data["rows"].items():
        short = name.split("/")[1]
        if short.startswith(f"growth-{kind}-"):
            size, night = short.split("-")[2:4]
        elif kind == "files" and short in ("million-first", "million-nightly"):
            size, night = data["sizes"]["tiny_files"], short.split("-")[1]
        else:
            continue
        for who, f in row["figures"].items():
            if f["wall"] and who in LINES:
                found.setdefault((who, night), []).append((int(size), statistics.median(f["wall"])))
    return {key: sorted(values) for key, values in found.items()}


def quantity(n, kind):
    if kind == "bytes":
        return f"{n / 1e9:g} GB" if n >= 1e9 else f"{n / 1e6:g} MB"
    return f"{n:,} files"


def ticks(low, high):
    return [10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def curve(data, kind, x, y, width, height, title):
    lines = points(data, kind)
    out = [text(x, y - 14, title, 13, weight="bold")]
    if not lines:
        return out + [text(x, y + 20, "not measured", 12, FAINT)]
    sizes = sorted({s for v in lines.values() for s, _ in v})
    rows = ticks(min(t for v in lines.values() for _, t in v), max(t for v in lines.values() for _, t in v))

    def across(size):
        low, high = math.log(sizes[0]), math.log(sizes[-1])
        return x + 40 + (width - 150) * ((math.log(size) - low) / (high - low) if high > low else 0)

    def down(t):
        low, high = math.log(rows[0]), math.log(rows[-1])
        return y + height - height * (math.log(t) - low) / (high - low)
    for t in rows:
        out += [f"<line x1='{x + 40}' y1='{down(t):.1f}' x2='{x + width - 100}' y2='{down(t):.1f}' stroke='#e4e7eb'/>",
                text(x + 34, down(t) + 4, f"{t:g} s", 10, FAINT, "end")]
    out += [text(across(s), y + height + 18, quantity(s, kind), 10, FAINT, "middle") for s in sizes]
    ends = []
    for (who, night), values in lines.items():
        dash = "" if night == "first" else " stroke-dasharray='5 4'"
        path = " ".join(f"{across(s):.1f},{down(t):.1f}" for s, t in values)
        out.append(f"<polyline points='{path}' fill='none' stroke='{LINES[who]}' stroke-width='2'{dash}/>")
        out += [f"<circle cx='{across(s):.1f}' cy='{down(t):.1f}' r='3' fill='{LINES[who]}'/>" for s, t in values]
        ends.append([down(values[-1][1]), across(values[-1][0]), f"{NAMES[who]}, {night}", LINES[who]])
    return out + apart(ends)


def apart(ends):
    """The names of the lines, moved until none covers another."""
    ends.sort()
    for a, b in zip(ends, ends[1:]):
        b[0] = max(b[0], a[0] + 13)
    return [text(x + 8, y + 4, words, 10, colour) for y, x, words, colour in ends]


def growth(data):
    body = [text(24, 30, "Growth: first backup (solid) and the night after, nothing changed (dashed)", 15, weight="bold"),
            *curve(data, "files", 24, 84, 440, 240, "tiny files, in memory"),
            *curve(data, "bytes", 484, 84, 440, 240, "bytes, on the disk")]
    return svg(940, 370, "Growth of time with files and bytes", body)
