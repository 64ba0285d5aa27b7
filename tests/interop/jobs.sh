#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The same tree gives the same archive and the same manifest with any number of
# workers, whatever the zone and the way in which the source was named.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

"$TESTS/make-tree" extreme src
"$TESTS/make-tree" many src/many 3000
make_repo one
mkdir two five
backup --source src --repo one --key key --jobs 1 --timezone UTC
backup --source src --repo two --key key --jobs 2 --timezone Asia/Tokyo
backup --source "$PWD/src/" --repo five --key key --jobs 5
cmp "$(newest one).tar.gz" "$(newest two).tar.gz"
cmp "$(newest one).tar.gz" "$(newest five).tar.gz"
# Names stand in the head, and so move the offsets in the index.
for r in one two five; do
	zcat "$(newest $r).manifest.gz" | grep -v -e '^# name: ' -e '^#@' | sha256sum >>sums
done
[ "$(sort -u sums | wc -l)" = 1 ] || fail "manifests differ with the number of jobs"
