/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/each_name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"

int
each_name(
    int dirfd, int (*fn)(void *ctx, const char *name, struct err *e), void *ctx, struct err *e)
{
	/* An open of its own: a copy of dirfd would share the place in the directory. */
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *de;

	if (d == NULL) {
		(void)err_sys(e, "list");
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	while (rc == 0 && (errno = 0, de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			rc = fn(ctx, de->d_name, e);
	if (rc == 0 && errno != 0)
		rc = err_sys(e, "list");
	(void)closedir(d);
	return rc;
}
