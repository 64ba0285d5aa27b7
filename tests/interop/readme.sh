#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# README.md, "A first backup": each command as it stands there gives what stands there, numbers and
# the times of files aside.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime openssl git
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
ln -s "$TOP/tools" "$TOP/build" .
export HOME=$PWD TZ=Europe/Kyiv
mkdir tmp
python3 - "${README_PAGE:-$TOP/README.md}" <<'EOF_PY'
import re, subprocess, sys

text = open(sys.argv[1]).read()
part = re.search(r"^## A first backup\n(.*?)^## ", text, re.S | re.M).group(1)
said, commands = [], []
for line in re.findall(r"^    (.*)$", part, re.M):
    if line.startswith("$ "):
        commands.append((line[2:], []))
    else:
        commands[-1][1].append(line)
assert len(commands) >= 12, "the commands are gone from README.md"

def plain(line):
    """Without what differs from run to run."""
    line = re.sub(r"\b[0-9a-f]{64}\b", "SHA", line)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", "TIME", line)
    line = re.sub(r"(00:00:0)\d", r"\g<1>N", line) if " at " in line else line
    line = re.sub(r"\([^)]*\)", lambda m: re.sub(r"[\d.]+[KMG]?", "N", m.group()), line)
    line = re.sub(r"in [\d.]+ s$", "in N s", line)
    return re.sub(r" +", " ", line).strip()

# One shell does it all, each backup at its hour.  The build is the one that is tested.
script, night, days = ["set -e"], 0, ["2026-02-09 00:00:05", "2026-02-10 00:00:05"]
at = lambda day, command: "faketime -f '%s' %s" % (day, command)
for command, _ in commands:
    if command.startswith("PATH="):
        command = ":"
    if command.startswith("verify --all"):
        script += ["{ tools/make-sample --next data; %s; } >/dev/null" % at(days[1], backup)]
    if command.startswith("backup "):
        backup, command = command, at(days[0], command)
    script.append("echo '$'; " + command.replace("/tmp/", "../tmp/"))
out = subprocess.run(["bash", "-c", "\n".join(script)], capture_output=True, text=True)
assert out.returncode == 0, out
did = [d.splitlines() for d in re.split(r"^\$\n", out.stdout, flags=re.M)[1:]]
assert len(did) == len(commands), out.stdout
for (command, want), got in zip(commands, did):
    want, got = [plain(l) for l in want], [plain(l) for l in got]
    if want[-1:] == ["..."]:
        want, got = want[:-1], got[:len(want) - 1]
    if want != got:
        sys.exit("%s\nREADME.md: %s\nprinted:   %s" % (command, "\n".join(want), "\n".join(got)))
EOF_PY
