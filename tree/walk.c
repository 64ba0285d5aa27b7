/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/restoring.h"
#include "core/stop.h"
#include "tree/exclude.h"
#include "tree/names.h"

struct level {
	int fd;
	struct names names;
	size_t next; /* name to come */
	size_t path_len; /* of this directory, in walk.path */
	uint64_t dev, ino;
};

struct walk {
	int rootfd;
	const struct walk_opts *opts;
	bool started;
	uint64_t root_dev;
	struct buf path;
	struct buf link;
	struct level *levels; /* those from depth on are empty, but keep their buffers */
	size_t depth, cap;
	size_t depth_max;
	/* A note on the directory that came last, to be given before its contents. */
	bool has_note;
	int note_errno; /* 0: it stands in note_text */
	const char *note_text;
	char reason[128];
};

/*
 * A level takes a descriptor.  Whoever makes directories deep enough could otherwise take
 * the last one, and then other files, read at the time, would be the ones that fail.
 */
static size_t
levels_allowed(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) != 0 || rl.rlim_cur > SIZE_MAX)
		return SIZE_MAX;
	return (size_t)rl.rlim_cur / 2;
}

/* Want of descriptors or memory fails the walk; any other trouble is the entry's, to be noted. */
static int
check_shortage(const char *path, int error, struct err *e)
{
	if (!err_is_shortage(error))
		return 0;
	errno = error;
	return err_sys(e, "source: %s", path);
}

int
walk_new(struct walk **out, int rootfd, const struct walk_opts *opts, struct err *e)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_nomem(e);
	w->rootfd = rootfd;
	w->opts = opts;
	w->depth_max = levels_allowed();
	*out = w;
	return 0;
}

void
walk_free(struct walk *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->cap; i++) {
		if (i < w->depth)
			(void)close(w->levels[i].fd);
		names_done(&w->levels[i].names);
	}
	free(w->levels);
	buf_done(&w->path);
	buf_done(&w->link);
	free(w);
}

static const char *
reason_of(struct walk *w, int error)
{
	/* The C locale's text, whatever the user's language: it goes into the manifest. */
	const char *text = strerrordesc_np(error);

	if (text != NULL)
		return text;
	(void)snprintf(w->reason, sizeof(w->reason), "error %d", error);
	return w->reason;
}

static void
set_item(struct walk *w, struct walk_item *item, enum walk_kind kind)
{
	item->kind = kind;
	item->path = buf_str(&w->path);
	item->path_len = w->path.len;
}

/* ---- directories ---- */

static int
push(struct walk *w, int fd, const struct facts *f, struct err *e)
{
	if (w->depth == w->cap) {
		size_t cap = w->cap == 0 ? 16 : w->cap * 2;
		struct level *grown = realloc(w->levels, cap * sizeof(*grown));
		if (grown == NULL)
			return err_nomem(e);
		memset(grown + w->cap, 0, (cap - w->cap) * sizeof(*grown));
		w->levels = grown;
		w->cap = cap;
	}
	struct level *l = &w->levels[w->depth];
	int rc = names_read(&l->names, fd, e);
	if (rc < 0)
		return -1;
	if (rc > 0) {
		if (check_shortage(buf_str(&w->path), errno, e) != 0)
			return -1;
		w->has_note = true;
		w->note_errno = errno;
	}
	l->fd = fd;
	l->next = 0;
	l->path_len = w->path.len;
	l->dev = f->dev;
	l->ino = f->ino;
	w->depth++;
	return 0;
}

static void
pop(struct walk *w)
{
	struct level *l = &w->levels[--w->depth];

	(void)close(l->fd);
	l->fd = -1;
	names_clear(&l->names);
}

/*
 * Only a file system that lies has a directory below itself; but FUSE lets anybody
 * write one.
 */
static bool
is_loop(const struct walk *w, const struct facts *f)
{
	for (size_t i = 0; i < w->depth; i++) {
		if (w->levels[i].ino == f->ino && w->levels[i].dev == f->dev)
			return true;
	}
	return false;
}

static int
open_dir(int dirfd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = openat(dirfd, name, flags | O_NOATIME);

	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, name, flags);
	return fd;
}

static bool
may_enter(struct walk *w, const struct facts *f)
{
	if (w->opts->one_file_system && f->dev != w->root_dev)
		return false;
	if (is_loop(w, f)) {
		w->has_note = true;
		w->note_errno = 0;
		w->note_text = "a directory that holds itself";
		return false;
	}
	if (w->depth >= w->depth_max) {
		w->has_note = true;
		w->note_errno = 0;
		w->note_text = "too deep for the limit on open files (ulimit -n)";
		return false;
	}
	return true;
}

/*
 * A directory's entry, and its names for the calls to come.  Its facts are
 * those of the descriptor that is listed: another directory may have taken
 * the name since lstat, and a mount point gives its own facts only when opened.
 */
