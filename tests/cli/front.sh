#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tarseal, the front of the four programs.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

run tarseal
run tarseal --help
run tarseal restroe --target x
run tarseal help nothing
# One of manifest's commands.
run tarseal list --repo x
run tarseal --list
[ "$(tarseal --version)" = "tarseal $(manifest --version | sed 's/.* //')" ] || fail "tarseal --version"
# Arguments come through as they are.
run tarseal backup --source 'no such dir' --repo 'two  spaces' --unsigned
for program in backup verify restore manifest; do
	"$program" --help | diff - <(tarseal help "$program") || fail "tarseal help $program differs"
	[ "$(tarseal "$program" --version)" = "$("$program" --version)" ] || fail "$program --version"
done
# An installed copy finds its programs too.
quiet make -s -C "$TOP" VARIANT="$TEST_VARIANT" WERROR= install DESTDIR="$CASE_DIR/root" PREFIX=/usr
run_sh 'cd root/usr && find . -type f | grep -v doc/ | sort'
grep -q '^libexec=./usr/libexec/tarseal.$' root/usr/bin/tarseal || fail "not relocated"
