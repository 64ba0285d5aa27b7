/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/repo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/each_name.h"
#include "core/io.h"
#include "core/stop.h"
#include "store/priv.h"

#define LOCK_POLL_MS 200

int
repo_open(struct repo **out, const char *dir, struct err *e)
{
	struct repo *r = calloc(1, sizeof(*r));

	if (r == NULL || (r->dir = strdup(dir)) == NULL) {
		free(r);
		return err_nomem(e);
	}
	r->lock_fd = -1;
	r->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->fd >= 0) {
		*out = r;
		return 0;
	}
	if (errno == ENOENT)
		(void)err_set(e, ERR_SYS, "repository %s: no such directory", dir);
	else if (errno == ENOTDIR)
		(void)err_set(e, ERR_SYS, "repository %s: is not a directory", dir);
	else
		(void)err_sys(e, "repository %s", dir);
	repo_close(r);
	return -1;
}

void
repo_close(struct repo *r)
{
	if (r == NULL)
		return;
	/* Nothing was written through these two; closing the second gives the lock back. */
	if (r->fd >= 0)
		(void)close(r->fd);
	repo_unlock(r);
	free(r->dir);
	free(r);
}

const char *
repo_dir(const struct repo *r)
{
	return r->dir;
}

int
repo_fd(const struct repo *r)
{
	return r->fd;
}

