#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/OPERATIONS.md, all of it but the part by hand: its commands, in its order, word for word but
# for the places of files, on a repository of some nights; what they print is what is expected.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"

# Lines of code, and, of tables, what stands in `...` and has options.
awk '/^## By hand/ { exit }
     /^    [ ]*[^ ]/ { sub(/^ */, ""); print; next }
     /^[|]/      { n = split($0, cell, "`"); for (i = 2; i <= n; i += 2) if (cell[i] ~ /^(backup|verify|restore|manifest|openssl) .*-/) print cell[i] }' \
    "${OPERATIONS_PAGE:-$TOP/docs/OPERATIONS.md}" >commands
[ "$(wc -l <commands)" -ge 20 ] || fail "the commands are gone from docs/OPERATIONS.md"

# ---- some nights, as the page has them ----

mkdir -p app/data/app/conf app/data/logs repo offsite/backups verifier
echo '{"debug": false}' >app/data/app/conf/site.json
at() { TZ=Europe/Kyiv faketime -f "2026-02-$1 00:00:05" "${@:2}"; }
nights() {
	(cd app/data && tar -czf ../../repo/autolab-backup-20260130_000003.tar.gz .) # from before
	for night in 06 07 08 09; do
		echo "night $night" >>app/data/logs/app.log
		set_times app/data
		quiet at "$night" backup --source app/data --repo repo --key key --timezone Europe/Kyiv --quiet
	done
	echo '{"debug": true}' >app/data/app/conf/site.json
	echo "night 10" >>app/data/logs/app.log
	set_times app/data
	quiet manifest copy offsite/backups --new --repo repo --trust key.pub autolab-backup-20260206_000005
}

cat >places <<EOF_SED
s#backup \.\.\.#backup --source /app/data --repo /backups --key key --timezone Europe/Kyiv#
s#/app/data#app/data#g
s#\([ =]\)/backups#\1repo#g
s#/offsite/#offsite/#g
s#/var/lib/##g
s#/tmp/##g
s#--target /data#--target back#g
s#\<NAME\>#autolab-backup-20260209_000005#g
EOF_SED
export JOB_UID=job-1 TARSEAL_REPO=repo TARSEAL_TRUST=key.pub
second=5
while IFS= read -r line; do
	command=$(sed -f places <<<"$line")
	echo "\$ $line"
	status=0
	TZ=Europe/Kyiv faketime -f "2026-02-10 00:00:$(printf %02d $second)" bash -c "$command" >did 2>err || status=$?
	[ -s did ] || [ "$status" -ne 0 ] || fail "$line: says nothing: $(cat err)"
	sed 's/^/! /' err
	[ $status -eq 0 ] || echo "exit $status"
	second=$((second + 1))
	[ "$second" -ne 6 ] || nights # with the key that the first command made
done <commands

# One file of that night, the logs as of the day before, and all of it; the copy holds what is held.
cmp out/logs/app.log app/data/logs/app.log
[ "$(cat then/logs/app.log)" = "$(seq -f 'night %02g' 6 9)" ] || fail "as of a day: $(cat then/logs/app.log)"
same_tree app/data back
(cd repo && printf '%s\n' ./*.seal) >here
(cd offsite/backups && printf '%s\n' ./*.seal) | tail -n 4 | diff here -
[ ! -e repo/autolab-backup-20260130_000003.tar.gz ] || fail "what was imported is still there"
[ -e repo/autolab-backup-20260209_000005.hold ] || fail "there is no hold"
quiet verify --all --repo offsite/backups --trust key.pub
quiet verify --all --repo repo --trust key.pub --anchor verifier/anchor

# What the page says that backup says, it says.
python3 - "${OPERATIONS_PAGE:-$TOP/docs/OPERATIONS.md}" "$TOP"/[a-z]*/*.c <<'EOF_PY'
import os, re, sys

table = re.search(r"^[|] it says .*?\n\n", open(sys.argv[1]).read(), re.S | re.M).group()
phrases = [p for row in table.splitlines() if row for p in re.findall(r"`([^`]*)`", row.split("|")[1])]
assert len(phrases) >= 12, phrases
texts = "".join(re.sub(r'"\s*\n\s*"', "", open(f).read()) for f in sys.argv[2:])
system = {os.strerror(n) for n in range(134)}
for part in (part.strip() for p in phrases for part in re.split(r"\.\.\.|: |, ", p)):
    if len(part) > 3 and part not in system and not re.search(re.escape(part).replace("s\\ ", "(s|%s)\\ "), texts):
        sys.exit("docs/OPERATIONS.md says \"%s\", and no program does" % part)
EOF_PY
