#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every document that the programs print, against its schema, and every field of every schema seen
# in one.  docs/JSON.md says what the schemas say.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"
need_root
need faketime cc
[ "$TEST_VARIANT" = plain ] || skip "sanitizers do not let another library go first"
/usr/bin/python3 -c 'from jsonschema import Draft202012Validator' 2>/dev/null ||
    skip "needs python3-jsonschema 4"

# ---- everything that a name or a file can be ----

mkdir -p data/sub
printf 'plain\n' >data/plain
printf 'x\n' >data/$'latin-\xe9'
ln -s $'to-\xe9' data/$'link-\xe9'
ln data/$'latin-\xe9' data/sub/$'hard-\xe9'
printf 'esc\n' >data/$'esc\e[31m"\\\n\u2028\x7f'
printf 'deep\n' >data/sub/deep
mknod data/null c 1 3
mkfifo data/pipe
setfattr -n user.comment -v value data/plain 2>/dev/null || skip "needs extended attributes"
touch -d '1969-12-31 23:59:59.5 UTC' data/plain
cp -a data $'src-\xe9'
make_repo repo

n=0
# doc STATUS CMD...: the command must end so, and its document is kept.
doc() {
	n=$((n + 1))
	expect "$@"
	[ -s "$CASE_BASE/stdout" ] || fail "no document: ${*:2}"
	cp "$CASE_BASE/stdout" "doc-$n.json"
}
m() {
	local status=$1 command=$2
	shift 2
	doc "$status" manifest "$command" --json --repo repo --trust key.pub "$@"
}

# ---- backup ----

doc 0 manifest keygen --json $'k-\xe9' --public $'p-\xe9'
doc 0 backup --json --dry-run --source $'src-\xe9'
night() {
	local day=$1 status=$2
	shift 2
	doc "$status" faketime "2026-02-0$day 00:00:05" backup --json --source data --repo repo \
	    --key key "$@"
}
night 1 0 --run-id first
night 1 0 --run-id first
night 2 0 --exclude plain
night 3 0 --keep-last 2
night 4 0 --keep-last 2 --dry-run
cp -r repo $'copy-\xe9'
doc 0 faketime '2026-02-04 00:00:05' backup --json --source $'src-\xe9' --repo $'copy-\xe9' --key key
printf 'changed\n' >>data/$'latin-\xe9'
printf 'changed\n' >>data/sub/deep
rm data/pipe data/null
mknod data/null c 1 5
ln -sfn $'other-\xe9' data/$'link-\xe9'
printf 'new\n' >data/$'new-\xe9'
setfattr -n user.comment -v other data/plain
night 4 0
night 5 0 --series other
doc 1 verify --json --repo repo --trust key.pub --source data \
    "$(basename repo/autolab-backup-20260203*.seal .seal)"
doc 0 verify --json --repo $'copy-\xe9' --trust key.pub --source $'src-\xe9'

# ---- manifest ----

m 0 list
m 0 show --series autolab-backup
m 0 show latest --series other
m 0 ls --series autolab-backup
m 0 ls -R --series autolab-backup
m 0 find '**'
m 0 find --all --name $'*\xe9*'
m 0 find $'latin-\xe9'
m 0 find --sha256 "$(printf 'x\n' | sha256sum | cut -c 1-20)"
m 1 find nothing
m 0 history $'latin-\xe9' --series autolab-backup
m 0 history null
m 0 history $'link-\xe9' --series autolab-backup
m 0 ls $'latin-\xe9' --series autolab-backup
doc 0 manifest show --json --repo $'copy-\xe9' --trust key.pub
doc 0 manifest import --json --repo $'copy-\xe9' --trust key.pub --dry-run
doc 0 verify --json --repo $'copy-\xe9' --trust key.pub
doc 0 restore --json --repo $'copy-\xe9' --trust key.pub --dry-run
doc 0 restore --json --repo $'copy-\xe9' --trust key.pub --drill
m 1 history $'none-\xe9'
m 1 diff previous latest --series autolab-backup
m 1 diff previous latest $'latin-\xe9' --series autolab-backup
m 0 diff latest latest --series autolab-backup
m 0 stats
m 0 stats --series other --top 0
m 0 rebuild

# ---- files that fail, change and grow while they are read ----

cat >between.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
put(const char *path, off_t at, char c)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	(void)!pwrite(fd, &c, 1, at);
	(void)close(fd);
}

