/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/beneath.h"

void
parent_init(struct parent *p, int rootfd)
{
	*p = (struct parent){.rootfd = rootfd, .dirfd = -1};
}

static void
forget(struct parent *p)
{
	if (p->dirfd >= 0)
		(void)close(p->dirfd);
	p->dirfd = -1;
}

void
parent_done(struct parent *p)
{
	forget(p);
	buf_done(&p->dir);
}

int
parent_open(struct parent *p, const char *path, size_t len, const char **base)
{
	const char *slash = memrchr(path, '/', len);
	size_t dir_len = slash == NULL ? 0 : (size_t)(slash - path);

	*base = len == 0 ? "." : slash == NULL ? path : slash + 1;
	if (p->dirfd >= 0 && p->dir.len == dir_len &&
	    (dir_len == 0 || memcmp(p->dir.data, path, dir_len) == 0))
		return 0;
	forget(p);
	buf_clear(&p->dir);
	buf_append(&p->dir, path, dir_len);
	const char *dir = buf_str(&p->dir);
	if (p->dir.failed) {
		errno = ENOMEM;
		return -1;
	}
	/* O_PATH: a directory that may be searched but not read still gives its files. */
	p->dirfd = beneath_open(p->rootfd, dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	return p->dirfd < 0 ? -1 : 0;
}