static int
enter(struct walk *w, struct walk_item *item, struct err *e)
{
	struct stat st;
	int rc = -1;

	int fd = open_dir(item->dirfd, item->name);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) {
		item->kind = WALK_VANISHED;
		return 1;
	}
	if (fd < 0 || fstat(fd, &st) != 0) {
		if (check_shortage(item->path, errno, e) != 0)
			goto out;
		w->has_note = true;
		w->note_errno = errno;
		rc = 1;
		goto out;
	}
	facts_from(&item->facts, &st);
	if (w->opts->has_forbidden && item->facts.dev == w->opts->forbidden_dev &&
	    item->facts.ino == w->opts->forbidden_ino) {
		(void)err_set(
		    e, ERR_USAGE, "%s is the repository: keep it outside the source", item->path);
		goto out;
	}
	rc = 1;
	if (may_enter(w, &item->facts)) {
		rc = push(w, fd, &item->facts, e) == 0 ? 1 : -1;
		if (rc == 1)
			fd = -1;
	}
out:
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

static int
start(struct walk *w, struct walk_item *item, struct err *e)
{
	struct stat st;

	w->started = true;
	int fd = open_dir(w->rootfd, ".");
	if (fd < 0)
		return err_sys(e, "the source cannot be listed");
	if (fstat(fd, &st) != 0) {
		(void)err_sys(e, "fstat");
		(void)close(fd);
		return -1;
	}
	facts_from(&item->facts, &st);
	w->root_dev = item->facts.dev;
	if (push(w, fd, &item->facts, e) != 0) {
		(void)close(fd);
		return -1;
	}
	set_item(w, item, WALK_ENTRY);
	item->dirfd = w->rootfd;
	item->name = ".";
	return 1;
}

/* ---- entries ---- */

static int
read_link(struct walk *w, struct walk_item *item, struct err *e)
{
	buf_clear(&w->link);
	char *to = buf_reserve(&w->link, PATH_MAX);
	if (to == NULL)
		return err_nomem(e);
	ssize_t n = readlinkat(item->dirfd, item->name, to, PATH_MAX - 1);
	if (n < 0 && (errno == ENOENT || errno == EINVAL)) {
		item->kind = WALK_VANISHED;
		return 1;
	}
	if (n < 0) {
		if (check_shortage(item->path, errno, e) != 0)
			return -1;
		item->kind = WALK_UNREADABLE;
		item->reason = reason_of(w, errno);
		return 1;
	}
	w->link.len = (size_t)n;
	item->link = buf_str(&w->link);
	item->link_len = w->link.len;
	return 1;
}

/* lost+found of a mounted ext4 is root's, and never the user's data. */
static bool
is_lost_and_found(const struct walk *w, const char *name, mode_t mode)
{
	return w->depth == 1 && S_ISDIR(mode) && strcmp(name, "lost+found") == 0;
}

/* 1: an item; 0: nothing to tell, go on; -1. */
static int
look_at(struct walk *w, struct walk_item *item, struct err *e)
{
	struct stat st;

	if (fstatat(item->dirfd, item->name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
		if (check_shortage(item->path, errno, e) != 0)
			return -1;
		item->kind = errno == ENOENT ? WALK_VANISHED : WALK_UNREADABLE;
		item->reason = reason_of(w, errno);
		return 1;
	}
	if (is_lost_and_found(w, item->name, st.st_mode))
		return 0;
	facts_from(&item->facts, &st);
	if (S_ISSOCK(st.st_mode)) {
		item->kind = WALK_SKIPPED;
		item->reason = "a socket";
		return 1;
	}
	if (S_ISLNK(st.st_mode))
		return read_link(w, item, e);
	if (!S_ISDIR(st.st_mode))
		return 1;
	if (w->opts->exclude != NULL &&
	    exclude_match(w->opts->exclude, item->path, item->path_len, true)) {
		item->kind = WALK_EXCLUDED;
		return 1;
	}
	if (strcmp(item->name, RESTORING_DIR) == 0)
		return restoring_refuse(item->path, e);
	return enter(w, item, e);
}

static int
next_name(struct walk *w, struct level *l, struct walk_item *item, struct err *e)
{
	const char *name = names_get(&l->names, l->next++);

	w->path.len = l->path_len;
	if (l->path_len > 0)
		buf_putc(&w->path, '/');
	buf_puts(&w->path, name);
	set_item(w, item, WALK_ENTRY);
	if (buf_check(&w->path, e) != 0)
		return -1;
	item->dirfd = l->fd;
	item->name = name;
	/* Before lstat: what is left out need not answer. */
	if (w->opts->exclude != NULL &&
	    exclude_match(w->opts->exclude, item->path, item->path_len, false)) {
		item->kind = WALK_EXCLUDED;
		return 1;
	}
	return look_at(w, item, e);
}

int
walk_next(struct walk *w, struct walk_item *item, struct err *e)
{
	if (stop_check(e) != 0)
		return -1;
	*item = (struct walk_item){0};
	if (!w->started)
		return start(w, item, e);
	if (w->has_note) {
		w->has_note = false;
		set_item(w, item, WALK_UNREADABLE);
		item->reason = w->note_errno != 0 ? reason_of(w, w->note_errno) : w->note_text;
		return 1;
	}
	while (w->depth > 0) {
		struct level *l = &w->levels[w->depth - 1];
		if (l->next == l->names.n) {
			pop(w);
			continue;
		}
		int rc = next_name(w, l, item, e);
		if (rc != 0)
			return rc;
	}
	return 0;
}
