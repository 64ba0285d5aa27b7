/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive/entry.h"
#include "core/beneath.h"
#include "core/err.h"
#include "core/log.h"
#include "core/num.h"
#include "restore/facts.h"
#include "restore/report.h"

#define ACL_DEFAULT "system.posix_acl_default"

/* ---- the directory itself ---- */

static int
check_empty(int fd, struct err *e)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *d;
	DIR *dir;
	int rc = 0;

	if (again < 0 || (dir = fdopendir(again)) == NULL) {
		rc = err_sys(e, "list");
		if (again >= 0)
			(void)close(again);
		return rc;
	}
	errno = 0;
	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
		    strcmp(d->d_name, "lost+found") != 0)
			rc = err_set(e, ERR_SYS,
			    "not empty (there is '%s'); restore into an empty or new directory",
			    d->d_name);
		errno = 0;
	}
	if (rc == 0 && errno != 0)
		rc = err_sys(e, "list");
	(void)closedir(dir);
	return rc;
}

static bool
parent_is_there(const char *dir)
{
	char *copy = strdup(dir);
	bool there = copy != NULL && access(dirname(copy), X_OK) == 0;

	free(copy);
	return there;
}

int
restore_target_check(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0 && errno == ENOENT && parent_is_there(dir))
		return 0;
	if (fd < 0)
		return err_sys(e, "target %s", dir);
	if ((rc = check_empty(fd, e)) != 0)
		(void)err_where(e, "target %s", dir);
	(void)close(fd);
	return rc;
}

/*
 * A default ACL of the target would give its rights to all that is made in it, and chmod(2)
 * would make them effective.
 */
static int
take_acl(struct restore_target *t, struct err *e)
{
	ssize_t n = fgetxattr(t->fd, ACL_DEFAULT, NULL, 0);

	if (n <= 0)
		return 0; /* none, or a file system without */
	if ((t->acl = malloc((size_t)n)) == NULL)
		return err_nomem(e);
	n = fgetxattr(t->fd, ACL_DEFAULT, t->acl, (size_t)n);
	if (n >= 0 && fremovexattr(t->fd, ACL_DEFAULT) == 0) {
		t->acl_len = (size_t)n;
		return 0;
	}
	if (errno != EPERM)
		return err_sys(e, "default ACL of target %s", t->dir);
	log_warn("target %s: its default ACL, which only its owner can take away, goes to what is "
		 "restored",
	    t->dir);
	return 0;
}

static int
give_acl_back(const struct restore_target *t)
{
	return t->acl_len == 0 ? 0 : fsetxattr(t->fd, ACL_DEFAULT, t->acl, t->acl_len, 0);
}

int
restore_target_reopen(const struct restore_target *t, struct err *e)
{
	if (give_acl_back(t) != 0)
		return err_sys(e, "default ACL of target %s", t->dir);
	/* Somebody else's directory was never closed. */
	if (fchmod(t->fd, t->mode) != 0 && errno != EPERM)
		return err_sys(e, "target %s", t->dir);
	return 0;
}

int
restore_target_open(struct restore_target *t, const char *dir, struct err *e)
{
	struct stat st;

	*t = (struct restore_target){.fd = -1, .dir = dir};
	t->made = mkdir(dir, 0700) == 0;
	if (!t->made && errno != EEXIST)
		return err_sys(e, "make target %s", dir);
	t->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->fd < 0 || fstat(t->fd, &st) != 0)
		return err_sys(e, "open target %s", dir);
	t->mode = t->made ? 0755 : st.st_mode & 07777;
	if (!t->made && check_empty(t->fd, e) != 0)
		return err_where(e, "target %s", dir);
	/* Somebody else's directory stays as it is; EROFS and the like show at once. */
	t->closed = fchmod(t->fd, 0700) == 0;
	if (!t->closed && errno != EPERM)
		return err_sys(e, "target %s", dir);
	/* Modes are given in full, by all threads. */
	(void)umask(0);
	return take_acl(t, e);
}

void
restore_target_room(const struct restore_target *t, uint64_t bytes)
{
	char want[16], have[16];
	struct statvfs fs;
	uint64_t room;

	/* A file system that does not say (0 blocks) is believed to have room. */
	if (fstatvfs(t->fd, &fs) != 0 || fs.f_blocks == 0)
		return;
	room = (uint64_t)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
	if (bytes <= room)
		return;
	num_human(bytes, want);
	num_human(room, have);
	log_warn("target %s: %s of files and %s of free space: unless they have holes, they will "
		 "not fit",
	    t->dir, want, have);
}

int
restore_target_sync(const struct restore_target *t, struct err *e)
{
	return syncfs(t->fd) == 0 ? 0 : err_sys(e, "sync target %s", t->dir);
}

void
restore_target_close(struct restore_target *t)
{
	if (t->fd >= 0) {
		(void)give_acl_back(t); /* after a failure: as far as it goes */
		(void)close(t->fd); /* a directory: nothing is written by it */
	}
	t->fd = -1;
	free(t->acl);
	t->acl = NULL;
}

/* ---- directories on the way ---- */

int
restore_parent(
    struct restore_parent *p, const struct restore_target *t, const char *path, const char **base)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);

	*base = slash == NULL ? path : slash + 1;
	if (p->path != NULL && p->len == len && memcmp(p->path, path, len) == 0)
		return p->fd;
	restore_parent_done(p);
	p->fd = beneath_make_parent(t->fd, path, base);
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
first_mode(const struct restore_target *t, const struct entry *en)
{
	bool simple = en->n_xattrs == 0 && en->acl_access == NULL;

	return t->closed && simple ? en->mode & 0777 : 0600;
}

int
restore_make_file(struct restore_parent *p, const struct restore_target *t, const char *path,
    const struct entry *en)
{
	const char *base;
	int dir = restore_parent(p, t, path, &base);

	if (dir < 0)
		return -1;
	return openat(
	    dir, base, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, first_mode(t, en));
}

void
restore_unmake_file(struct restore_parent *p, const struct restore_target *t, const char *path)
{
	const char *base;
	int dir = restore_parent(p, t, path, &base);

	if (dir >= 0)
		(void)unlinkat(dir, base, 0);
}

/* A directory that a child's path has made already is no surprise. */
static int
make_dir(int dir, const char *base)
{
	struct stat st;

	if (mkdirat(dir, base, 0700) == 0)
		return 0;
	if (errno == EEXIST && fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		return 0;
	errno = EEXIST;
	return -1;
}

static int
make_node(int dir, const char *base, const struct entry *en)
{
	dev_t dev = makedev(en->rdev_major, en->rdev_minor);

	switch (en->type) {
	case ENTRY_DIR:
		return make_dir(dir, base);
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
restore_make_other(struct restore_parent *p, const struct restore_target *t, const char *path,
    const struct entry *en, struct restore_report *r, struct err *e)
{
	const char *base;
	int dir;

	if (*path == '\0')
		return 1; /* the target itself */
	dir = restore_parent(p, t, path, &base);
	if (dir < 0 || make_node(dir, base, en) != 0) {
		if (restore_is_fatal(errno, path, e))
			return -1;
		if (errno == EPERM && (en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK))
			restore_lacks(r, RESTORE_DEVICE, path);
		else
			restore_found(
			    r, path, strlen(path), "not restored: %s", restore_why(errno));
		return 0;
	}
	if (en->type == ENTRY_DIR)
		return 1; /* counted with its facts */
	restore_facts_at(dir, base, en, path, r);
	restore_count(r, 0);
	return 1;
}
