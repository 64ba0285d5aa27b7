/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "archive/entry.h"
#include "core/beneath.h"
#include "core/err.h"
#include "core/path.h"
#include "core/restoring.h"
#include "restore/facts.h"
#include "restore/place.h"
#include "restore/report.h"
#include "restore/spell.h"

/* ---- directories on the way ---- */

bool
restore_is_work(const char *path)
{
	return path_within(path, strlen(path), RESTORING_DIR, strlen(RESTORING_DIR));
}

/* Where "A" is "a", a directory of the one name is not the way to what is in the other. */
static int
make_parent(const struct restore_target *t, const char *path, size_t len, const char **base)
{
	int fd = beneath_make_parent(t->fd, path, base), saved;
	char *dir;

	if (fd < 0 || !t->folds || len == 0)
		return fd;
	dir = strndup(path, len);
	if (dir != NULL && spell_check_path(t->fd, dir) == 0) {
		free(dir);
		return fd;
	}
	saved = errno;
	free(dir);
	(void)close(fd);
	errno = saved;
	return -1;
}

int
restore_parent(
    struct restore_parent *p, const struct restore_target *t, const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);

	*base = slash == NULL ? path : slash + 1;
	if (restore_is_work(path)) {
		errno = EEXIST;
		return -1;
	}
	if (p->path != NULL && p->len == len && memcmp(p->path, path, len) == 0)
		return p->fd;
	restore_parent_done(p);
	p->fd = make_parent(t, path, len, base);
	if (p->fd >= 0 && (p->path = strndup(path, len)) != NULL)
		p->len = len;
	if (p->fd >= 0 && p->path == NULL) {
		(void)close(p->fd);
		p->fd = -1;
		errno = ENOMEM;
	}
	return p->fd;
}

void
restore_parent_done(struct restore_parent *p)
{
	if (p->path != NULL)
		(void)close(p->fd); /* O_PATH */
	free(p->path);
	*p = (struct restore_parent){.fd = -1};
}

/* ---- things ---- */

const char *
restore_why(int error)
{
	switch (error) {
	case EEXIST:
		return "there is something of that name already";
	case EISDIR:
		return "there is a directory of that name";
	case EBUSY:
		return "what is there is locked: stop the application that uses it, or --force";
	case ENOTUNIQ:
		return "there is something whose name is the same here, but for its spelling";
	case ELOOP:
	case ENOTDIR:
	case EXDEV:
		return "the way to it leads through something that is not a directory";
	default:
		return strerror(error);
	}
}

bool
restore_is_fatal(int error, const char *path, struct err *e)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EROFS:
	case EIO:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		errno = error;
		(void)err_sys(e, "write %s", path);
		return true;
	default:
		return false;
	}
}

/*
 * A chmod(2) costs a file system nearly what a write does.  But attributes may need a mode
 * that lets their owner write, and an ACL is there before the group bits that are its mask.
 */
static mode_t
first_mode(const struct entry *en)
{
	return en->n_xattrs == 0 && en->acl_access == NULL ? en->mode & 0777 : 0600;
}

int
restore_make_file(const struct restore_place *l, const struct entry *en)
{
	return openat(
	    l->dirfd, l->base, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, first_mode(en));
}

static int
make_node(int dir, const char *base, const struct entry *en)
{
	dev_t dev = makedev(en->rdev_major, en->rdev_minor);

	switch (en->type) {
	case ENTRY_SYMLINK:
		return symlinkat(en->link, dir, base);
	case ENTRY_FIFO:
		return mknodat(dir, base, S_IFIFO | 0600, 0);
	case ENTRY_CHAR:
		return mknodat(dir, base, S_IFCHR | 0600, dev);
	case ENTRY_BLOCK:
		return mknodat(dir, base, S_IFBLK | 0600, dev);
	default:
		errno = EINVAL;
		return -1;
	}
}

int
restore_not_made(struct restore_report *r, const char *path, struct err *e)
{
	if (restore_is_fatal(errno, path, e))
		return -1;
	restore_lost(r, path, strlen(path), "not restored: %s", restore_why(errno));
	return 0;
}

static int
refused(const struct entry *en, const char *path, struct restore_report *r, struct err *e)
{
	if (errno != EPERM || (en->type != ENTRY_CHAR && en->type != ENTRY_BLOCK))
		return restore_not_made(r, path, e);
	restore_lacks(r, RESTORE_DEVICE, path);
	return 0;
}

int
restore_make_other(struct restore_parent *p, const struct restore_target *t, const char *path,
    const struct entry *en, struct restore_report *r, struct err *e)
{
	const struct timespec mtime = {(time_t)en->mtime_sec, (long)en->mtime_nsec};
	struct restore_place l;
	int rc;

	if (*path == '\0')
		return 1; /* the target itself */
	if (en->type == ENTRY_DIR) /* counted with its facts */
		return restore_place_dir(p, t, path, &mtime) == 0 ? 1 : refused(en, path, r, e);
	if ((rc = restore_place_begin(&l, p, t, path, &mtime)) == 0)
		return 0;
	if (rc < 0 || make_node(l.dirfd, l.base, en) != 0)
		return refused(en, path, r, e);
	restore_facts_at(l.dirfd, l.base, en, path, r);
	if (restore_place_end(&l, p, t, path) != 0)
		return refused(en, path, r, e);
	restore_count(r, 0);
	return 1;
}
