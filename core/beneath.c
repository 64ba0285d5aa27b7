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

/* Search permission on a directory is all that a walk through it needs. */
#define STEP_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int
open_at_once(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
	    .flags = (unsigned)(flags | O_CLOEXEC),
	    .mode = (flags & (O_CREAT | O_TMPFILE)) ? mode : 0,
	    .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};
	long fd;

	/* EAGAIN: something was renamed meanwhile, and the kernel cannot be sure. */
	do
		fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	return (int)fd;
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
			(void)close(fd);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path, len);
		name[len] = '\0';
		next = openat(fd, name, STEP_FLAGS);
		if (next < 0 && errno == ENOENT && make &&
		    (mkdirat(fd, name, 0700) == 0 || errno == EEXIST))
			next = openat(fd, name, STEP_FLAGS);
		(void)close(fd); /* O_PATH: errno survives a close that succeeds */
		if (next < 0)
			return -1;
		fd = next;
		path = slash + 1;
	}
	*base = path;
	return fd;
}

/* The descriptor that callers get can be read, synced, and used with *at calls. */
static int
open_last(int dirfd, const char *name, int flags, mode_t mode)
{
	int fd = openat(dirfd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	int saved = errno;

	(void)close(dirfd);
	errno = saved;
	return fd;
}

/*
 * After a failed openat2: was it the call that failed, not the path?  EPERM comes
 * from seccomp filters of old container engines.
 */
static bool
must_step(size_t len)
{
	return errno == ENOSYS || errno == E2BIG || errno == EPERM ||
	    (errno == ENAMETOOLONG && len >= PATH_MAX - 1);
}

static int
open_by_steps(int rootfd, const char *path, int flags, mode_t mode)
{
	const char *base;
	int dirfd = walk_to_parent(rootfd, path, &base, false);

	return dirfd < 0 ? -1 : open_last(dirfd, base, flags, mode);
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
