#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Repositories on volumes that are full at each phase, out of inodes, read-only, or mounted into
# the source; sources on a disk that fails; no /proc.  One line says what and where, nothing half
# done is left, what was there verifies, and the next run is fine once there is room.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
if [ -z "${INNER-}" ]; then
	unshare -m true 2>/dev/null || skip "no right to mount"
	# A namespace of its own: whatever happens, no mount is left behind.
	INNER=1 exec unshare -m bash -euo pipefail "$TESTS/fault/errors_backup_mounts.sh"
fi
mount --make-rprivate / 2>/dev/null || skip "no right to mount"

mkdir data repo
noise 90000 1 >data/noise
for i in {1..300}; do echo "$i" >"data/file-$i"; done
make_key
args=(--source data --repo repo --key key --quiet)
err() { cat "$CASE_BASE/stderr"; }
line() { # one line of error, and it matches
	[ "$(grep -vc warning: "$CASE_BASE/stderr")" = 1 ] || fail "not one line: $(err)"
	grep -q "$1" "$CASE_BASE/stderr" || fail "wanted \"$1\": $(err)"
}
left() { find repo -name '.*' -type f ! -name .lock ! -name '*.hold'; }
try() {
	status=0
	"$@" >"$CASE_BASE/stdout" 2>"$CASE_BASE/stderr" || status=$?
}

# ---- full, at each phase ----

# One page more each time: first there is no room at all, then the archive does not fit, then the
# manifest, the seal, the catalog, and then all does.
phases=
for ((pages = 14; pages < 200; pages++)); do
	mount -t tmpfs -o size=$((pages * 4))k,nr_inodes=100 tmpfs repo
	try backup "${args[@]}"
	case $status in
	0)
		verify --repo repo --trust key.pub >/dev/null || fail "$pages pages: $(err)"
		if grep -q 'warning: catalog: .*disk is full\|warning: catalog: .*No space' "$CASE_BASE/stderr"; then
			phases+=" catalog"
			# It may stand, empty or of before: questions are answered all the same.
			quiet manifest ls noise --repo repo --trust key.pub
		elif [ -s "$CASE_BASE/stderr" ]; then
			fail "$pages pages: $(err)"
		else
			phases+=" none"
		fi
		;;
	3)
		line 'repo.*no space\|repo.*No space left on device'
		case $(err) in
		*'no space for another'*) phases+=" before" ;;
		*.tar.gz*) phases+=" archive" ;;
		*.manifest.gz*) phases+=" manifest" ;;
		*.seal*) phases+=" seal" ;;
		*) fail "$pages pages: $(err)" ;;
		esac
		[ "$(find repo -type f ! -name .lock)" = "" ] || fail "$pages pages: left $(ls -A repo)"
		;;
	*) fail "$pages pages: exit $status: $(err)" ;;
	esac
	[ -z "$(left)" ] || fail "$pages pages: left $(left)"
	mount -o remount,size=1m repo
	quiet backup "${args[@]}"
	quiet verify --repo repo --trust key.pub --all
	umount repo
	[ "${phases##* }" != none ] || break
done
for phase in before archive manifest seal catalog none; do
	[[ " $phases " == *" $phase "* ]] || fail "never full at: $phase (only:$phases)"
done

# ---- out of inodes, which df does not show ----

words=
for ((inodes = 1; inodes < 12; inodes++)); do
	mount -t tmpfs -o size=4m,nr_inodes=$inodes tmpfs repo
	try backup "${args[@]}"
	case $status in
	0)
		grep -q 'warning: catalog: .*: no inode is free to make another file (df -i tells); the backup is sound' "$CASE_BASE/stderr" && words+=" catalog" ||
		    words+=" none"
		;;
	3)
		line '^backup: repository repo: \.[^ ]*: no inode is free to make another file (df -i tells)$'
		case $(err) in
		*' .lock: '*) words+=" lock" ;;
		*.tar.gz.new*) words+=" archive" ;;
		*.manifest.gz.new*) words+=" manifest" ;;
		*.seal.new*) words+=" seal" ;;
		esac
		[ "$(find repo -type f ! -name .lock)" = "" ] || fail "$inodes inodes: left $(ls -A repo)"
		;;
	*) fail "$inodes inodes: exit $status: $(err)" ;;
	esac
	[ -z "$(left)" ] || fail "$inodes inodes: left $(left)"
	mount -o remount,nr_inodes=100 repo
	quiet backup "${args[@]}"
	quiet verify --repo repo --trust key.pub --all
	umount repo
	[ "${words##* }" != none ] || break
done
for word in lock archive manifest seal catalog none; do
	[[ " $words " == *" $word "* ]] || fail "never out of inodes at: $word (only:$words)"
done

# ---- no room, and retention: nothing goes for a backup that could not be made ----

