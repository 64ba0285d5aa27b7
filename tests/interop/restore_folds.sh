#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Into a file system that takes "a" for "A": things of a backup that have one name there do not take each other's
# place unseen, nor that of what is there under another spelling. And names that the target does not take at all.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need_root
need python3
[ -c /dev/fuse ] || skip "needs /dev/fuse"
mkdir store folds
trap 'umount -l "$CASE_DIR/folds" 2>/dev/null || :' EXIT
"$TESTS/fold-fs" store folds </dev/null >/dev/null 2>&1 || skip "no right to mount FUSE"
touch folds/x
[ -e folds/X ] || fail "it does not fold"
rm folds/x

mkdir -p plain/sub clash/Dir clash/dir
for d in plain clash; do
	echo one >$d/config
	echo "$d" >$d/other
done
echo x >plain/sub/File
ln plain/sub/File plain/sub/link
ln -s File plain/sub/symlink
mkfifo plain/fifo
echo upper >clash/A
echo lower >clash/a
echo upper >clash/Dir/x
echo lower >clash/dir/x
echo lower >clash/dir/y
ln clash/A clash/Hard
ln clash/A clash/hard
ln -s there clash/L
ln -s elsewhere clash/l
make_repo repo alone
for d in plain clash; do
	backup_tree $d repo --series $d
done
for f in repo/*.tar.gz; do
	cp "$f" "alone/$(basename "$f")"
done
of() {
	local series=$1
	shift
	from=(--repo repo --trust key.pub --series "$series")
	bare=(--repo alone --untrusted --backup "$(basename alone/"$series"-*.tar.gz)")
	"$@"
}
r() {
	expect "$1" restore "${from[@]}" --target folds/out "${@:2}"
}
told() {
	grep -q -- "$1" "$CASE_BASE/stderr" || fail "${from[*]}: not told: $1
$(cat "$CASE_BASE/stderr")"
}
one_name="something whose name is the same here, but for its spelling"

# Nothing clashes: all comes back, by each way.
plain() {
	local mode
	rm -rf folds/out
	for mode in stage merge stage wipe; do
		r 0 --mode $mode
		diff -r --exclude=fifo plain folds/out
		[ -p folds/out/fifo ] || fail "$mode: $(ls -l folds/out)"
		[ folds/out/sub/File -ef folds/out/sub/link ] || fail "$mode: no hard link"
	done
	# Under another spelling: that stays, what is in it too.
	rm -rf folds/out
	mkdir -p folds/out/SUB
	echo mine >folds/out/CONFIG
	echo mine >folds/out/SUB/file
	r 1 --mode merge
	told "config: not restored: there is $one_name"
	told "sub/File: not restored: there is $one_name"
	told "sub: not restored: there is $one_name"
	[ "$(cat folds/out/CONFIG folds/out/SUB/file folds/out/other | xargs)" = "mine mine plain" ] ||
	    fail "$(head folds/out/* folds/out/*/*)"
	[ ! -e folds/out/.tarseal-restore ] || fail "it left its work directory"
}
# Two of one name: the first stays, and the others are told, by each way.
clash() {
	local mode upper
	for mode in stage merge; do
		rm -rf folds/out
		r 1 --mode $mode --jobs 4
		told "$one_name"
		# Which one came first is for the workers to say.
		[ "$(find folds/out -iname a | wc -l)" = 1 ] || fail "$mode: $(ls folds/out)"
		[ "$(find folds/out -maxdepth 1 -iname dir | wc -l)" = 1 ] || fail "$mode: $(ls folds/out)"
		if [ "$(find folds/out -name A)" ]; then upper=upper; else upper=lower; fi
		[ "$(cat folds/out/a)" = $upper ] || fail "$mode: $(ls folds/out): a is $(cat folds/out/a)"
		if [ "$(find folds/out -name Dir)" ]; then upper=upper; else upper=lower; fi
		[ "$(cat folds/out/dir/x)" = $upper ] || fail "$mode: dir/x is $(cat folds/out/dir/x)"
		# Seven names that are four: A, Dir, Hard, L, and x and y of the one that is not there.
		[ "$(grep -c "not restored" "$CASE_BASE/stderr")" -ge 5 ] || fail "$mode: $(cat "$CASE_BASE/stderr")"
	done
	# Over something all of it has to be there.
	expect 3 restore "${from[@]}" --target folds/out --mode stage
}
of plain plain
of clash clash
bare() {
	from=("${bare[@]}")
	"$@"
}
of plain bare plain
of clash bare clash
umount folds

# ---- names that are too long ----

# A name of 255 bytes is one that each Linux file system takes, and ecryptfs does not, nor one of FAT in UTF-16.
mkdir long
name=$(printf 'n%.0s' {1..255})
echo long >"long/$name"
mkdir "long/d$(printf 'd%.0s' {1..250})"
echo deep >"long/d$(printf 'd%.0s' {1..250})/file"
echo short >long/short
ln "long/$name" long/short-link
backup_tree long repo --series long
cp repo/long-*.tar.gz alone
python3 - "$TESTS/fold-fs" >short-fs <<'E1'
import sys
text = open(sys.argv[1]).read()
print(text.replace("    found = [n for n", "    if len(name) > 143:\n        raise OSError(errno.ENAMETOOLONG, '')\n    found = [n for n"))
E1
chmod +x short-fs
./short-fs store folds </dev/null >/dev/null 2>&1
long() {
	local mode
	for mode in stage merge; do
		rm -rf folds/out
		r 1 --mode $mode
		told "$name: not restored: File name too long"
		told "file: not restored: File name too long"
		[ "$(ls folds/out)" = short ] || fail "$(ls folds/out)"
		[ "$(cat folds/out/short)" = short ] || fail "$(ls folds/out)"
	done
	expect 3 restore "${from[@]}" --target folds/out
	[ "$(cat folds/out/short)" = short ] || fail "what was there is gone"
}
of long long
of long bare long
