/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/drill_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/each_name.h"
#include "core/err.h"
#include "core/log.h"
#include "restore/clear.h"

#define PREFIX "tarseal-drill-"
#define LOCK "lock"
#define NEW_LOCK ".lock"
/* Seconds after which nobody can be about to give a lock its name. */
#define LOCK_OLD 60

/*
 * All but the lock goes under it: by the lock the next run knows what is left when this one cannot
 * go on.  Its own file goes without it: NFS and FUSE keep what is removed while it is open under
 * another name.  By then another drill may be removing the rest as well.
 */
static int
empty(int fd, const char *path, int *lock, struct err *e)
{
	int rc = clear_dir_but(fd, path, LOCK, e);

	if (*lock >= 0)
		(void)close(*lock);
	*lock = -1;
	return rc == 0 ? clear_dir(fd, path, e) : rc;
}

static bool
remove_dir(const struct drill_dir *s, const char *name)
{
	return unlinkat(s->parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* ---- what killed runs left ---- */

/* The lock, or one that was to become it when its run was killed. */
static int
open_lock(int dirfd)
{
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(dirfd, LOCK, flags);
	struct stat st;

	if (fd >= 0 || errno != ENOENT || (fd = openat(dirfd, NEW_LOCK, flags)) < 0)
		return fd;
	if (fstat(fd, &st) == 0 && clock_now().tv_sec - st.st_mtim.tv_sec > LOCK_OLD)
		return fd;
	(void)close(fd);
	return -1;
}

/* A directory of ours whose run is over: its descriptor, with the lock held in *lock; else -1. */
static int
open_left(int parent, const char *name, int *lock)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	*lock = -1;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid())
		*lock = open_lock(fd);
	if (*lock >= 0 && flock(*lock, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (*lock >= 0)
		(void)close(*lock);
	(void)close(fd);
	return -1;
}

static int
remove_left(void *ctx, const char *name, struct err *e)
{
	const struct drill_dir *s = ctx;
	struct err why = {0};
	int fd, lock;

	(void)e;
	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
	    (fd = open_left(s->parent_fd, name, &lock)) < 0)
		return 0;
	if (empty(fd, name, &lock, &why) != 0)
		log_warn("%s/%s, which a drill that was killed left, cannot be removed: %s",
		    s->parent, name, why.msg);
	else if (remove_dir(s, name))
		log_note("%s/%s, which a drill that was killed left, is removed", s->parent, name);
	(void)close(fd);
	return 0;
}

/* ---- ours ---- */

/* Locked before it has the name by which others know it. */
static int
make_lock(struct drill_dir *s, struct err *e)
{
	s->lock_fd =
	    openat(s->fd, NEW_LOCK, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock_fd < 0 || flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0 ||
	    renameat(s->fd, NEW_LOCK, s->fd, LOCK) != 0)
		return err_sys(e, "lock %s", s->path);
	return 0;
}

static int
make_dir(struct drill_dir *s, struct err *e)
{
	if (asprintf(&s->path, "%s/" PREFIX "XXXXXX", s->parent) < 0) {
		s->path = NULL;
		return err_nomem(e);
	}
	if (mkdtemp(s->path) == NULL) {
		(void)err_sys(e, "make a directory in %s", s->parent);
		free(s->path);
		s->path = NULL;
		return -1;
	}
	(void)snprintf(s->name, sizeof(s->name), "%s", strrchr(s->path, '/') + 1);
	s->fd = openat(s->parent_fd, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return s->fd >= 0 ? 0 : err_sys(e, "%s", s->path);
}

int
drill_dir_make(struct drill_dir *s, const char *parent, struct err *e)
{
	*s = (struct drill_dir){.parent = parent, .fd = -1, .lock_fd = -1};
	s->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->parent_fd < 0)
		return err_sys(e, "%s", parent);
	if (each_name(s->parent_fd, remove_left, s, e) != 0)
		return err_where(e, "%s", parent);
	return make_dir(s, e) != 0 ? -1 : make_lock(s, e);
}

int
drill_dir_remove(struct drill_dir *s, struct err *e)
{
	int rc = 0;

	if (s->parent == NULL)
		return 0;
	if (s->fd >= 0)
		rc = empty(s->fd, s->path, &s->lock_fd, e);
	else if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	if (rc == 0 && s->path != NULL && !remove_dir(s, s->name))
		rc = err_sys(e, "remove %s", s->path);
	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->parent_fd >= 0)
		(void)close(s->parent_fd);
	free(s->path);
	*s = (struct drill_dir){0};
	return rc;
}
