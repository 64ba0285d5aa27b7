/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/stop.h"

/* Search permission on a directory is all that a walk through it needs. */
#define STEP_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static bool
makes_file(int flags)
{
	/* O_TMPFILE holds the bit of O_DIRECTORY. */
	return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

/* openat2(2) refuses what openat(2) lets pass: a mode without use, or with other bits. */
static int
open_at_once(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | O_CLOEXEC),
	    .mode = makes_file(flags) ? mode & 07777 : 0,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd;

	do
		fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	while (fd < 0 && errno == EINTR && stop_signal() == 0);
	return (int)fd;
}

/*
 * With O_DIRECTORY, openat(2) says ENOTDIR of a symlink, where openat2(2) says
 * ELOOP; so do we, because callers tell an attack from an accident by it.
 */
static int
open_one(int dirfd, const char *name, int flags, mode_t mode)
{
	struct stat st;
	int fd;

	do
		fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR && stop_signal() == 0);
	if (fd < 0 && errno == ENOTDIR) {
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
			errno = ELOOP;
		else
			errno = ENOTDIR;
	}
	return fd;
}

static int
close_keeping_errno(int fd)
{
	int saved = errno;

	(void)close(fd);
	errno = saved;
	return -1;
}

/*
 * One component after the other, up to the last '/'.  With make, missing
 * directories are made.  The directory's fd, or -1; *base is what is left.
 */
static int
walk_to_parent(int rootfd, const char *path, const char **base, bool make)
{
	char name[NAME_MAX + 1];
	const char *slash;
	int fd, next;

	if ((fd = openat(rootfd, ".", STEP_FLAGS)) < 0)
		return -1;
	while ((slash = strchr(path, '/')) != NULL) {
		size_t len = (size_t)(slash - path);

		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
			return close_keeping_errno(fd);
		}
		memcpy(name, path, len);
		name[len] = '\0';
		next = open_one(fd, name, STEP_FLAGS, 0);
		if (next < 0 && errno == ENOENT && make &&
		    (mkdirat(fd, name, 0700) == 0 || errno == EEXIST))
			next = open_one(fd, name, STEP_FLAGS, 0);
		(void)close_keeping_errno(fd);
		if (next < 0)
			return -1;
		fd = next;
		path = slash + 1;
	}
	*base = path;
	return fd;
}

/*
 * After a failed openat2: was it the call that failed, not the path?  EPERM comes
 * from seccomp filters of old container engines, EAGAIN when something is renamed
 * at the same time and the kernel cannot be sure.
 */
static bool
must_step(size_t len)
{
	return errno == ENOSYS || errno == E2BIG || errno == EPERM || errno == EAGAIN ||
	    (errno == ENAMETOOLONG && len >= PATH_MAX - 1);
}

static int
open_by_steps(int rootfd, const char *path, int flags, mode_t mode)
{
	const char *base;
	int dirfd = walk_to_parent(rootfd, path, &base, false), fd;

	if (dirfd < 0)
		return -1;
	fd = open_one(dirfd, base, flags, mode);
	(void)close_keeping_errno(dirfd);
	return fd;
}

int
beneath_open(int rootfd, const char *path, int flags, mode_t mode)
{
	int fd;

	if (*path == '\0')
		return openat(rootfd, ".", flags | O_CLOEXEC, mode);
	fd = open_at_once(rootfd, path, flags, mode);
	if (fd < 0 && must_step(strlen(path)))
		fd = open_by_steps(rootfd, path, flags, mode);
	return fd;
}

/* The parent by one call where the kernel can, which is nearly always. */
static int
parent_at_once(int rootfd, const char *path, const char **base)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	int fd;

	if (len >= sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (slash == NULL) {
		*base = path;
		return openat(rootfd, ".", STEP_FLAGS);
	}
	memcpy(dir, path, len);
	dir[len] = '\0';
	fd = open_at_once(rootfd, dir, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0)
		*base = slash + 1;
	return fd;
}

int
beneath_parent(int rootfd, const char *path, const char **base)
{
	int fd = parent_at_once(rootfd, path, base);

	if (fd < 0 && must_step(strlen(path)))
		fd = walk_to_parent(rootfd, path, base, false);
	return fd;
}

int
beneath_make_parent(int rootfd, const char *path, const char **base)
{
	int fd = parent_at_once(rootfd, path, base);

	if (fd < 0 && (errno == ENOENT || must_step(strlen(path))))
		fd = walk_to_parent(rootfd, path, base, true);
	return fd;
}
