#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Files that vanish, grow, shrink, change, or fail while they are read: each, small and large, at
# the same moment in each run, by a library that gets between.  What is stored is told, and right.
# shellcheck source=tests/lib.sh
. "$TESTS/lib.sh"

need cc jq
[ "$TEST_VARIANT" = plain ] || skip "sanitizers do not let another library go first"
cat >between.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name of what fd has open, after the last slash; "" for what is not below .../data/. */
static const char *
name_of(int fd, char path[4096])
{
	char link[64];
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, 4095);
	path[n > 0 ? n : 0] = '\0';
	return strstr(path, "/data/") == NULL ? "" : strrchr(path, '/') + 1;
}

static void
change(const char *path, off_t size, char with)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (with == '+')
		(void)!pwrite(fd, "more\n", 5, size);
	else if (with == '-')
		(void)!ftruncate(fd, size / 2);
	else
		(void)!pwrite(fd, &with, 1, 10);
	(void)close(fd);
}

static ssize_t
between(ssize_t (*real)(int, void *, size_t, off_t), int fd, void *data, size_t len, off_t at)
{
	static int seen;
	char path[4096];
	struct stat st;
	const char *name = name_of(fd, path);

	if (fstat(fd, &st) != 0)
		return -1;
	if (strcmp(name, "fails") == 0 && at + (off_t)len > 5000) {
		if (at < 5000)
			return real(fd, data, (size_t)(5000 - at), at);
		errno = EIO;
		return -1;
	}
	if (strcmp(name, "shrinks") == 0 && at == 0 && __sync_fetch_and_add(&seen, 1) == 0)
		change(path, st.st_size, '-');
	ssize_t n = real(fd, data, len, at);
	if (strcmp(name, "grows") == 0 && at == 0)
		change(path, st.st_size, '+');
	if (strcmp(name, "changes") == 0 && at == 0)
		change(path, st.st_size, (char)('a' + __sync_fetch_and_add(&seen, 1) % 26));
	return n;
}

ssize_t
pread(int fd, void *data, size_t len, off_t at)
{
	return between(dlsym(RTLD_NEXT, "pread"), fd, data, len, at);
}

ssize_t
pread64(int fd, void *data, size_t len, off_t at)
{
	return between(dlsym(RTLD_NEXT, "pread64"), fd, data, len, at);
}

static int
open_after(const char *symbol, int dirfd, const char *file, int flags, int mode)
{
	int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, symbol);
	struct stat st;

	if (strcmp(file, "vanishes") == 0)
		(void)unlinkat(dirfd, file, 0);
	if (strcmp(file, "becomes") == 0 && fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && unlinkat(dirfd, file, 0) == 0)
		(void)symlinkat("/etc/passwd", dirfd, file);
	return real(dirfd, file, flags, mode);
}

int
openat(int dirfd, const char *file, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	int mode = va_arg(ap, int);
	va_end(ap);
	return open_after("openat", dirfd, file, flags, mode);
}

int
openat64(int dirfd, const char *file, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	int mode = va_arg(ap, int);
	va_end(ap);
	return open_after("openat64", dirfd, file, flags, mode);
}
C
cc -shared -fPIC -O1 -o between.so between.c -ldl

make_repo repo
# try NAME BYTES [OPTION...]: back up data/NAME, which does what it is called, beside a file that rests.
try() {
	local name=$1 bytes=$2
	shift 2
	echo "-- $name, $bytes bytes $*"
	rm -rf data out first
	mkdir data
	noise "$bytes" 1 >"data/$name"
	echo rests >data/rests
	cp "data/$name" first
	run_sh "LD_PRELOAD=./between.so backup --source data --repo repo --key key --quiet $*"
	archive=$(newest repo)
	sed -n 's/^# \(complete\|changed\): /\1: /p' "$archive.seal"
	zcat "$archive.manifest.gz" | grep -a -A 1 '^#: \|^#!' | cut -d' ' -f1-2 || true
	expect "${WRONG:-0}" verify --repo repo --trust key.pub --level deep "${archive##*/}"
	# What restore says of zeros in place of data is for its own tests.
	quiet restore --repo repo --trust key.pub --backup "${archive##*/}" --target out
	[ "$(cat out/rests)" = rests ] || fail "what rested is not there"
}

for size in 50000 9000000; do
	try vanishes $size
	[ ! -e out/vanishes ] || fail "what vanished is there"
	try becomes $size
	[[ ! -e out/becomes && ! -L out/becomes ]] || fail "what became a link is there"
	try grows $size
	cmp out/grows first
	try shrinks $size
	cmp out/shrinks data/shrinks
	try changes $size
	[ "$(stat -c %s out/changes)" = $size ] || fail "what changed has another size"
	cmp -s -i 11 out/changes first || fail "more changed than did"
	try changes $size --strict-changed
	WRONG=1 try fails $size
	cmp -n 5000 out/fails first
done
