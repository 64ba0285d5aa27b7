/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/clear.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/each_name.h"
#include "core/err.h"
#include "restore/move.h"

/*
 * A tree may be deeper than there are descriptors, and its paths longer than a path may be.  So a
 * directory that is not empty is emptied into the top, its subdirectories by a rename, until there
 * is nothing left at the top: one is open at a time, and no way is longer than a name.
 */
struct clear {
	int top;
	const char *path; /* of the top */
	const char *keep; /* a name at the top; or NULL */
	uint64_t number; /* for names at the top */
};

static int
failed(const struct clear *c, const char *name, struct err *e)
{
	(void)err_sys(e, "remove %s", name);
	return err_where(e, "%s", c->path);
}

/* statx: a bind mount of the same file system has the same device. */
static bool
is_mount(int dirfd, const char *name)
{
	struct statx sx;

	return statx(dirfd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &sx) == 0 &&
	    (sx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int
move_up(struct clear *c, int from, const char *name, struct err *e)
{
	char to[32];

	do {
		(void)snprintf(to, sizeof(to), "%" PRIu64, c->number++);
		if (move_name(from, name, c->top, to) == 0)
			return 0;
	} while (errno == EEXIST);
	return failed(c, name, e);
}

/* A file goes; so does an empty directory.  1: it is a directory, and not empty. */
static int
remove_name(const struct clear *c, int dirfd, const char *name, struct err *e)
{
	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* POSIX says EPERM of a directory, Linux EISDIR. */
	if (errno != EISDIR && errno != EPERM)
		return failed(c, name, e);
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0)
		return 0;
	if (errno == ENOTEMPTY || errno == EEXIST)
		return 1;
	if (errno == ENOTDIR)
		errno = EPERM; /* as the first call said: an immutable file, for one */
	return failed(c, name, e);
}

struct inner {
	struct clear *c;
	int fd;
};

static int
empty_one(void *ctx, const char *name, struct err *e)
{
	const struct inner *in = ctx;
	int rc = remove_name(in->c, in->fd, name, e);

	return rc == 1 ? move_up(in->c, in->fd, name, e) : rc;
}

/* Root that may not pass over modes empties what it owns. */
static void
take(int fd)
{
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0)
		return;
	(void)!fchownat(fd, "", geteuid(), (gid_t)-1, AT_EMPTY_PATH);
	(void)fchmod(fd, 0700); /* the calls that follow tell */
}

static int
open_inner(const struct clear *c, const char *name)
{
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(c->top, name, O_RDONLY | flags), way;

	if (fd >= 0 || errno != EACCES)
		return fd;
	if ((way = openat(c->top, name, O_PATH | flags)) < 0)
		return -1;
	(void)!fchownat(way, "", geteuid(), (gid_t)-1, AT_EMPTY_PATH);
	(void)close(way);
	return move_chmod(c->top, name, 0700) == 0 ? openat(c->top, name, O_RDONLY | flags) : -1;
}

/* What is in it goes, or comes to the top. */
static int
empty(struct clear *c, const char *name, struct err *e)
{
	struct inner in = {.c = c};
	int rc;

	if (is_mount(c->top, name)) {
		(void)err_set(e, ERR_SYS, "%s is a mount point", name);
		return err_where(e, "%s", c->path);
	}
	if ((in.fd = open_inner(c, name)) < 0)
		return failed(c, name, e);
	take(in.fd);
	rc = each_name(in.fd, empty_one, &in, e);
	(void)close(in.fd);
	return rc;
}

struct pass {
	struct clear *c;
	uint64_t left; /* names that this pass met, and which are gone or emptied */
};

static int
clear_one(void *ctx, const char *name, struct err *e)
{
	struct pass *p = ctx;
	int rc;

	if (p->c->keep != NULL && strcmp(name, p->c->keep) == 0)
		return 0;
	rc = remove_name(p->c, p->c->top, name, e);
	p->left++;
	return rc == 1 ? empty(p->c, name, e) : rc;
}

int
clear_dir(int fd, const char *path, struct err *e)
{
	return clear_dir_but(fd, path, NULL, e);
}

int
clear_dir_but(int fd, const char *path, const char *keep, struct err *e)
{
	struct clear c = {.top = fd, .path = path, .keep = keep};
	struct pass p = {.c = &c};

	take(fd);
	/* Names that come while they are listed may be missed. */
	do {
		p.left = 0;
		if (each_name(fd, clear_one, &p, e) != 0)
			return -1;
	} while (p.left > 0);
	return 0;
}
