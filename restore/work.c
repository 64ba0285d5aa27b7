/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/io.h"
#include "core/restoring.h"
#include "restore/clear.h"

#define STATE_FILE "state"
#define STATE_NEW "state.new"
#define LOCK_FILE "lock"
#define STATE_MAX 4096

static const char *const words[WORK_STATES] = {
    [WORK_NONE] = "none",
    [WORK_STAGING] = "staging",
    [WORK_MERGING] = "merging",
    [WORK_WIPING] = "wiping",
    [WORK_OUT] = "out",
    [WORK_IN] = "in",
    [WORK_DONE] = "done",
};

const char *
work_word(enum work_state s)
{
	return words[s];
}

static int
where(const struct work *w, struct err *e)
{
	return err_where(e, "target %s", w->target);
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* nothing is written by it */
	*fd = -1;
}

void
work_close(struct work *w)
{
	close_fd(&w->new_fd);
	close_fd(&w->old_fd);
	close_fd(&w->lock_fd);
	close_fd(&w->fd);
}

/* ---- the state's file ---- */

/* "key: value\n" at *at, which moves on.  false when it is another line. */
static bool
take_line(char **at, const char *key, char **value)
{
	size_t len = strlen(key);
	char *end = strchr(*at, '\n');

	if (end == NULL || strncmp(*at, key, len) != 0 || strncmp(*at + len, ": ", 2) != 0)
		return false;
	*end = '\0';
	*value = *at + len + 2;
	*at = end + 1;
	return true;
}

/* "-12.000000345": seconds, and nanoseconds after them. */
static bool
parse_time(const char *s, struct timespec *t)
{
	char *end;

	errno = 0;
	t->tv_sec = (time_t)strtoll(s, &end, 10);
	if (end == s || *end != '.' || strspn(end + 1, "0123456789") != 9 || end[10] != '\0')
		return false;
	t->tv_nsec = strtol(end + 1, NULL, 10);
	return errno == 0;
}

static int
parse(struct work *w, char *text, struct err *e)
{
	char *version, *word, *backup, *began, *whole, *root_time;
	struct timespec t;

	if (!take_line(&text, "tarseal-restore", &version) || strcmp(version, "1") != 0 ||
	    !take_line(&text, "state", &word) || !take_line(&text, "backup", &backup) ||
	    !take_line(&text, "began", &began) || !take_line(&text, "whole", &whole) ||
	    !take_line(&text, "root-time", &root_time) || *text != '\0' || !seal_name_ok(backup) ||
	    clock_parse(began, &t, NULL) != 0 || !parse_time(root_time, &w->root_time))
		return err_set(e, ERR_CORRUPT, "is not what a restore of this version writes");
	(void)snprintf(w->backup, sizeof(w->backup), "%s", backup);
	w->began = t.tv_sec;
	w->whole = strcmp(whole, "yes") == 0;
	for (int i = WORK_STAGING; i < WORK_STATES; i++)
		if (strcmp(words[i], word) == 0)
			w->state = (enum work_state)i;
	return w->state != WORK_NONE ? 0 : err_set(e, ERR_CORRUPT, "\"%s\" is no state", word);
}

static int
read_state(struct work *w, struct err *e)
{
	struct buf text = {0};
	struct err why = {0};
	int rc = 0;

	w->state = WORK_NONE;
	if (io_read_file(w->fd, STATE_FILE, STATE_MAX, &text, &why) != 0) {
		w->state = WORK_STAGING;
		rc = why.sys == ENOENT ? 0 : err_pass(e, &why);
	} else if (strlen(buf_str(&text)) != text.len)
		rc = err_set(e, ERR_CORRUPT, "has a NUL in it");
	else
		rc = parse(w, (char *)text.data, e);
	buf_done(&text);
	return rc == 0 ? 0 : err_where(e, "%s/%s/%s", w->target, RESTORING_DIR, STATE_FILE);
}

static int
write_state(const struct work *w, const struct buf *text, struct err *e)
{
	int fd =
	    openat(w->fd, STATE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "make %s", STATE_NEW);
	if (io_write(fd, text->data, text->len, e) != 0 || io_fsync(fd, e) != 0) {
		(void)close(fd);
		return -1;
	}
	if (io_close(&fd, e) != 0)
		return -1;
	if (renameat(w->fd, STATE_NEW, w->fd, STATE_FILE) != 0)
		return err_sys(e, "rename %s", STATE_NEW);
	return io_fsync(w->fd, e);
}

