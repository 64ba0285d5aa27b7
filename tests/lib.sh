# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What every case has: it starts with . "$TESTS/lib.sh".  A case runs with set -euo
# pipefail in a fresh and empty directory ($CASE_DIR, also $HOME), with the programs
# first in PATH and no standard input.  $TOP is the source tree, $TESTS its tests/.
# What a case prints on stdout is compared with CASE.out (in tests/cli always,
# elsewhere where there is one); one that exits with another status than 0 has failed.
#
#   # serial         in its head: runs alone, last
#   # long           in its head: begins first, so that nobody waits for it alone
#   # timeout: 600   in its head: seconds, when 300 are too few

# ---- printing and judging ----

# The command as a person would type it.
quoted() {
	local word out=
	for word in "$@"; do
		case $word in
		'' | *[!A-Za-z0-9_./:=,@%+-]*) word="'${word//\'/\'\\\'\'}'" ;;
		esac
		out+=" $word"
	done
	echo "\$${out}"
}

# run CMD...: the command, its output, its errors led by "! ", its status if not 0.
run() {
	local status=0
	quoted "$@"
	"$@" >"$CASE_BASE/stdout" 2>"$CASE_BASE/stderr" || status=$?
	cat "$CASE_BASE/stdout"
	sed 's/^/! /' "$CASE_BASE/stderr"
	[ "$status" -eq 0 ] || echo "exit $status"
	return 0
}

# run_sh TEXT: the same for a line of shell.
run_sh() {
	local status=0
	echo "\$ $1"
	bash -c "$1" >"$CASE_BASE/stdout" 2>"$CASE_BASE/stderr" || status=$?
	cat "$CASE_BASE/stdout"
	sed 's/^/! /' "$CASE_BASE/stderr"
	[ "$status" -eq 0 ] || echo "exit $status"
	return 0
}

# quiet CMD...: must succeed; what it prints is shown only when it does not.
quiet() {
	local status=0
	"$@" >"$CASE_BASE/quiet" 2>&1 || status=$?
	[ "$status" -eq 0 ] && return
	quoted "$@" >&2
	cat "$CASE_BASE/quiet" >&2
	fail "exit $status"
}

# expect STATUS CMD...: must end with STATUS; stdout in $CASE_BASE/stdout, stderr in .../stderr.
expect() {
	local want=$1 status=0
	shift
	"$@" >"$CASE_BASE/stdout" 2>"$CASE_BASE/stderr" || status=$?
	[ "$status" -eq "$want" ] && return
	quoted "$@" >&2
	cat "$CASE_BASE/stdout" "$CASE_BASE/stderr" >&2
	fail "exit $status, expected $want"
}

fail() {
	echo "fail: $*" >&2
	exit 1
}

skip() {
	echo "skip: $*" >&2
	exit 77
}

# ---- what a case may lean on ----

need_root() {
	[ "$(id -u)" = 0 ] || skip "needs root"
}

need() {
	local c
	for c in "$@"; do
		command -v "$c" >/dev/null || skip "needs $c"
	done
}

# as_user CMD...: as an unprivileged user when the tests run as root.  That user
# gets copies of the programs, because it may not reach the build tree.
as_user() {
	if [ "$(id -u)" != 0 ]; then
		"$@"
		return
	fi
	if [ ! -d "$CASE_BASE/bin" ]; then
		mkdir "$CASE_BASE/bin"
		cp "$TEST_TOP/build/$TEST_VARIANT/bin/"* "$CASE_BASE/bin"
		chmod 755 "$CASE_BASE/bin" "$CASE_BASE/bin/"*
	fi
	PATH="$CASE_BASE/bin:$PATH" setpriv --reuid=65534 --regid=65534 --clear-groups \
	    --inh-caps=-all --bounding-set=-all "$@"
}

