#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# timeout: 300
# Bits flipped all over archive and manifest, pieces cut off: what comes back is right, what is
# missing is named, and nothing is missing whose bytes are whole.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need rsync
sample_tree data
# Enough for members of each kind.
for i in $(seq 40); do
	mkdir -p "data/dir$i/sub"
	noise 60000 "$i" >"data/dir$i/file"
	ln "data/dir$i/file" "data/dir$i/name"
	ln -s "file" "data/dir$i/sub/link"
done
set_times data
make_repo whole
backup_tree data whole --jobs 2
name=$(basename "$(newest whole)")

# All that is in the target is as it was; all that is missing is in the messages.
judge() {
	local status=$1 what=$2 missing path
	case $status in
	1) ;;
	*) fail "$what: exit $status: $(cat err)" ;;
	esac
	# Contents that differ, or are nowhere in data.
	rsync -rlcn --itemize-changes --delete target/ data/ | grep -v '^\*deleting' |
	    grep -v '^\.[df]' >differs || true
	[ ! -s differs ] || fail "$what: $(cat differs)"
	missing=$(cd data && find . -mindepth 1 ! -type d | while IFS= read -r -d $'\n' path; do
		[ -e "../target/$path" ] || [ -L "../target/$path" ] || echo "${path#./}"
	done)
	echo "$missing" | while IFS= read -r path; do
		case $path in
		'' | 'odd name' | 'with newline') continue ;;
		esac
		grep -q -F "warning: $path: " err || grep -q "page .* of the manifest's index" err ||
		    fail "$what: $path is missing and not named: $(cat err)"
	done
}

hurt() { # WHAT FILE HOW...
	rm -rf target repo/"$name".*
	cp whole/"$name".* repo
	"${@:3}"
	local status=0
	restore --repo repo --trust key.pub --target target >out 2>err || status=$?
	! grep -q 'AddressSanitizer\|runtime error' err || fail "$1: $(cat err)"
	echo $status
}

mkdir repo
size=$(stat -c %s "whole/$name.tar.gz")
for i in $(seq 1 6); do
	at=$(((i * 2654435761 + 12345) % size))
	status=$(hurt "archive at $at" "" flip "repo/$name.tar.gz" $at)
	judge "$status" "archive at $at"
	[ "$(grep -c 'warning:' err)" -lt 120 ] || fail "archive at $at: all is lost"
done

# The root of the manifest is all or nothing: told at once, and nothing is made.
size=$(stat -c %s "whole/$name.manifest.gz")
root=$(sed -n 's/^# manifest-index: \([0-9]*\) .*/\1/p' "whole/$name.seal")
for i in $(seq 1 6); do
	at=$(((i * 2654435761 + 12345) % root))
	status=$(hurt "manifest at $at" "" flip "repo/$name.manifest.gz" $at)
	# The head says nothing that a restore needs.
	[ "$status" -eq 0 ] && [ "$at" -lt 100 ] && continue
	judge "$status" "manifest at $at"
	if ! grep -q "page .* of the manifest's index" err; then
		rsync -rlcni --delete data/ target/ >differs
		! grep -v '^\.' differs || fail "manifest at $at: lost more than a section"
	fi
done
status=$(hurt "root" "" flip "repo/$name.manifest.gz" $(((root + size) / 2)))
[ "$status" -eq 3 ] || fail "root: exit $status: $(cat err)"
[ ! -e target ] || fail "root: a target was made"
grep -q "restore: $name: .*root of the manifest's index" err || fail "root: $(cat err)"

status=$(hurt "cut" "" truncate -s 1500000 "repo/$name.tar.gz")
judge "$status" "cut archive"
for part in tar.gz manifest.gz; do
	status=$(hurt "no $part" "" rm "repo/$name.$part")
	[ "$status" -eq 1 ] || fail "no $part: exit $status: $(cat err)"
	grep -q "$name.$part: is missing" err || fail "no $part: $(cat err)"
	[ ! -e target ] || fail "no $part: a target was made"
done

# Not for us to read: which file, and why.
if [ "$(id -u)" = 0 ]; then
	hurt "rights" "" chmod 600 "repo/$name.tar.gz" >/dev/null
	chmod 755 . ..
	chmod a+rx repo
	chmod a+r "repo/$name.seal" "repo/$name.manifest.gz" key.pub
	expect 3 as_user restore --repo repo --trust key.pub --target nobody
	grep -q "$name.tar.gz: Permission denied" "$CASE_BASE/stderr" || fail "$(cat "$CASE_BASE/stderr")"
fi