int
work_set(struct work *w, enum work_state s, struct err *e)
{
	struct buf text = {0};
	char began[64];
	int rc;

	clock_rfc3339(w->began, began);
	buf_printf(&text,
	    "tarseal-restore: 1\nstate: %s\nbackup: %s\nbegan: %s\nwhole: %s\n"
	    "root-time: %lld.%09ld\n",
	    words[s], w->backup, began, w->whole ? "yes" : "no", (long long)w->root_time.tv_sec,
	    w->root_time.tv_nsec);
	rc = buf_check(&text, e);
	if (rc == 0 && (rc = write_state(w, &text, e)) != 0)
		(void)err_where(e, "%s/%s", w->target, RESTORING_DIR);
	buf_done(&text);
	if (rc == 0)
		w->state = s;
	return rc;
}

/* ---- the directory ---- */

/* 1: it is locked, and ours; 0: it went while we came; -1. */
static int
lock(struct work *w, struct err *e)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st;

	w->lock_fd = openat(w->fd, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->lock_fd < 0 && errno == ENOENT)
		return 0;
	if (w->lock_fd < 0)
		return err_sys(e, "%s/%s", RESTORING_DIR, LOCK_FILE);
	if (fcntl(w->lock_fd, F_OFD_SETLK, &fl) != 0) {
		if (errno == EAGAIN || errno == EACCES)
			return err_set(e, ERR_LOCKED, "another restore is at work there");
		if (errno != ENOLCK && errno != ENOSYS && errno != EOPNOTSUPP)
			return err_sys(e, "lock %s/%s", RESTORING_DIR, LOCK_FILE);
	}
	return fstat(w->lock_fd, &st) == 0 && st.st_nlink > 0;
}

static void
none(struct work *w, int target_fd, const char *target)
{
	*w = (struct work){.target_fd = target_fd,
	    .target = target,
	    .fd = -1,
	    .lock_fd = -1,
	    .new_fd = -1,
	    .old_fd = -1};
}

