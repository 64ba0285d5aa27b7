#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Copies to a disk that is full or broken, and from one that is: what cannot be done is told, what can
# is done, and never is there a backup that is not whole.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need strace
need_root
[ "$TEST_VARIANT" = plain ] || skip "sanitizers make calls of their own"
strace -o /dev/null -e trace=none true 2>/dev/null || skip "no right to trace"

mkdir data
make_repo repo dest
for i in 1 2 3; do
	noise 1200000 "$i" >data/blob
	backup_tree data repo
done
err=$CASE_BASE/stderr

whole() {
	local seal
	for seal in dest/*.seal; do
		[ ! -f "$seal" ] || sha256sum --status -c <(sed "s| autolab| dest/autolab|" "$seal" | grep -v '^#') ||
		    fail "$1: $seal is there, and not whole"
	done
	[ -z "$(find dest -name '.*.new')" ] || fail "$1: left $(ls -A dest)"
}

# ---- a volume that is too small ----
mount -t tmpfs -o size=3m tmpfs dest 2>/dev/null || skip "no right to mount"
trap 'umount dest' EXIT
expect 3 manifest copy dest --repo repo --trust key.pub
grep -q '^manifest: dest: no space for 3 backups: 3.0M is free, 3.5M is needed$' "$err" || fail "$(cat "$err")"
[ -z "$(find dest -type f ! -name .lock)" ] || fail "something was copied: $(ls -A dest)"
expect 3 manifest copy dest --dry-run --repo repo --trust key.pub
expect 3 manifest copy dest --json --repo repo --trust key.pub
jq -e '.status == 3 and .totals.copied == 0' "$CASE_BASE/stdout" >/dev/null || fail "$(cat "$CASE_BASE/stdout")"
# Two fit.
first=$(basename "$(find repo -name '*.seal' | sort | head -n 1)" .seal)
quiet manifest copy dest --repo repo --trust key.pub latest "$first"
# No space for the catalog does not make a copy a bad one.
mount -o remount,size=4m dest
rm dest/catalog.sqlite3
noise $(($(stat -f -c '%a * %S' dest) - 1224000)) 1 >dest/other
expect 0 manifest copy dest --repo repo --trust key.pub
grep -q 'warning: dest: catalog: .*; the copies are sound, "manifest rebuild" makes the catalog again' "$err" ||
    fail "$(cat "$err")"
quiet verify --all --repo dest --trust key.pub
umount dest
mount -t tmpfs -o size=20m,nr_inodes=8 tmpfs dest
expect 3 manifest copy dest --repo repo --trust key.pub
grep -q 'dest: no room for 3 backups: [0-9] inodes are free, 9 are needed' "$err" || fail "$(cat "$err")"
umount dest
trap - EXIT

# ---- calls that fail ----
failing() { # WHAT: an inject expression
	rm -rf dest
	mkdir dest
	status=0
	strace -f -qq -o trace -e trace=pread64,write,fsync,renameat2 -e signal=none -e inject="$1" \
	    manifest copy dest --new --repo repo --trust key.pub >out 2>err || status=$?
}

# The destination's: that ends it, with a word about where.
ended=0
for what in write:error=ENOSPC fsync:error=EIO renameat2:error=EACCES; do
	for n in 1 2 3 4 5 6 8 10 12; do
		failing "$what:when=$n"
		grep -q INJECTED trace || break
		case $status in
		3)
			ended=$((ended + 1))
			grep -q '^manifest: .*\(No space left\|Input/output error\|Permission denied\|standard output\)' err ||
			    fail "$what $n: $(cat err)"
			;;
		# The catalog's own trouble, or standard output's.
		0) grep -q 'catalog' err || fail "$what $n: not a word: $(cat err)" ;;
		*) fail "$what $n: exit $status: $(cat err)" ;;
		esac
		# A rename or a sync that failed after the seal was on disk is finished by the next run.
		manifest copy dest --repo repo --trust key.pub >out 2>&1 || fail "$what $n: the next run: $(cat out)"
		whole "$what $n"
		quiet verify --all --repo dest --trust key.pub
	done
done
[ $ended -gt 15 ] || fail "only $ended calls ended it"

# The source's: that backup stays behind, the others go.
left=0
for n in $(seq 1 40); do
	failing "pread64:error=EIO:when=$n"
	grep -q INJECTED trace || break
	[ $status -ne 127 ] || continue
	# The catalog's reads have another way round, or a warning of their own.
	[ $status -ne 0 ] || expect 0 verify --all --repo dest --trust key.pub
	whole "read $n"
	if [ $status -eq 1 ] && grep -q 'not copied: .*Input/output error' err; then
		left=$((left + 1))
		[ "$(find dest -name '*.seal' | wc -l)" = 2 ] || fail "read $n: the others did not go: $(cat out err)"
	fi
done
[ $left -gt 6 ] || fail "only $left reads that failed were told as such"

# ---- a source that is read-only ----
rm -rf dest
mkdir dest
mount --bind repo repo
mount -o remount,bind,ro repo
trap 'umount repo' EXIT
before=$(find repo -printf '%p %T@ %s\n' | sort)
quiet manifest copy dest --new --repo repo --trust key.pub
[ "$(find repo -printf '%p %T@ %s\n' | sort)" = "$before" ] || fail "the source changed"
quiet verify --all --repo dest --trust key.pub

# ---- one and the same by another way, and the mount point of nothing ----
mkdir same
mount --bind repo same
trap 'umount same repo' EXIT
expect 2 manifest copy same --repo repo --trust key.pub
grep -q '^manifest: same is the repository itself$' "$err" || fail "$(cat "$err")"
umount same
expect 2 manifest copy same --repo repo --trust key.pub
grep -q 'nothing is mounted there: is its volume missing?' "$err" || fail "$(cat "$err")"
[ -z "$(ls -A same)" ] || fail "it was used all the same"
mkdir elsewhere
mount --bind elsewhere same
quiet manifest copy same --repo repo --trust key.pub
quiet verify --all --repo elsewhere --trust key.pub

# ---- a source that one may not read, and a destination that one may not write to ----
mkdir theirs
chown 65534 theirs
expect 1 as_user manifest copy theirs --new --repo repo --trust key.pub
[ "$(grep -c 'not copied: its seal cannot be read: .*Permission denied' "$err")" = 3 ] || fail "$(cat "$err")"
[ "$(ls -A theirs)" = .lock ] || fail "left $(ls -A theirs)"
umount repo
trap 'umount same' EXIT
chmod 644 repo/auto*
expect 0 as_user manifest copy theirs --repo repo --trust key.pub
expect 3 as_user manifest copy elsewhere --repo repo --trust key.pub
grep -q '^manifest: repository elsewhere: .lock: ' "$err" || fail "$(cat "$err")"
