/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/io.h"
#include "store/priv.h"

/*
 * NAME.hold: a name and, for people, a line of text.  Its being there is all that counts, so that
 * touch(1) sets it and rm(1) takes it away; and in doubt it is there.
 */
bool
repo_is_on_hold(const struct repo *r, const char *name)
{
	char file[REPO_FILE_MAX];
	struct stat st;

	repo_hold_name(name, file);
	return fstatat(r->fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static int
check_reason(const char *reason, struct err *e)
{
	if (strlen(reason) > REPO_REASON_MAX)
		return err_set(e, ERR_USAGE, "the reason is longer than %u bytes", REPO_REASON_MAX);
	for (const char *c = reason; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(e, ERR_USAGE, "the reason is not one line of text");
	return 0;
}

/* The marker: 1 there, 0 not, -1. */
static int
look_at_marker(const struct repo *r, const char *name, char file[REPO_FILE_MAX], struct err *e)
{
	struct stat st;

	if (!seal_name_ok(name))
		return err_set(e, ERR_NOTFOUND, "%s: is not a backup's name", name);
	repo_hold_name(name, file);
	return repo_look(r, file, &st, e);
}

/* Written aside and renamed: the reason is the old one or the new one, and never half of it. */
static int
put_marker(const struct repo *r, const char *name, const char *file, const char *reason,
    const struct stat *seal, struct err *e)
{
	char new[REPO_FILE_MAX], line[REPO_REASON_MAX + 2];
	int len = snprintf(line, sizeof(line), "%s%s", reason, *reason != '\0' ? "\n" : "");

	repo_hold_new_name(name, new);
	return repo_replace(r, new, file, seal, line, (size_t)len, e);
}

static int
hold(const struct repo *r, const char *name, const char *reason, struct err *e)
{
	char file[REPO_FILE_MAX];
	struct stat seal;
	int there;

	if (check_reason(reason, e) < 0 || look_at_marker(r, name, file, e) < 0)
		return -1;
	repo_final_name(REPO_SEAL, name, file);
	if ((there = repo_look(r, file, &seal, e)) < 0)
		return -1;
	if (there == 0)
		return err_set(e, ERR_NOTFOUND, "there is no such backup");
	repo_hold_name(name, file);
	return put_marker(r, name, file, reason, &seal, e);
}

int
repo_hold(struct repo *r, const char *name, const char *reason, struct err *e)
{
	if (repo_need_lock(r, e) < 0 || hold(r, name, reason, e) < 0)
		return err_where(e, "hold %s", name);
	return 0;
}

int
repo_release(struct repo *r, const char *name, struct err *e)
{
	char file[REPO_FILE_MAX];
	int there;

	if (repo_need_lock(r, e) < 0 || (there = look_at_marker(r, name, file, e)) < 0)
		return err_where(e, "release %s", name);
	if (there == 0)
		return err_set(e, ERR_NOTFOUND, "%s is not on hold", name);
	if (unlinkat(r->fd, file, 0) != 0)
		return err_sys(e, "unlink %s/%s", r->dir, file);
	return repo_sync(r, e);
}

/* Somebody may have written the file by hand: its first line, or as much of it as a reason can be.
 */
static void
take_reason(const char *text, size_t len, struct buf *out)
{
	const char *nl = memchr(text, '\n', len);

	buf_append(out, text, nl != NULL ? (size_t)(nl - text) : len);
}

int
repo_hold_reason(const struct repo *r, const char *name, struct buf *out, struct err *e)
{
	char file[REPO_FILE_MAX], text[REPO_REASON_MAX];
	int there = look_at_marker(r, name, file, e), fd;
	ssize_t n;

	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(e, ERR_NOTFOUND, "%s is not on hold", name);
	fd = openat(r->fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "%s/%s", r->dir, file);
	n = io_pread(fd, text, sizeof(text), 0, e);
	(void)close(fd);
	if (n < 0)
		return err_where(e, "%s/%s", r->dir, file);
	take_reason(text, (size_t)n, out);
	return buf_check(out, e);
}
