/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/move.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

static int
move(int from, const char *name, int to, const char *to_name)
{
	struct stat st;

	if (renameat2(from, name, to, to_name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(to, to_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return errno == ENOENT ? renameat(from, name, to, to_name) : -1;
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

	if (move(from, name, to, to_name) == 0)
		return 0;
	if (errno != EACCES)
		return -1;
	if (!is_closed(from, name, &st)) {
		errno = EACCES;
		return -1;
	}
	if (move_chmod(from, name, (st.st_mode & 07777) | S_IWUSR) != 0)
		return -1;
	rc = move(from, name, to, to_name);
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
