/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/inside.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"

static bool
same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/*
 * Is fd the directory dir, or below it?  Up by "..", to the root, which is its own parent;
 * where the way up is not allowed, the walk cannot come down there either.
 */
static bool
is_within(int fd, const struct stat *dir)
{
	struct stat st, up;
	bool found = false;

	int at = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0 || fstat(at, &st) != 0)
		goto out;
	for (;;) {
		found = same(&st, dir);
		if (found)
			break;
		int next = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		(void)close(at);
		at = next;
		if (at < 0 || fstat(at, &up) != 0 || same(&up, &st))
			break;
		st = up;
	}
out:
	if (at >= 0)
		(void)close(at);
	return found;
}

int
inside_check(int source_fd, const char *source, int repo_fd, const char *repo, struct err *e)
{
	struct stat s, r;

	if (fstat(source_fd, &s) != 0 || fstat(repo_fd, &r) != 0)
		return err_sys(e, "fstat");
	if (same(&s, &r))
		return err_set(e, ERR_USAGE, "source and repository are the same: %s", source);
	if (is_within(repo_fd, &s))
		return err_set(
		    e, ERR_USAGE, "the repository %s is inside the source %s", repo, source);
	if (is_within(source_fd, &r))
		return err_set(
		    e, ERR_USAGE, "the source %s is inside the repository %s", source, repo);
	return 0;
}
