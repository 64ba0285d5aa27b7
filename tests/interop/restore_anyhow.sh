#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Restore gives the same tree with the catalog gone, spoilt, or of another repository,
# from a read-only mount, with any number of jobs, and while a backup runs.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need rsync
sample_tree src
"$TESTS/make-tree" portable src/portable
"$TESTS/make-tree" many src/many 300
make_repo repo other
backup_tree src repo
mkdir alien
echo alien >alien/file
backup_tree alien other

n=0
comes_back() {
	local what=$1 repo=$2
	shift 2
	n=$((n + 1))
	expect 0 restore --repo "$repo" --trust key.pub --target out-$n "$@"
	if grep . "$CASE_BASE/stderr" >&2; then fail "$what: it said something"; fi
	same_tree src out-$n
	rm -rf out-$n
	expect 0 restore --repo "$repo" --trust key.pub --target out-$n "$@" 'portable/sub/' '**/item-7?.json'
	[ "$(find out-$n -name '*.json' | wc -l)" = 10 ] || fail "$what: $(find out-$n -name '*.json')"
	same_tree src/portable/sub out-$n/portable/sub
	rm -rf out-$n
	echo "$what"
}

for jobs in 1 2 5; do
	comes_back "$jobs jobs" repo --jobs $jobs
done
cp repo/catalog.sqlite3 good
rm repo/catalog.sqlite3
comes_back "no catalog" repo
[ ! -e repo/catalog.sqlite3 ] || fail "restore made a catalog"
noise 40000 1 >repo/catalog.sqlite3
comes_back "noise for a catalog" repo
head -c 5000 good >repo/catalog.sqlite3
comes_back "a cut catalog" repo
cp other/catalog.sqlite3 repo/catalog.sqlite3
comes_back "another repository's catalog" repo
cp good repo/catalog.sqlite3

if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir mounted
	export -f comes_back expect same_tree fail quoted
	export n
	unshare -m bash -euc '
		mount --bind repo mounted
		mount -o remount,ro,bind mounted
		if touch mounted/x 2>/dev/null; then fail "it is not read-only"; fi
		comes_back "a read-only mount" mounted
		verify --repo mounted --trust key.pub --level deep
		manifest find --repo mounted --trust key.pub "**/item-77.json"
	'
else
	chmod 555 repo
	comes_back "a read-only directory" repo
	chmod 755 repo
fi

# While a writer holds the lock and is at work, readers see what is sealed.
cp -a src busy
truncate -s 200G busy/huge
backup --source busy --repo repo --key key --quiet 2>writer.err &
writer=$!
trap 'kill $writer 2>/dev/null || true' EXIT
for _ in $(seq 400); do
	compgen -G 'repo/.*.tar.gz.new' >/dev/null && break
	sleep 0.05
done
compgen -G 'repo/.*.tar.gz.new' >/dev/null || fail "the writer does not write: $(cat writer.err)"
comes_back "while a backup runs" repo
kill -0 $writer || fail "the writer ended too early"
kill $writer
status=0
wait $writer || status=$?
[ $status -eq 143 ] || fail "the writer: $status"
comes_back "after a backup that was stopped" repo