ssize_t
pread64(int fd, void *data, size_t len, off_t at)
{
	static int n;
	char link[64], path[4096];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t got = readlink(link, path, sizeof(path) - 1);
	path[got > 0 ? got : 0] = '\0';
	if (strstr(path, "/live/fails") != NULL) {
		errno = EIO;
		return -1;
	}
	got = ((ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread64"))(fd, data, len, at);
	if (strstr(path, "/live/changes") != NULL && at == 0)
		put(path, 0, (char)('a' + n++));
	else if (strstr(path, "/live/grows") != NULL && at == 0)
		put(path, 5, '+');
	return got;
}

/* A seal that is to go stays. */
int
renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	if (strstr(new, ".seal.gone") != NULL) {
		errno = EIO;
		return -1;
	}
	return ((int (*)(int, const char *, int, const char *, unsigned))dlsym(
	    RTLD_NEXT, "renameat2"))(from, old, to, new, flags);
}

ssize_t
pread(int fd, void *data, size_t len, off_t at)
{
	return pread64(fd, data, len, at);
}
C
cc -O1 -shared -fPIC -o between.so between.c -ldl
mkdir live
for f in fails changes grows; do
	printf 'first' >"live/$f"
done
quiet backup --source live --repo repo --key key --series live
printf 'fresh' >live/grows
doc 1 env LD_PRELOAD="$PWD/between.so" backup --json --source live --repo repo --key key --series live
m 0 ls --series live --as-of 2100-01-01
m 0 find --series live --all --name '*s'
m 0 history --series live fails
m 0 history --series live changes
m 0 history --series live grows
doc 1 env LD_PRELOAD="$PWD/between.so" verify --json --repo repo --trust key.pub --series live --source live
torn=$(basename "$(grep -l '^# complete: no' repo/*.seal)" .seal)
m 1 diff previous "$torn"
m 1 diff "$torn" previous
m 0 stats --series live
m 0 list --series live

# ---- holds, pruning, copies, imports ----

first=$(manifest list -0 --repo repo --trust key.pub --series autolab-backup | cut -d '' -f 1)
m 0 hold "$first" --reason $'for caf\xe9'
m 0 show "$first"
m 0 list
m 0 prune --series autolab-backup --keep-last 1 --dry-run
doc 0 manifest prune --json --repo repo --key key --series autolab-backup --keep-last 1
m 0 show --series autolab-backup
m 0 release "$first"
doc 1 env LD_PRELOAD="$PWD/between.so" manifest prune --json --repo repo --key key \
    --series autolab-backup --keep-last 1
doc 1 env LD_PRELOAD="$PWD/between.so" backup --json --source data --repo repo --key key --keep-last 1
mkdir $'dest-\xe9'
m 0 copy --dry-run --new $'dest-\xe9'
m 0 copy --new --progress json $'dest-\xe9'
grep '^{"progress"' "$CASE_BASE/stderr" >doc-progress-copy
m 0 copy $'dest-\xe9'
tar -czf repo/old-20250101_000005.tar.gz data
cp data/plain repo/old-20250102_000005.tar.gz
m 0 list
m 0 stats
i() {
	m "$1" import --key key --series old "${@:2}"
}
i 1 --dry-run
i 1 --progress json --remove-original
grep '^{"progress"' "$CASE_BASE/stderr" >doc-progress-import
i 1
m 0 list
m 0 stats
m 0 rebuild --progress json
grep '^{"progress"' "$CASE_BASE/stderr" >doc-progress-rebuild
doc 0 backup --json --source data --repo repo --key key --keep-daily 2 --progress json
grep '^{"progress"' "$CASE_BASE/stderr" >doc-progress-backup

# ---- verify, restore ----

v() {
	doc "$1" verify --json --repo repo --trust key.pub "${@:2}"
}
r() {
	doc "$1" restore --json --repo repo --trust key.pub --series autolab-backup "${@:2}"
}
v 0 --series autolab-backup --level deep --anchor $'anchor-\xe9' --progress json
grep '^{"progress"' "$CASE_BASE/stderr" >doc-progress-verify
v 0 --series autolab-backup --anchor $'anchor-\xe9'
m 0 show --series autolab-backup
v 1 --all --level quick --max-age 1s
# In turn: one that is larger than the budget, and then all; none was read in another repository.
v 0 --budget 1K
v 1 --oldest 99
mkdir unread
backup_tree data unread
doc 0 manifest list --json --repo unread --trust key.pub
r 0 --dry-run
r 0 --target $'target-\xe9' --progress json
grep '^{"progress"' "$CASE_BASE/stderr" >doc-progress-restore
r 0 --target other $'latin-\xe9'
r 0 --target versions --all-versions $'latin-\xe9'
r 0 --dry-run --all-versions $'latin-\xe9'
mkdir $'scratch-\xe9'
r 0 --drill --scratch $'scratch-\xe9'
doc 0 restore --json --repo repo --trust key.pub --backup "$torn" --target from-live

# From the archive alone: with a seal, and without.
mkdir alone
cp "repo/$torn".* alone
rm alone/*.manifest.gz
doc 0 restore --json --repo alone --trust key.pub --untrusted --backup "$torn" --target from-alone
rm alone/*.seal
doc 0 restore --json --repo alone --untrusted --backup "$torn" --target from-alone

# A target with something in it, and one that a restore was cut short in.
mkdir -p $'live-\xe9/old-\xe9' $'live-\xe9/.tarseal-restore'
chmod 700 $'live-\xe9/.tarseal-restore'
doc 1 restore --status --json --target $'live-\xe9'
printf 'tarseal-restore: 1\nstate: staging\nbackup: %s\nbegan: 2026-02-09T00:00:00Z\nwhole: yes\nroot-time: 0.000000000\n' \
    "$torn" >$'live-\xe9/.tarseal-restore/state'
doc 1 restore --status --json --target $'live-\xe9'
doc 0 restore --json --repo repo --trust key.pub --backup "$torn" --dry-run --target $'live-\xe9'
# Damage in an archive: the file's name is not UTF-8.
last=$(newest repo)
flip "$last.tar.gz" 30
v 1 --series autolab-backup
v 1 --oldest 99
m 0 list
v 1 --series autolab-backup --level deep
r 1 --target damaged
r 1 --drill --scratch $'scratch-\xe9' --check-command false
mkdir dest3 dest4
m 1 copy --series autolab-backup --new dest3
flip "$last.tar.gz" 30
flip "$last.manifest.gz" $(($(stat -c %s "$last.manifest.gz") - 300)) # in the index
v 1 --series autolab-backup
m 1 diff previous latest --series autolab-backup
# Damage in what tells of one large file: a finding with a path.
mkdir big
noise 1500000 1 >big/$'big-\xe9'
quiet backup --source big --repo repo --key key --series big
large=$(echo repo/big-*.seal)
large=${large%.seal}
flip "$large.tar.gz" 700000
v 1 --series big
flip "$large.tar.gz" 700000
part() { tail -c +$(($1 + 1)) "$large.manifest.gz" | head -c "$2" | gzip -dc; }
read -r offset length _ < <(sed -n 's/^# manifest-index: //p' "$large.seal")
read -r offset length < <(part "$offset" "$length" | awk '$2 == "page" { print $3, $4 }')
flip "$large.manifest.gz" $(($(part "$offset" "$length" | awk '$10 > 0 && $2 == "c" { print $9 }') + 20))
v 1 --series big
v 1 --series big --level deep
v 1 --series big --source big
# Somebody else's key, no key, no seal.
make_key other-key
doc 5 verify --json --repo repo --trust other-key.pub --series autolab-backup
doc 5 manifest list --json --repo repo --trust other-key.pub
doc 5 manifest show --json --repo repo --trust other-key.pub "$(basename "$last")"
doc 0 manifest list --json --repo repo
doc 0 manifest show --json --repo repo "$(basename "$last")"
quiet backup --source data --repo repo --unsigned --series unsigned
v 5 --series unsigned
doc 0 verify --json --repo repo --trust key.pub --series unsigned --untrusted
echo 'no seal' >"$last.seal"
m 1 list
v 5
doc 5 manifest copy --json --repo repo --trust key.pub dest4 --new --dry-run

# ---- what a schema does not know is found ----

# must_fail TEXT REPLACEMENT: in a document of ls.
must_fail() {
	sed "s|$1|$2|" listing >changed.json
	if cmp -s listing changed.json; then
		fail "nothing to replace: $1"
	fi
	if "$TESTS/json-check" changed.json 2>/dev/null; then
		fail "this went unseen: $2"
	fi
}
manifest ls --json --repo repo --trust key.pub --series other >listing
"$TESTS/json-check" listing
must_fail '"version": 1,' '"version": 1, "more": 1,'
must_fail '"uid": 0,' '"uid": 0, "more": null,'
must_fail '"uid": 0,' ''
must_fail '"uid": 0,' '"uid": "0",'
must_fail '"uid": 0,' '"uid": 0, "uid": 0,'
must_fail '"version": 1,' '"version": 2,'
must_fail '"type": "file"' '"type": "door"'
must_fail 'tarseal-manifest-ls' 'tarseal-manifest-sl'

# A file whose content and digest disagree under a good signature is made by no program.
path='verify:backups[].findings[].path'
"$TESTS/json-check" --all --unseen "$path" --unseen "${path}_hex" doc-*

# Each kind of finding is named, and each command has its schema, and the page says what the schemas say.
for command in $(manifest --help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	[ -f "$TOP/docs/schema/manifest-$command.json" ] || fail "manifest $command has no schema"
done
perl -0ne 'print $1 // $2, "\n" while /VERIFY_(?:DAMAGE|TRUST|NOTE),\s*"([a-z-]+)"|code = "([a-z-]+)"/g' \
    "$TOP"/verify/*.c | sort -u >codes
[ "$(wc -l <codes)" -gt 20 ] || fail "no codes in verify/"
while read -r code; do
	[ -z "$code" ] || grep -q "[ ,:]${code}[,.]" "$TOP/docs/JSON.md" || echo "$code"
done <codes >undescribed
[ ! -s undescribed ] || fail "findings of verify that docs/schema/verify.json does not name: $(xargs <undescribed)"
"$TOP/tools/json-doc" | diff - "$TOP/docs/JSON.md" || fail "docs/JSON.md: run tools/json-doc >docs/JSON.md"