mount -t tmpfs -o size=1m,nr_inodes=100 tmpfs repo
for _ in 1 2 3; do quiet backup "${args[@]}"; done
before=$(ls repo)
free=$(df --output=avail -k repo | tail -n 1)
head -c $(((free - 100) * 1024)) /dev/zero >repo/filler
try backup "${args[@]}" --keep-last 1
[ $status -eq 3 ] || fail "full, with retention: exit $status: $(err)"
rm repo/filler
[ "$(ls repo)" = "$before" ] || fail "full, with retention: $before became $(ls repo)"
[ -z "$(left)" ] || fail "full, with retention: left $(left)"
quiet verify --repo repo --trust key.pub --all

# A hold that does not fit is none, and says so; nor is half of one there.
name=$(basename "$(newest repo)")
mount -o remount,nr_inodes=$(($(find repo | wc -l) + 0)) repo
try manifest hold "$name" --repo repo --trust key.pub --reason "because"
[ $status -eq 3 ] || fail "a hold without inodes: exit $status: $(err)"
line '^manifest: .*repo.*hold.*\(No space left on device\|no inode is free\)'
mount -o remount,nr_inodes=100 repo
cat /dev/zero >repo/filler 2>/dev/null || true
try manifest hold "$name" --repo repo --trust key.pub --reason "because"
[ $status -eq 3 ] || fail "a hold without space: exit $status: $(err)"
line '^manifest: .*repo.*hold.*No space left on device'
rm repo/filler
[ -z "$(find repo -name '*hold*')" ] || fail "half a hold: $(ls -A repo)"
quiet manifest hold "$name" --repo repo --trust key.pub --reason "because"
quiet verify --repo repo --trust key.pub --all
umount repo

# ---- read-only ----

mount -t tmpfs -o size=4m tmpfs repo
mount -o remount,ro repo
try backup "${args[@]}"
[ $status -eq 3 ] || fail "read-only: exit $status"
line '^backup: repository repo: cannot be written to: Read-only file system$'
mount -o remount,rw repo
quiet backup "${args[@]}"
mount -o remount,ro repo
try backup "${args[@]}"
line '^backup: repository repo: cannot be written to: Read-only file system$'
quiet verify --repo repo --trust key.pub
mount -o remount,rw repo
quiet backup "${args[@]}"

# ---- the repository mounted into the source, the source into the repository ----

mkdir data/below data/below/inner elsewhere
mount --bind repo data/below/inner
for repo in repo data/below/inner; do
	try backup --source data --repo $repo --key key --quiet
	[ $status -eq 2 ] || fail "a repository in the source: exit $status: $(err)"
done
grep -q 'repository data/below/inner is inside the source data$' "$CASE_BASE/stderr" || fail "$(err)"
mount --bind data/below/inner elsewhere
try backup --source data --repo elsewhere --key key --quiet
[ $status -eq 2 ] || fail "a repository in the source by two mounts: exit $status: $(err)"
line '^backup: below/inner is the repository: keep it outside the source$'
try backup --source data --repo elsewhere --dry-run
line '^backup: .*below/inner is the repository: keep it outside the source$'
[ -z "$(left)" ] || fail "left $(left)"
# What is left out may be the repository.
quiet backup --source data --repo repo --key key --exclude below/inner
umount elsewhere data/below/inner
[ "$(find repo -name '*.seal' | wc -l)" = 3 ] || fail "$(ls -A repo)"

# ---- no /proc ----

try unshare -m bash -c "umount -l /proc && exec backup ${args[*]}"
[ $status -eq 0 ] || fail "no /proc: exit $status: $(err)"
grep -q 'warning: /proc is not mounted: extended attributes' "$CASE_BASE/stderr" || fail "$(err)"
quiet verify --repo repo --trust key.pub --all
umount repo

# ---- a source on a disk that fails: cut off behind the file system's back ----

mkdir broken
truncate -s 16M image
if mkfs.ext4 -q -O ^has_journal image 2>/dev/null && mount -o loop image broken 2>/dev/null; then
	for i in 1 2 3 4; do noise 3000000 "$i" >"broken/big-$i"; done
	umount broken
	mount -o loop,ro image broken
	truncate -s 10M image
	echo 1 >/proc/sys/vm/drop_caches 2>/dev/null || true
	mkdir -p repo2
	try backup --source broken --repo repo2 --key key --quiet
	[ $status -eq 1 ] || fail "a failing disk: exit $status: $(err)"
	grep -q 'warning: big-.: cannot be read: I/O error; these parts are stored as zeros$\|warning: big-.: cannot be read: Input/output error' \
	    "$CASE_BASE/stderr" || fail "$(err)"
	grep -q '^# complete: no ' repo2/*.seal || fail "$(cat repo2/*.seal)"
	mkdir out
	tar -xzf repo2/*.tar.gz -C out
	whole=0
	for i in 1 2 3 4; do
		[ "$(stat -c %s "out/big-$i")" = 3000000 ] || fail "big-$i has lost its size"
		if noise 3000000 "$i" | cmp -s - "out/big-$i"; then
			whole=$((whole + 1))
		else
			grep -q "big-$i: cannot be read" "$CASE_BASE/stderr" || fail "big-$i: not a word: $(err)"
		fi
	done
	[ $whole -gt 0 ] || fail "nothing of it could be read"
	umount broken
else
	echo "no loop device: a failing disk was not tried" >&2
fi
