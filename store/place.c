/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "core/err.h"
#include "store/priv.h"

static int
is_part(void *ctx, const char *file, struct err *e)
{
	struct repo_file f;

	(void)ctx;
	(void)e;
	return repo_file_parse(file, &f) ? 1 : 0;
}

/*
 * Linux since 5.8 knows it; before that, another device than the directory above tells, but for
 * bind mounts.
 */
static int
is_mount(const struct repo *r, struct err *e)
{
	struct stat here, above;
	struct statx x;

	if (statx(r->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x) == 0 &&
	    (x.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0)
		return (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
	if (fstat(r->fd, &here) != 0 || fstatat(r->fd, "..", &above, 0) != 0)
		return err_sys(e, "%s", r->dir);
	return here.st_dev != above.st_dev;
}

int
repo_place(const struct repo *r, enum repo_place *out, struct err *e)
{
	struct stat st;
	int rc;

	if (fstatat(r->fd, REPO_LOCK, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		*out = REPO_PLACE_USED;
		return 0;
	}
	if (errno != ENOENT)
		return err_sys(e, "%s/" REPO_LOCK, r->dir);
	if ((rc = repo_each_name(r, is_part, NULL, e)) == 0) {
		if ((rc = is_mount(r, e)) >= 0)
			*out = rc > 0 ? REPO_PLACE_MOUNT : REPO_PLACE_OTHER;
	} else if (rc > 0)
		*out = REPO_PLACE_USED;
	return rc < 0 ? -1 : 0;
}
