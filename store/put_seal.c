/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/err.h"
#include "core/io.h"
#include "store/priv.h"

/*
 * By the name of work in progress and one rename.  What a crash leaves of it is a .NAME.seal.new
 * beside a NAME.seal that is another file: repo_recover() cannot finish that, and removes it.
 */
static int
write_new(const struct repo *r, const char *file, const void *seal, size_t len, struct err *e)
{
	int fd = openat(r->fd, file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "make %s/%s", r->dir, file);
	if (io_write(fd, seal, len, e) == 0 && io_fsync(fd, e) == 0 && io_close(&fd, e) == 0)
		return 0;
	if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(r->fd, file, 0);
	return err_where(e, "%s/%s", r->dir, file);
}

int
repo_put_seal(struct repo *r, const char *name, const void *seal, size_t len, struct err *e)
{
	char from[REPO_FILE_MAX], to[REPO_FILE_MAX];

	if (repo_need_lock(r, e) < 0)
		return -1;
	if (!seal_name_ok(name))
		return err_set(e, ERR_USAGE, "\"%s\" cannot be the name of a backup", name);
	repo_new_name(REPO_SEAL, name, from);
	repo_final_name(REPO_SEAL, name, to);
	if (write_new(r, from, seal, len, e) < 0)
		return -1;
	if (renameat(r->fd, from, r->fd, to) != 0) {
		(void)err_sys(e, "repository %s: rename %s to %s", r->dir, from, to);
		(void)unlinkat(r->fd, from, 0);
		return -1;
	}
	if (io_fsync(r->fd, e) < 0)
		return err_where(e, "repository %s", r->dir);
	return 0;
}
