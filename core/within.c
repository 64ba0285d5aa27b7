/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/within.h"

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
within_compare(int first_fd, int second_fd, struct err *e)
{
	struct stat first, second;

	if (fstat(first_fd, &first) != 0 || fstat(second_fd, &second) != 0)
		return err_sys(e, "fstat");
	if (same(&first, &second))
		return WITHIN_SAME;
	if (is_within(first_fd, &second))
		return WITHIN_FIRST_INSIDE;
	return is_within(second_fd, &first) ? WITHIN_SECOND_INSIDE : WITHIN_APART;
}
