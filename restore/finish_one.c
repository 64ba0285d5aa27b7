/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/finish_one.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/beneath.h"
#include "core/err.h"
#include "restore/dirs.h"
#include "restore/extract.h"
#include "restore/facts.h"
#include "restore/place.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/spell.h"

/* Already names of one file: nothing to do, and nothing that a rename would do. */
static bool
same_file(int dir, const char *base, const struct stat *st)
{
	struct stat there;

	return fstatat(dir, base, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_dev == st->st_dev &&
	    there.st_ino == st->st_ino;
}

/* 1: path is a name of what from_base is in from; 0: what is there stays; -1 and errno. */
static int
make_link(struct restore_finish_one *f, const char *path, int from, const char *from_base)
{
	const struct restore_target *t = f->ctx->target;
	struct restore_place l;
	const char *base;
	struct stat st;
	int dir, rc;

	if (fstatat(from, from_base, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    (dir = restore_parent(&f->parent, t, path, &base)) < 0)
		return -1;
	if (t->folds && spell_check(dir, base) != 0)
		return -1;
	if (t->merge != NULL && same_file(dir, base, &st))
		return 1;
	if ((rc = restore_place_begin(&l, &f->parent, t, path, &st.st_mtim)) != 1)
		return rc;
	if (linkat(from, from_base, l.dirfd, l.base, 0) != 0)
		return -1;
	return restore_place_end(&l, &f->parent, t, path) == 0 ? 1 : -1;
}

int
restore_finish_link(struct restore_finish_one *f, const char *path, const char *link, struct err *e)
{
	const struct restore_job_ctx *ctx = f->ctx;
	const char *target = restore_select_place(ctx->select, link, strlen(link), false);
	const char *from_base;
	int from, rc;

	if (target == NULL || strcmp(target, path) == 0)
		return 0; /* it is the file itself, under this name */
	if (restore_is_work(target) ||
	    (from = beneath_parent(ctx->target->fd, target, &from_base)) < 0) {
		restore_lost(ctx->report, path, strlen(path),
		    "not restored: nor is %s, which it is a name of", target);
		return 0;
	}
	rc = make_link(f, path, from, from_base);
	if (rc == 1)
		restore_count(ctx->report, 0);
	else if (rc < 0 && restore_is_fatal(errno, path, e))
		rc = -2;
	else if (rc < 0)
		restore_lost(ctx->report, path, strlen(path), "not restored as a name of %s: %s",
		    target, restore_why(errno));
	(void)close(from);
	return rc == -2 ? -1 : 0;
}

/*
 * Where the archive is damaged and the manifest is not, a directory may be missing
 * still: its line is all that it takes.
 */
static int
open_dir(const struct restore_job_ctx *ctx, const char *path)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
	const char *base;
	int fd, dir;

	if (restore_is_work(path)) {
		errno = EEXIST;
		return -1;
	}
	if (ctx->target->folds && spell_check_path(ctx->target->fd, path) != 0)
		return -1;
	fd = beneath_open(ctx->target->fd, path, flags, 0);
	if (fd >= 0 || errno != ENOENT)
		return fd;
	if ((dir = beneath_make_parent(ctx->target->fd, path, &base)) < 0)
		return -1;
	(void)mkdirat(dir, base, 0700); /* the open tells */
	(void)close(dir);
	return beneath_open(ctx->target->fd, path, flags, 0);
}

void
restore_finish_dir(struct restore_finish_one *f, const struct restore_dir *d, const char *place)
{
	const struct restore_job_ctx *ctx = f->ctx;
	const struct entry *en = &d->en;
	int fd = open_dir(ctx, place);

	if (fd < 0) {
		restore_lost(
		    ctx->report, place, strlen(place), "not restored: %s", restore_why(errno));
		return;
	}
	if (d->lost)
		restore_found(ctx->report, place, strlen(place),
		    "its attributes and ACLs are not restored: the archive is damaged there");
	restore_facts_fd(fd, en, place, ctx->report);
	restore_count(ctx->report, 0);
	(void)close(fd);
}
