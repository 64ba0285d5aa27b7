/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/move.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/rename.h"

/* Through /proc: no fchmod(2) takes such a descriptor, and any other needs rights that may lack. */
int
move_chmod(int dirfd, const char *name, mode_t mode)
{
	int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), rc, saved;
	char proc[40];

	if (fd < 0)
		return -1;
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	rc = chmod(proc, mode);
	saved = errno;
	(void)close(fd);
	errno = saved;
	return rc;
}

/* A directory of ours that its mode keeps us from writing in. */
static bool
is_closed(int from, const char *name, struct stat *st)
{
	return fstatat(from, name, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st->st_mode) &&
	    st->st_uid == geteuid() && (st->st_mode & S_IWUSR) == 0;
}

int
move_name(int from, const char *name, int to, const char *to_name)
{
	struct stat st;
	int rc, saved;

	if (rename_new(from, name, to, to_name) == 0)
		return 0;
	if (errno != EACCES)
		return -1;
	if (!is_closed(from, name, &st)) {
		errno = EACCES;
		return -1;
	}
	if (move_chmod(from, name, (st.st_mode & 07777) | S_IWUSR) != 0)
		return -1;
	rc = rename_new(from, name, to, to_name);
	saved = errno;
	(void)(rc == 0 ? move_chmod(to, to_name, st.st_mode & 07777)
		       : move_chmod(from, name, st.st_mode & 07777));
	errno = saved;
	return rc;
}

int
move_may(int from, const char *name)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISDIR(st.st_mode) || is_closed(from, name, &st))
		return 0;
	return faccessat(from, name, W_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW);
}
