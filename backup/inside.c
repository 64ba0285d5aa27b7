/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/inside.h"

#include "core/err.h"
#include "core/within.h"

int
inside_check(int source_fd, const char *source, int repo_fd, const char *repo, struct err *e)
{
	switch (within_compare(source_fd, repo_fd, e)) {
	case WITHIN_APART:
		return 0;
	case WITHIN_SAME:
		return err_set(e, ERR_USAGE, "source and repository are the same: %s", source);
	case WITHIN_SECOND_INSIDE:
		return err_set(
		    e, ERR_USAGE, "the repository %s is inside the source %s", repo, source);
	case WITHIN_FIRST_INSIDE:
		return err_set(
		    e, ERR_USAGE, "the source %s is inside the repository %s", source, repo);
	default:
		return -1;
	}
}
