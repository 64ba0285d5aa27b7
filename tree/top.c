/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree/top.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/err.h"

int
top_open(const char *source, struct err *e)
{
	int fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return err_set(e, ERR_SYS, "source %s: no such directory", source);
	if (errno == ENOTDIR)
		return err_set(e, ERR_SYS, "source %s: is not a directory", source);
	if (errno == EACCES)
		return err_sys(e, "source %s: user %u cannot open it", source, (unsigned)geteuid());
	return err_sys(e, "source %s: cannot be opened", source);
}