bool
repo_writable(const struct repo *r)
{
	return faccessat(r->fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

static int
lock_busy(uint64_t waited, struct err *e)
{
	if (waited == 0)
		return err_set(e, ERR_LOCKED, "another run holds the lock");
	return err_set(e, ERR_LOCKED, "another run still holds the lock, after %llu s",
	    (unsigned long long)waited);
}

/*
 * The kernel's lock on an open file goes with the last process that has it open:
 * nobody ever needs to decide whether a lock is stale.  OFD and not POSIX locks,
 * because those are lost when any descriptor of the file is closed.  There is no
 * wait with a limit, so a waiter asks again and again.
 */
static int
lock_wait(int fd, uint64_t wait_seconds, struct err *e)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
	uint64_t start = clock_mono_ns();

	while (fcntl(fd, F_OFD_SETLK, &fl) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EACCES)
			return err_sys(e, REPO_LOCK);
		if ((clock_mono_ns() - start) / 1000000000 >= wait_seconds)
			return lock_busy(wait_seconds, e);
		if (stop_check(e) < 0)
			return -1;
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

/* Who may, of the file if it is there, else of the directory. */
static int
no_right(const struct repo *r, const char *file, struct err *e)
{
	struct stat st;
	bool is_file = fstatat(r->fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;

	if (!is_file && fstat(r->fd, &st) != 0)
		return err_sys(e, "fstat");
	return err_set(e, ERR_SYS,
	    "%s%suser %u may not write to it: it belongs to user %u, group %u, and its mode is "
	    "%04o",
	    is_file ? file : "", is_file ? ": " : "", (unsigned)geteuid(), (unsigned)st.st_uid,
	    (unsigned)st.st_gid, (unsigned)st.st_mode & 07777);
}

int
repo_make_error(const struct repo *r, const char *file, struct err *e)
{
	uint64_t bytes, inodes;
	int why = errno;

	if (why == EACCES)
		(void)no_right(r, file, e);
	else if (why == ENOSPC && repo_free_space(r, &bytes, &inodes, NULL) == 0 && inodes == 0)
		(void)err_set(
		    e, ERR_SYS, "%s: no inode is free to make another file (df -i tells)", file);
	else {
		errno = why;
		(void)err_sys(e, "%s", why == EROFS ? "cannot be written to" : file);
	}
	if (e != NULL)
		e->sys = why;
	return err_where(e, "repository %s", r->dir);
}

/*
 * Whoever may make files in the directory may take the lock.  Else a verify by root
 * would lock out, for ever, the backup that runs as somebody else.
 */
static void
share_lock(const struct repo *r, int fd)
{
	struct stat dir;

	if (fstat(r->fd, &dir) != 0)
		return;
	if (geteuid() == 0)
		(void)!fchown(fd, dir.st_uid, dir.st_gid);
	(void)fchmod(fd, 0600 | (dir.st_mode & 066));
}

static int
open_lock(const struct repo *r, struct err *e)
{
	/* O_NONBLOCK: a fifo under that name may not hang us. */
	const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(r->fd, REPO_LOCK, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd >= 0 ? fd : repo_make_error(r, REPO_LOCK, e);
	fd = openat(r->fd, REPO_LOCK, flags | O_CREAT | O_EXCL, 0600);
	if (fd >= 0)
		share_lock(r, fd);
	else if (errno == EEXIST) /* somebody else's, just now */
		fd = openat(r->fd, REPO_LOCK, flags);
	return fd >= 0 ? fd : repo_make_error(r, REPO_LOCK, e);
}

int
repo_lock(struct repo *r, uint64_t wait_seconds, struct err *e)
{
	struct stat st;
	int fd;

	if (r->lock_fd >= 0)
		return 0;
	if ((fd = open_lock(r, e)) < 0)
		return -1;
	if (fstat(fd, &st) != 0)
		(void)err_sys(e, REPO_LOCK);
	else if (!S_ISREG(st.st_mode))
		(void)err_set(e, ERR_CORRUPT, REPO_LOCK " is not a regular file");
	else if (lock_wait(fd, wait_seconds, e) == 0) {
		r->lock_fd = fd;
		return 0;
	}
	(void)close(fd);
	return err_where(e, "repository %s", r->dir);
}

void
repo_unlock(struct repo *r)
{
	if (r->lock_fd >= 0)
		(void)close(r->lock_fd);
	r->lock_fd = -1;
}

int
repo_need_lock(const struct repo *r, struct err *e)
{
	return r->lock_fd >= 0 ? 0 : err_set(e, ERR_LOCKED, "the lock is not held");
}

int
repo_sync(const struct repo *r, struct err *e)
{
	if (io_fsync(r->fd, e) < 0)
		return err_where(e, "repository %s", r->dir);
	return 0;
}

static int
not_regular(const char *file, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "%s: is not a regular file", file);
}

static int
part_error(const char *file, struct err *e)
{
	if (errno == ENOENT)
		return err_set(e, ERR_NOTFOUND, "%s: is missing", file);
	if (errno == ELOOP || errno == ENXIO)
		return not_regular(file, e);
	return err_sys(e, "%s", file);
}

int
repo_open_part(const struct repo *r, enum repo_part part, const char *name, struct err *e)
{
	char file[REPO_FILE_MAX];
	struct stat st;
	int fd;

	if (!seal_name_ok(name))
		return err_set(e, ERR_NOTFOUND, "%s: is not a backup's name", name);
	repo_final_name(part, name, file);
	fd = openat(r->fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return part_error(file, e);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	(void)close(fd);
	return not_regular(file, e);
}

int
repo_stat_part(
    const struct repo *r, enum repo_part part, const char *name, uint64_t *size, struct err *e)
{
	char file[REPO_FILE_MAX];
	struct stat st;

	if (!seal_name_ok(name))
		return err_set(e, ERR_NOTFOUND, "%s: is not a backup's name", name);
	repo_final_name(part, name, file);
	if (fstatat(r->fd, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return part_error(file, e);
	if (!S_ISREG(st.st_mode))
		return not_regular(file, e);
	*size = (uint64_t)st.st_size;
	return 0;
}

int
repo_look(const struct repo *r, const char *file, struct stat *st, struct err *e)
{
	if (fstatat(r->fd, file, st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s/%s", r->dir, file);
	if (S_ISREG(st->st_mode))
		return 1;
	return err_set(e, ERR_CORRUPT, "%s/%s: is not a regular file", r->dir, file);
}

int
repo_part_path(
    const struct repo *r, enum repo_part part, const char *name, struct buf *out, struct err *e)
{
	size_t len = strlen(r->dir);

	buf_clear(out);
	buf_puts(out, r->dir);
	if (len > 0 && r->dir[len - 1] != '/')
		buf_putc(out, '/');
	repo_part_name(part, name, out);
	(void)buf_str(out);
	return buf_check(out, e);
}

int
repo_free_space(const struct repo *r, uint64_t *bytes, uint64_t *inodes, struct err *e)
{
	struct statvfs v;

	if (fstatvfs(r->fd, &v) != 0)
		return err_sys(e, "repository %s: statvfs", r->dir);
	if (__builtin_mul_overflow((uint64_t)v.f_bavail, (uint64_t)v.f_frsize, bytes))
		*bytes = UINT64_MAX;
	/* btrfs and others make inodes as they need them, and count none. */
	*inodes = v.f_files == 0 ? UINT64_MAX : (uint64_t)v.f_favail;
	return 0;
}

int
repo_each_name(const struct repo *r, int (*fn)(void *ctx, const char *file, struct err *e),
    void *ctx, struct err *e)
{
	int rc = each_name(r->fd, fn, ctx, e);

	return rc < 0 ? err_where(e, "repository %s", r->dir) : rc;
}

/* Is any file there that a backup of this name would make, or that would speak of it? */
static int
name_taken(const struct repo *r, const char *name, bool *taken, struct err *e)
{
	char files[2 * REPO_PARTS + 2][REPO_FILE_MAX];
	struct stat st;

	for (int part = 0; part < REPO_PARTS; part++) {
		repo_final_name((enum repo_part)part, name, files[2 * part]);
		repo_new_name((enum repo_part)part, name, files[2 * part + 1]);
	}
	repo_gone_name(name, files[2 * REPO_PARTS]);
	repo_hold_name(name, files[2 * REPO_PARTS + 1]);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (fstatat(r->fd, files[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
			*taken = true;
			return 0;
		}
		if (errno != ENOENT)
			return err_sys(e, "%s", files[i]);
	}
	*taken = false;
	return 0;
}

int
repo_free_name(const struct repo *r, const char *series, time_t now, char out[SEAL_NAME_MAX + 1],
    struct err *e)
{
	char stamp[32], name[SEAL_NAME_MAX + 64];
	bool taken;

	if (!seal_name_ok(series))
		return err_set(e, ERR_USAGE, "\"%s\" cannot be the name of a series", series);
	clock_stamp(now, stamp);
	for (unsigned n = 1;; n++) {
		if (n == 1)
			(void)snprintf(name, sizeof(name), "%s-%s", series, stamp);
		else
			(void)snprintf(name, sizeof(name), "%s-%s-%u", series, stamp, n);
		if (!seal_name_ok(name))
			return err_set(e, ERR_USAGE, "the name of series %s is too long", series);
		if (name_taken(r, name, &taken, e) < 0)
			return -1;
		if (!taken)
			break;
	}
	(void)strcpy(out, name);
	return 0;
}