static int
open_dir(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * What its state says is done as whoever runs the restore: it has to be of the same user, and of
 * nobody else's making.
 */
static int
check_ours(int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(e, "%s", RESTORING_DIR);
	if (st.st_uid != geteuid())
		return err_set(e, ERR_SYS,
		    "%s belongs to user %u, whose restore it was: let that user --recover it, or "
		    "remove it",
		    RESTORING_DIR, (unsigned)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, ERR_SYS,
		    "others may write in %s, as no restore makes it: remove it", RESTORING_DIR);
	return 0;
}

/* 1: *w has it; 0: there is none; -1. */
static int
open_work(struct work *w, int target_fd, const char *target, struct err *e)
{
	none(w, target_fd, target);
	w->fd = open_dir(target_fd, RESTORING_DIR);
	if (w->fd >= 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	(void)err_sys(e, "%s", RESTORING_DIR);
	return where(w, e);
}

int
work_open(struct work *w, int target_fd, const char *target, struct err *e)
{
	int rc;

	for (;;) {
		if ((rc = open_work(w, target_fd, target, e)) != 1)
			return rc;
		if (check_ours(w->fd, e) != 0 || (rc = lock(w, e)) < 0)
			return where(w, e);
		if (rc == 1)
			return read_state(w, e);
		work_close(w);
	}
}

int
work_look(struct work *w, int target_fd, const char *target, bool *busy, struct err *e)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int rc = open_work(w, target_fd, target, e);

	*busy = false;
	if (rc != 1)
		return rc;
	w->lock_fd = openat(w->fd, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (w->lock_fd >= 0 && fcntl(w->lock_fd, F_OFD_GETLK, &fl) == 0)
		*busy = fl.l_type != F_UNLCK;
	return read_state(w, e);
}

/* What the target passes on to what is made in it must not get into what is restored. */
static int
drop_acls(int fd, struct err *e)
{
	static const char *const names[] = {"system.posix_acl_default", "system.posix_acl_access"};

	for (size_t i = 0; i < 2; i++)
		if (fremovexattr(fd, names[i]) != 0 && errno != ENODATA && errno != EOPNOTSUPP)
			return err_sys(e, "remove %s", names[i]);
	return 0;
}

/* A directory of ours: *fd, unless it is open already. */
static int
make_dir(int dirfd, const char *name, int *fd, struct err *e)
{
	if (*fd >= 0)
		return 0;
	if (mkdirat(dirfd, name, 0700) != 0 && errno != EEXIST)
		return err_sys(e, "make %s", name);
	if ((*fd = open_dir(dirfd, name)) < 0)
		return err_sys(e, "%s", name);
	if (drop_acls(*fd, e) != 0)
		return err_where(e, "%s", name);
	/* FAT has no modes. */
	return fchmod(*fd, 0700) == 0 || errno == EPERM ? 0 : err_sys(e, "%s", name);
}

int
work_begin(struct work *w, enum work_state s, const char *backup, struct err *e)
{
	struct stat st;
	int rc = fstat(w->target_fd, &st);

	if (rc != 0)
		return err_sys(e, "target %s", w->target);
	w->root_time = st.st_mtim;
	rc = make_dir(w->target_fd, RESTORING_DIR, &w->fd, e);
	if (rc == 0)
		rc = check_ours(w->fd, e);
	if (rc == 0 && w->lock_fd < 0 && (rc = lock(w, e)) == 0)
		rc = err_set(e, ERR_LOCKED, "another restore came first");
	if (rc < 0)
		return where(w, e);
	(void)snprintf(w->backup, sizeof(w->backup), "%s", backup);
	w->began = clock_now().tv_sec;
	if (work_set(w, s, e) != 0)
		return -1;
	return io_fsync(w->target_fd, e) == 0 ? 0 : where(w, e);
}

static int
open_inner(struct work *w, const char *name, int *fd, struct err *e)
{
	if (make_dir(w->fd, name, fd, e) == 0)
		return 0;
	return err_where(e, "%s/%s", w->target, RESTORING_DIR);
}

int
work_open_new(struct work *w, struct err *e)
{
	return open_inner(w, "new", &w->new_fd, e);
}

int
work_open_old(struct work *w, struct err *e)
{
	return open_inner(w, "old", &w->old_fd, e);
}

/* ---- the end ---- */

static int
remove_inner(struct work *w, const char *name, int *fd, struct err *e)
{
	if (*fd < 0)
		*fd = open_dir(w->fd, name);
	if (*fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", name);
	if (clear_dir(*fd, name, e) != 0)
		return -1;
	close_fd(fd);
	return unlinkat(w->fd, name, AT_REMOVEDIR) == 0 ? 0 : err_sys(e, "remove %s", name);
}

int
work_clear(struct work *w, struct err *e)
{
	if (remove_inner(w, "new", &w->new_fd, e) == 0 &&
	    remove_inner(w, "old", &w->old_fd, e) == 0)
		return 0;
	return err_where(e, "%s/%s", w->target, RESTORING_DIR);
}

/*
 * NFS and FUSE keep a file that is removed while it is open under another name in its directory,
 * until it is closed; and FUSE goes on before that is done.  So the lock is held as long as its
 * name is there, and then is in the way.
 */
static int
remove_dir(struct work *w)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	for (int tries = 0; unlinkat(w->target_fd, RESTORING_DIR, AT_REMOVEDIR) != 0; tries++) {
		if ((errno != ENOTEMPTY && errno != EEXIST) || tries == 20)
			return -1;
		close_fd(&w->lock_fd);
		if (tries > 0)
			(void)nanosleep(&pause, NULL);
	}
	return 0;
}

int
work_end(struct work *w, struct err *e)
{
	static const char *const files[] = {STATE_NEW, STATE_FILE, LOCK_FILE};

	for (size_t i = 0; i < 3; i++)
		if (unlinkat(w->fd, files[i], 0) != 0 && errno != ENOENT) {
			(void)err_sys(e, "remove %s", files[i]);
			return err_where(e, "%s/%s", w->target, RESTORING_DIR);
		}
	if (remove_dir(w) != 0) {
		(void)err_sys(e, "remove %s", RESTORING_DIR);
		return where(w, e);
	}
	work_close(w);
	w->state = WORK_NONE;
	return 0;
}
