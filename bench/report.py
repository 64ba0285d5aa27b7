# SPDX-License-Identifier: BSD-2-Clause
"""Tables of what was measured: results.md, results.tsv, and a part of docs/PERFORMANCE.md."""
import os
import statistics

import chart
import contenders
import goals

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
PAGE = f"{contenders.TOP}/docs/PERFORMANCE.md"
OWN = f"{contenders.TOP}/bench/results"

PLACES = ["ram", "xfs", "disk"]


def table(head, lines):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return out + ["| " + " | ".join(cells) + " |" for cells in lines]


def machine(data):
    m = data["machine"]
    left = [f"{name} ({why} is missing)" for name, why in data["left_out"].items()]
    lines = [f"Processors: {m['processors']}. Memory: {m['memory']}. System: {m['system']}, Linux {m['kernel']}.",
             "Programs: " + "; ".join(data["versions"].values()) + "."]
    revisions = sorted({r["revision"] for r in data["rows"].values() if not r["reason"]})
    if revisions:
        lines.append(f"Tarseal at revision {', '.join(revisions)}.")
    lines.append("Sizes: " + ", ".join(f"{k} {v}" for k, v in data["sizes"].items() if not k.startswith("growth")) + ".")
    if left:
        lines.append("Left out: " + ", ".join(left) + ".")
    return lines


def goal_lines(data):
    lines = []
    for goal in goals.SYSTEM + goals.REST:
        cells = [goals.sized(goal.work, data["sizes"]), goal.against, goals.wanted(goal)]
        for place in ("ram", "disk"):
            if place == "disk" and (goal in goals.REST or "XFS" in goal.work):
                cells.append("")
                continue
            value, verdict = goals.judge(goal, goals.Figures(data["rows"], place))
            cells.append(f"{value} {verdict}".strip())
        lines.append(cells)
    return lines


def goal_table(data):
    return table(["work", "against", "goal", "in memory", "on disk"], goal_lines(data))


def spread(values, digits):
    text = f"{statistics.median(values):.{digits}f}"
    if len(values) > 1:
        text += f" ({min(values):.{digits}f} - {max(values):.{digits}f})"
    return text


def seconds(values):
    return spread(values, 4 if statistics.median(values) < 0.1 else 2)


def row_lines(row):
    ours = next((f for who, f in row["figures"].items() if who.startswith("tarseal") and f["wall"]), None)
    base = statistics.median(ours["wall"]) if ours else None
    for figure in row["figures"].values():
        size = f"{figure['bytes']:,}" if "bytes" in figure else ""
        if figure.get("failed"):
            yield [figure["title"], f"failed: {figure['failed']}".replace("|", "/"), "", "", "", ""]
        elif not figure["wall"]:
            yield [figure["title"], "", "", "", size, ""]
        else:
            wall = statistics.median(figure["wall"])
            yield [figure["title"], seconds(figure["wall"]), seconds(figure["cpu"]), f"{max(figure['rss']) / 1024:.1f}",
                   size, f"{wall / base:.2f}" if base else ""]


def all_rows(data):
    out = []
    for name, row in sorted(data["rows"].items(), key=lambda item: order(item[0])):
        place, short = name.split("/")
        out += ["", f"### {short}: {data['places'].get(place, place)}", ""]
        if row["reason"]:
            out.append(f"n/a: {row['reason']}")
            continue
        out += [f"{row['about']}. {row['when']}.", ""]
        out += table(["", "seconds: median (least - most)", "of processor", "peak MiB", "bytes stored", "times the first line"],
                     row_lines(row))
    return out


def order(name):
    """Places in their order; in each, rows as they were first measured by a full run."""
    place, row = name.split("/")
    heads = ["first", "nightly", "changed", "one", "restore", "verify", "volume", "limits", "million", "memory", "catalog",
             "growth", "month"]
    head = next((i for i, h in enumerate(heads) if row.startswith(h)), len(heads))
    number = next((int(w) for w in row.split("-") if w.isdigit()), 0)
    return PLACES.index(place), head, number, row


def growth_table(data):
    lines = []
    for name, row in sorted(data["rows"].items(), key=lambda item: order(item[0])):
        short = name.split("/")[1]
        if row["reason"] or not (short.startswith(("growth", "million-first", "million-nightly"))):
            continue
        cells = [row["about"], short.rsplit("-", 1)[1]]
        for who in ("tarseal", "pigz", "restic"):
            figure = row["figures"].get(who)
            fine = figure and figure["wall"]
            cells.append(seconds(figure["wall"]) if fine else "")
            if who == "tarseal":
                cells.append(f"{max(figure['rss']) / 1024:.1f}" if fine else "")
        lines.append(cells)
    return table(["tree", "night", "Tarseal, s", "its peak MiB", "tar, pigz, s", "restic, s"], lines)


def tsv(data):
    yield "place\trow\tcontender\ttitle\twall_s\tcpu_s\tpeak_kib\tbytes\trounds\tfailed\twhen\trevision"
    for name, row in sorted(data["rows"].items(), key=lambda item: order(item[0])):
        place, short = name.split("/")
        if row["reason"]:
            yield "\t".join([place, short, "", "", "", "", "", "", "0", row["reason"], row["when"], row["revision"]])
        for who, f in row["figures"].items():
            def mid(key, f=f):
                return f"{statistics.median(f[key]):.6g}" if f[key] else ""
            peak = str(max(f["rss"])) if f["rss"] else ""
            yield "\t".join([place, short, who, f["title"], mid("wall"), mid("cpu"), peak, str(f.get("bytes", "")),
                             str(len(f["wall"])), f.get("failed", ""), row["when"], row["revision"]])


def write_file(path, lines):
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")


def results_page(data):
    return ["# Measured", "", "Written by `bench/run`; what it means stands in docs/PERFORMANCE.md.", "",
            *machine(data), "", "## Goals", "", *goal_table(data), "", "## Growth", "", *growth_table(data),
            "", "## All rows", *all_rows(data)]


def update_page(data):
    """The part of docs/PERFORMANCE.md between the marks."""
    with open(PAGE) as f:
        text = f.read()
    head, rest = text.split(BEGIN)
    part = ["", *machine(data), "", *goal_table(data), "", "![Seconds of each program](../bench/results/bars.svg)", "",
            *growth_table(data), "", "![Growth](../bench/results/growth.svg)", ""]
    with open(PAGE, "w") as f:
        f.write(head + BEGIN + "\n".join(part) + END + rest.split(END)[1])


def write(results, out):
    data = results.data
    results.save()
    write_file(f"{out}/results.md", results_page(data))
    write_file(f"{out}/results.tsv", tsv(data))
    write_file(f"{out}/bars.svg", chart.bars(data))
    write_file(f"{out}/growth.svg", chart.growth(data))
    if os.path.abspath(out) == OWN:
        update_page(data)
    print("\n".join(goal_table(data)))
    print(f"\n{os.path.relpath(out)}/results.md has all figures")
