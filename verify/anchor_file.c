/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/io.h"
#include "core/stop.h"
#include "core/within.h"
#include "store/repo.h"
#include "verify/anchor.h"

#define FILE_MAX (4u << 20) /* some thousand series */
#define LOCK_POLL_MS 100

/* ---- where it lies ---- */

static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int
check_outside(const struct verify_anchor *a, const struct repo *r, struct err *e)
{
	int how = within_compare(a->dir_fd, repo_fd(r), e);

	if (how == WITHIN_SAME || how == WITHIN_FIRST_INSIDE)
		return err_set(e, ERR_USAGE,
		    "it lies in the repository, and would be rolled back with it; keep it "
		    "elsewhere");
	return how < 0 ? -1 : 0;
}

/* Through links, as far as there are any; without the file itself, where that is missing. */
static char *
real_path(const char *file, struct err *e)
{
	char *full = realpath(file, NULL), *copy, *dir, *joined = NULL;
	const char *slash = strrchr(file, '/'), *base = slash != NULL ? slash + 1 : file;
	struct stat st;

	if (full != NULL)
		return full;
	if (errno != ENOENT || *base == '\0') {
		(void)err_sys(e, "open");
		return NULL;
	}
	if (lstat(file, &st) == 0) {
		(void)err_set(e, ERR_SYS, "it is a link that leads nowhere");
		return NULL;
	}
	copy = slash != NULL ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
	if (copy == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	if ((dir = realpath(copy, NULL)) == NULL)
		(void)err_sys(e, "its directory");
	else if (asprintf(&joined, "%s/%s", dir, base) < 0) {
		joined = NULL;
		(void)err_nomem(e);
	}
	free(dir);
	free(copy);
	return joined;
}

static int
find_place(struct verify_anchor *a, struct err *e)
{
	char *full = real_path(a->file, e), *slash;
	int rc = -1;

	if (full == NULL)
		return -1;
	slash = strrchr(full, '/');
	*slash = '\0';
	a->dir_fd = open(slash == full ? "/" : full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->dir_fd < 0)
		(void)err_sys(e, "its directory");
	else if ((a->base = strdup(slash + 1)) == NULL ||
	    asprintf(&a->new_name, ".%s.tarseal.new", a->base) < 0) {
		a->new_name = NULL;
		(void)err_nomem(e);
	} else
		rc = 0;
	free(full);
	return rc;
}

/* ---- the lock ---- */

/*
 * The file that will take the anchor's place is the lock too, so that nothing but the
 * anchor stays behind.  Who waited for one that went into place, or was removed
 * meanwhile, has a lock on nothing, and begins again.
 */
static int
try_lock(struct verify_anchor *a, struct err *e)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st, named;
	int fd;

	fd = openat(
	    a->dir_fd, a->new_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "it cannot be written to: make %s beside it", a->new_name);
	if (fcntl(fd, F_OFD_SETLK, &fl) != 0) {
		if (errno == EAGAIN || errno == EACCES)
			(void)err_set(e, ERR_LOCKED, "another verify is using it");
		else
			(void)err_sys(e, "lock %s", a->new_name);
	} else if (fstat(fd, &st) != 0) {
		(void)err_sys(e, "%s", a->new_name);
	} else if (!S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_CORRUPT, "%s is not a regular file", a->new_name);
	} else if (fstatat(a->dir_fd, a->new_name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !same_file(&st, &named)) {
		(void)err_set(e, ERR_LOCKED, "another verify is using it");
	} else {
		a->new_fd = fd;
		return 0;
	}
	(void)close(fd);
	return -1;
}

static int
lock(struct verify_anchor *a, uint64_t wait_seconds, struct err *e)
{
	const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000L};
	uint64_t start = clock_mono_ns();
	struct err why = {0};

	while (try_lock(a, &why) < 0) {
		if (why.kind != ERR_LOCKED ||
		    (clock_mono_ns() - start) / 1000000000 >= wait_seconds)
			return err_pass(e, &why);
		if (stop_check(e) < 0)
			return -1;
		(void)nanosleep(&pause, NULL);
		err_clear(&why);
	}
	return 0;
}

static void
unlock(struct verify_anchor *a, bool in_place)
{
	if (a->new_fd < 0)
		return;
	/* Removed while it is locked: else it could be the next one's. */
	if (!in_place)
		(void)unlinkat(a->dir_fd, a->new_name, 0);
	(void)close(a->new_fd);
	a->new_fd = -1;
}

/* ---- reading and writing ---- */

static int
load(struct verify_anchor *a, struct err *e)
{
	struct buf text = {0};
	struct err why = {0};
	int rc;

	if (io_read_file(a->dir_fd, a->base, FILE_MAX, &text, &why) == 0)
		rc = verify_anchor_parse(a, text.data, text.len, e);
	else if (why.kind == ERR_SYS && why.sys == ENOENT) {
		a->is_new = true;
		rc = 0;
	} else
		rc = err_pass(e, &why);
	buf_done(&text);
	return rc;
}

int
verify_anchor_open(struct verify_anchor *a, const struct verify_anchor_where *where, struct err *e)
{
	*a = (struct verify_anchor){.file = where->file, .dir_fd = -1, .new_fd = -1};
	if (find_place(a, e) == 0 && check_outside(a, where->repo, e) == 0 &&
	    lock(a, where->wait_seconds, e) == 0 && load(a, e) == 0)
		return 0;
	verify_anchor_done(a);
	return err_where(e, "anchor %s", where->file);
}

/* As the old one was, for whoever reads it; a new one is nobody's secret, but its owner's. */
static int
take_access(const struct verify_anchor *a, struct err *e)
{
	struct stat st;

	if (fstatat(a->dir_fd, a->base, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "stat");
	if (geteuid() == 0 && fchown(a->new_fd, st.st_uid, st.st_gid) != 0)
		return err_sys(e, "fchown");
	return fchmod(a->new_fd, st.st_mode & 0666) == 0 ? 0 : err_sys(e, "fchmod");
}

static int
write_new(struct verify_anchor *a, struct err *e)
{
	struct buf text = {0};
	int rc = -1;

	verify_anchor_put(a, &text);
	if (a->failed || text.failed)
		(void)err_nomem(e);
	else if (ftruncate(a->new_fd, 0) != 0)
		(void)err_sys(e, "truncate");
	else if (io_write(a->new_fd, text.data, text.len, e) == 0 && take_access(a, e) == 0 &&
	    io_fsync(a->new_fd, e) == 0)
		rc = 0;
	buf_done(&text);
	return rc;
}

int
verify_anchor_save(struct verify_anchor *a, struct err *e)
{
	bool in_place = false;
	int rc = 0;

	if (a->changed || a->failed) {
		rc = write_new(a, e);
		if (rc == 0 && renameat(a->dir_fd, a->new_name, a->dir_fd, a->base) != 0)
			rc = err_sys(e, "rename");
		in_place = rc == 0;
		if (rc == 0)
			rc = io_fsync(a->dir_fd, e);
	}
	unlock(a, in_place);
	return rc == 0 ? 0 : err_where(e, "anchor %s: it cannot be written", a->file);
}

void
verify_anchor_done(struct verify_anchor *a)
{
	/* All-zero: then it never had descriptors. */
	if (a->new_name != NULL)
		unlock(a, false);
	if (a->dir_fd > 0)
		(void)close(a->dir_fd);
	free(a->base);
	free(a->new_name);
	free(a->lines);
	*a = (struct verify_anchor){.dir_fd = -1, .new_fd = -1};
}