# faketime [-f] TIME CMD...: as faketime(1), but without what that leaves in /dev/shm when it is
# killed, and stumbles over when a process has the same number later.
faketime() {
	local lib spec
	for lib in /usr/lib/*/faketime/libfaketimeMT.so.1; do
		[ -f "$lib" ] || break
		if [ "$1" = -f ]; then
			spec=$2
			shift 2
		else
			spec=@$(date -d "$1" '+%F %T') || return 2
			shift
		fi
		FAKETIME_DISABLE_SHM=1 FAKETIME=$spec LD_PRELOAD=$lib "$@"
		return
	done
	command faketime "$@"
}
export -f faketime

# later TIME CMD...: CMD alone with a clock that is ahead (2h, 3d), so that ctimes of now have
# settled for it; files tell the times that they have.
later() {
	NO_FAKE_STAT=1 faketime -f "+$1" "${@:2}"
}
export -f later

# need_ctimes: go to a directory on a file system whose ctimes vouch for content (backup(1),
# "Reuse"): here, or else a mounted image.  It is unmounted when the case ends.
need_ctimes() {
	case $(stat -f -c %T .) in
	ext2/ext3 | xfs | btrfs | f2fs | zfs) return ;;
	esac
	[ "$(id -u)" = 0 ] || skip "no file system here whose ctimes count"
	need mkfs.ext4
	truncate -s 256M "$CASE_BASE/ctimes.img"
	quiet mkfs.ext4 -q -E nodiscard "$CASE_BASE/ctimes.img"
	mkdir ctimes
	mount -o loop "$CASE_BASE/ctimes.img" ctimes 2>/dev/null ||
	    skip "no file system here whose ctimes count, and no right to mount one"
	trap 'cd "$CASE_DIR"; umount "$CASE_DIR/ctimes"' EXIT
	cd ctimes || exit
}

# ---- things to work on ----

# make_key [NAME]: NAME (private) and NAME.pub; NAME is "key" when not given.
make_key() {
	local name=${1:-key}
	quiet manifest keygen --key "$name" --public "$name.pub"
}

# make_repo DIR...: empty repositories, and key, key.pub when they are not there.
make_repo() {
	[ -f key ] || make_key key
	mkdir "$@"
}

# backup_tree SOURCE REPO [OPTION...]: one more backup, signed with key.
backup_tree() {
	local source=$1 repo=$2
	shift 2
	quiet backup --source "$source" --repo "$repo" --key key "$@"
}

# newest REPO: REPO/NAME of the newest backup, by its seal's sequence.
newest() {
	local seal
	for seal in "$1"/*.seal; do
		[ -f "$seal" ] || fail "no seal in $1"
		echo "$(sed -n 's/^# sequence: //p' "$seal") ${seal%.seal}"
	done | sort -n | tail -n 1 | cut -d' ' -f2-
}

# sample_tree DIR: small, the same every time, with a bit of all that any user can make.
sample_tree() {
	local d=$1
	mkdir -p "$d/db" "$d/logs" "$d/empty"
	printf '{"id": 1, "name": "first"}\n' >"$d/config.json"
	seq 1 2000 >"$d/db/table"
	noise 3000000 1 >"$d/db/blob"
	printf 'line %d\n' 1 2 3 >"$d/logs/app.log"
	printf 'odd\n' >"$d"/$'odd name\nwith newline'
	ln "$d/db/table" "$d/db/table-link"
	ln -s config.json "$d/current"
	chmod 755 "$d" "$d/db" "$d/logs" "$d/empty"
	chmod 640 "$d/config.json"
	set_times "$d"
}

# noise BYTES SEED: bytes that do not compress, the same ones for the same seed.
noise() {
	head -c "$1" /dev/zero | openssl enc -aes-128-ctr -K "$(printf %032x "$2")" -iv "$(printf %032x 0)"
}

# set_times DIR: everything below DIR, and DIR, as of one moment.
set_times() {
	find "$1" -depth -exec touch -h -d '2020-02-08 22:00:00.123456789 UTC' {} +
}

# same_tree A B: no difference that rsync sees, attributes and all.  RSYNC_EXTRA: further options.
same_tree() {
	local differs
	# shellcheck disable=SC2086 # options
	differs=$(rsync -aHAXn --numeric-ids --checksum --delete --itemize-changes \
	    ${RSYNC_EXTRA-} "$1/" "$2/")
	[ -z "$differs" ] || fail "$1 and $2 differ:
$differs"
}

# flip FILE OFFSET: change one bit of the byte there.
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# volume DIR SIZE MKFS...: a file system of its own, mounted on DIR, as in "volume v 300M mkfs.xfs -m
# reflink=0".  Where that cannot be, the case is skipped.  It is gone when the case ends.  It lies in
# memory, DIR.ram/img, because such a case syncs a lot.
volume() {
	local dir=$1 size=$2
	shift 2
	need_root
	need "$1"
	mkdir -p "$dir" "$dir.ram"
	trap volumes_gone EXIT
	mount -t tmpfs -o size="$size" tmpfs "$dir.ram" 2>/dev/null || skip "no right to mount"
	volumes+=("$dir")
	truncate -s "$size" "$dir.ram/img"
	quiet "$@" "$dir.ram/img"
	mount -o loop "$dir.ram/img" "$dir" 2>/dev/null || skip "no driver to mount: $*"
}

volumes=()
volumes_gone() {
	local dir
	for dir in "${volumes[@]}"; do
		! mountpoint -q "$dir" || umount "$dir" 2>/dev/null || umount -l "$dir"
		umount "$dir.ram" 2>/dev/null || umount -l "$dir.ram"
	done
	volumes=()
}

# used DIR: KiB in use on its volume, once all is written.
used() {
	sync -f "$1"
	df -k --output=used "$1" | tail -n 1 | tr -d ' '
}

# blocks FILE: the numbers of the blocks in which it lies; in_common A B: how many both lie in.
blocks() {
	sync -f "$1"
	filefrag -v "$1" | awk -F '[ .:]+' '/^ *[0-9]+:/ { for (i = $5; i <= $6; i++) print i }' | sort
}
in_common() {
	comm -12 <(blocks "$1") <(blocks "$2") | wc -l
}

# ---- nights, for the cases of reuse ----

# night REPO [OPTION...]: one more backup of data, by a clock an hour behind that of the night
# before; it must be sound, and data when it is extracted.  NIGHT_ENDS: with another status than 0.
night() {
	local name
	NIGHT=$((${NIGHT-0} + 1))
	expect "${NIGHT_ENDS-0}" later "${NIGHT}h" backup --json --source data --repo "$1" --key key "${@:2}"
	cp "$CASE_BASE/stdout" "$CASE_BASE/night"
	cp "$CASE_BASE/stderr" "$CASE_BASE/night.err"
	name=$(told name)
	# What is wrong with older ones is told as well, and no matter here.
	verify --repo "$1" --trust key.pub --level deep "$name" >"$CASE_BASE/stdout" 2>&1 || :
	grep -q "^$name: ok (deep" "$CASE_BASE/stdout" || fail "night $NIGHT: $(cat "$CASE_BASE/stdout")"
	# By tar, which does not sync what it writes.
	rm -rf "$CASE_BASE/extracted"
	mkdir "$CASE_BASE/extracted"
	quiet tar --xattrs --xattrs-include='*' --numeric-owner -xpzf "$1/$name.tar.gz" -C "$CASE_BASE/extracted"
	same_tree data "$CASE_BASE/extracted"
}

# told FIELD: of the last night's report.
told() {
	jq -r ".$1" "$CASE_BASE/night"
}

# packed N [WHY]: all members were copied but N.
packed() {
	local n
	n=$(($(told members) - $(told members_copied)))
	[ "$n" = "$1" ] || fail "${2-}: night $NIGHT: $n members were packed, expected $1"
}

# warned TEXT: the last night said that in one line, and no more.
warned() {
	local err=$CASE_BASE/night.err
	if [ "$(wc -l <"$err")" != 1 ] || ! grep -q -- "$1" "$err"; then
		fail "night $NIGHT: expected \"$1\", got: $(cat "$err")"
	fi
}

# silent: it said nothing.
silent() {
	[ ! -s "$CASE_BASE/night.err" ] || fail "night $NIGHT: $(cat "$CASE_BASE/night.err")"
}
