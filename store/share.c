/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "archive/member.h"
#include "store/priv.h"

#define BLOCK_MIN 512u /* smaller ones are no file system's that can do it */

static int
nameless(const struct repo *r)
{
	return openat(r->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* Tried, because neither type nor version of a file system says it: XFS is made with it or not. */
static bool
can_share(const struct repo *r)
{
	int from = nameless(r), to = nameless(r);
	bool can = from >= 0 && to >= 0 && ioctl(to, FICLONE, from) == 0;

	if (from >= 0)
		(void)close(from);
	if (to >= 0)
		(void)close(to);
	return can;
}

size_t
repo_share_block(const struct repo *r)
{
	struct statvfs fs;

	if (fstatvfs(r->fd, &fs) != 0 || fs.f_bsize < BLOCK_MIN || fs.f_bsize > MEMBER_BLOCK_MAX ||
	    (fs.f_bsize & (fs.f_bsize - 1)) != 0)
		return 0;
	return can_share(r) ? fs.f_bsize : 0;
}
