#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The worked example in docs/FORMAT.md: each command gives what the page says, on a
# repository that was made by the first release, with stock tools only.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need openssl sha256sum gzip tar awk base64 od

page=${FORMAT_PAGE:-$TOP/docs/FORMAT.md}
cp "$TESTS/data/format-1/"autolab*.{tar.gz,manifest.gz,seal} "$TESTS/data/format-1/key.pub" .
sed '1,/^## Worked example/d' "$page" | grep '^    ' >"$CASE_BASE/said"
[ "$(grep -c '^    \$ ' "$CASE_BASE/said")" -gt 30 ] || fail "the example is gone from docs/FORMAT.md"

# Each command in one shell; behind it what it printed.
{
	echo 'PATH=/usr/bin:/bin'
	sed -n 's/^    \$ //p' "$CASE_BASE/said" | while IFS= read -r line; do
		printf "cat <<'COMMAND'\n    $ %s\nCOMMAND\n" "$line"
		printf '{ %s\n} >printed 2>&1\n' "$line"
		echo "sed 's/^/    /' printed"
	done
} >"$CASE_BASE/script"
bash "$CASE_BASE/script" >"$CASE_BASE/did" 2>&1
diff -u --label docs/FORMAT.md --label printed "$CASE_BASE/said" "$CASE_BASE/did"
