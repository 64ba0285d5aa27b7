/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/hash.h"
#include "restore/move.h"
#include "restore/ready.h"
#include "restore/spell.h"
#include "restore/target.h"

static bool
is_newer(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

bool
place_may_replace(enum restore_overwrite o, const struct stat *st, const struct timespec *mtime)
{
	switch (o) {
	case OVERWRITE_IF_NEWER:
		return is_newer(mtime, &st->st_mtim);
	case OVERWRITE_NEVER:
		return false;
	default:
		return true;
	}
}

/* 1: nothing is there, or it may go; 0: it stays; -1 and errno. */
static int
may_replace(struct restore_merge *m, int dir, const char *base, const struct timespec *mtime)
{
	struct stat st;

	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 1 : -1;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	if (!place_may_replace(m->overwrite, &st, mtime)) {
		atomic_fetch_add(&m->kept, 1);
		return 0;
	}
	if (!m->force && ready_is_locked(dir, base)) {
		errno = EBUSY;
		return -1;
	}
	return 1;
}

int
restore_place_begin(struct restore_place *l, struct restore_parent *p,
    const struct restore_target *t, const char *path, const struct timespec *mtime)
{
	struct restore_merge *m = t->merge;
	int rc;

	l->dirfd = restore_parent(p, t, path, &l->base);
	if (l->dirfd < 0 || (t->folds && spell_check(l->dirfd, l->base) != 0))
		return -1;
	if (m == NULL) {
		if (t->again) /* no directory goes; what is made next tells */
			(void)unlinkat(l->dirfd, l->base, 0);
		return 1;
	}
	if ((rc = may_replace(m, l->dirfd, l->base, mtime)) != 1)
		return rc;
	(void)snprintf(l->temp, sizeof(l->temp), "%llu", atomic_fetch_add(&m->number, 1));
	l->dirfd = m->temp_fd;
	l->base = l->temp;
	return 1;
}

static uint64_t
hash_of(const struct stat *st)
{
	const uint64_t id[] = {st->st_dev, st->st_ino};

	return hash_cut(id, sizeof(id));
}

/* Is what has the name now of this restore's own making? */
static bool
is_made(struct restore_merge *m, int dir, const char *base)
{
	struct stat st;
	bool made;

	if (!m->folds || fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	(void)pthread_mutex_lock(&m->lock);
	made = hashes_has(&m->made, hash_of(&st));
	(void)pthread_mutex_unlock(&m->lock);
	return made;
}

/* What is about to get its name.  Where memory lacks, it is as on any other file system. */
static void
note_made(struct restore_merge *m, const char *temp)
{
	struct stat st;

	if (!m->folds || fstatat(m->temp_fd, temp, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	(void)pthread_mutex_lock(&m->lock);
	(void)hashes_add(&m->made, hash_of(&st), NULL);
	(void)pthread_mutex_unlock(&m->lock);
}

/* Gets its name; what had it is gone with that. */
static int
put(struct restore_merge *m, const char *temp, int dir, const char *base)
{
	note_made(m, temp);
	if (move_name(m->temp_fd, temp, dir, base) == 0)
		return 0;
	if (errno == EEXIST && is_made(m, dir, base)) {
		errno = EEXIST;
		return -1;
	}
	if (errno != EEXIST || m->overwrite == OVERWRITE_NEVER) /* it came just now */
		return -1;
	atomic_fetch_add(&m->replaced, 1);
	return renameat(m->temp_fd, temp, dir, base);
}

int
restore_place_end(struct restore_place *l, struct restore_parent *p, const struct restore_target *t,
    const char *path)
{
	const char *base;
	int dir, saved;

	if (t->merge == NULL)
		return 0;
	dir = restore_parent(p, t, path, &base);
	if (dir >= 0 && put(t->merge, l->temp, dir, base) == 0)
		return 0;
	saved = errno;
	(void)unlinkat(t->merge->temp_fd, l->temp, 0);
	errno = saved;
	return -1;
}

void
restore_place_drop(struct restore_place *l, struct restore_parent *p,
    const struct restore_target *t, const char *path)
{
	const char *base;
	int dir;

	if (t->merge != NULL)
		(void)unlinkat(t->merge->temp_fd, l->temp, 0);
	else if ((dir = restore_parent(p, t, path, &base)) >= 0)
		(void)unlinkat(dir, base, 0);
}

static bool
is_dir(int dir, const char *base)
{
	struct stat st;

	return fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int
restore_place_dir(struct restore_parent *p, const struct restore_target *t, const char *path,
    const struct timespec *mtime)
{
	const char *base;
	int dir = restore_parent(p, t, path, &base);

	if (dir < 0)
		return -1;
	if (mkdirat(dir, base, 0700) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	if (t->folds && spell_check(dir, base) != 0)
		return -1;
	/* One that a child's path has made already is no surprise. */
	if (is_dir(dir, base))
		return 0;
	if (t->merge == NULL && t->again && unlinkat(dir, base, 0) == 0)
		return mkdirat(dir, base, 0700);
	if (t->merge != NULL && may_replace(t->merge, dir, base, mtime) == 1) {
		atomic_fetch_add(&t->merge->replaced, 1);
		if (unlinkat(dir, base, 0) == 0)
			return mkdirat(dir, base, 0700);
	}
	errno = EEXIST;
	return -1;
}
