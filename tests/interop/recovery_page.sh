#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# docs/RECOVERY.md: its commands, in its order, word for word but for the places of files, on a volume that
# lost its data; what they print is what is expected, and the data is back.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need faketime
[ "$TEST_VARIANT" = plain ] || skip "faketime and sanitizers exclude each other"
export TZ=Europe/Kyiv

awk '/^    [ ]*[^ ]/ { sub(/^ */, ""); print }' "$TOP/docs/RECOVERY.md" >commands
[ "$(wc -l <commands)" -ge 10 ] || fail "the commands are gone from docs/RECOVERY.md"

mkdir -p good/app/conf good/logs repo
make_key
echo old >good/app/conf/old.json
for night in 08 09; do
	[ $night = 08 ] || rm good/app/conf/old.json
	echo "night $night" >>good/logs/app.log
	echo "{\"night\": $night}" >good/app/conf/site.json
	set_times good
	quiet faketime -f "2026-02-$night 00:00:05" backup --source good --repo repo --key key --quiet
done

# The bad day: a file is gone, one is spoilt, and one is new.
cp -a good volume
rm volume/logs/app.log
echo nonsense >volume/app/conf/site.json
echo new >volume/new

sed 's#/backups#repo#g; s#/tmp/##g; s#--target /data#--target volume#g' commands >here
exec 3<here
while IFS= read -r line; do
	IFS= read -r command <&3
	case $command in
	*--target\ alone) mv "$(newest repo).manifest.gz" lost ;;
	*--target\ old) tar -C good -czf repo/autolab-backup-20260101_000005.tar.gz . ;;
	esac
	status=0
	bash -c "$command" >did 2>err || status=$?
	echo "\$ $line"
	sed 's/, [^ ]* is free/, MUCH is free/' did
	sed 's/^/! /' err
	[ $status -eq 0 ] || echo "exit $status"
	[ ! -f lost ] || mv lost "$(newest repo).manifest.gz"
done <commands

[ "$(cat volume/app/conf/old.json)" = old ] || fail "what was deleted is not back"
rm volume/app/conf/old.json
[ "$(ls versions)" = $'site~20260208_000005.json\nsite~20260209_000005.json' ] || fail "versions: $(ls versions)"
touch -r good/app/conf volume/app/conf
touch -r good volume # a name came and went there
same_tree good volume
same_tree good untrusted
# Of which one file is another backup's, and what it was put into has another time.
[ "$(cat beside/app/conf/site.json)" = "$(cat versions/site~20260208_000005.json)" ] || fail "$(cat beside/app/conf/site.json)"
cp -p good/app/conf/site.json beside/app/conf
touch -r good/app/conf beside/app/conf
touch -r good beside
same_tree good beside
same_tree good alone
diff -r good old
[ "$(cat then/logs/app.log)" = "night 08" ] || fail "as of a day: $(cat then/logs/app.log)"
