/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/root.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"

/* The list of a directory's attributes, NUL after each; NULL with *len 0 when there is none. */
static char *
list(int fd, size_t *len)
{
	ssize_t n = flistxattr(fd, NULL, 0);
	char *names = n > 0 ? malloc((size_t)n) : NULL;

	*len = 0;
	if (names != NULL && (n = flistxattr(fd, names, (size_t)n)) > 0)
		*len = (size_t)n;
	return names;
}

static bool
has(const char *names, size_t len, const char *name)
{
	for (size_t at = 0; at < len; at += strlen(names + at) + 1)
		if (strcmp(names + at, name) == 0)
			return true;
	return false;
}

static void
refused(const char *what, const char *name)
{
	log_warn("target %s: %s: %s", name, what, strerror(errno));
}

static void
copy_one(int from, int to, const char *attr, const char *name)
{
	char value[65536]; /* the most that Linux has */
	ssize_t n = fgetxattr(from, attr, value, sizeof(value));

	if (n < 0 || fsetxattr(to, attr, value, (size_t)n, 0) != 0)
		refused(attr, name);
}

/* The label is the host's to give: both have it from the same policy. */
static bool
is_label(const char *attr)
{
	return strcmp(attr, "security.selinux") == 0;
}

static void
copy_xattrs(int from, int to, const char *name)
{
	size_t n_from, n_to;
	char *wanted = list(from, &n_from), *there = list(to, &n_to);

	for (size_t at = 0; at < n_to; at += strlen(there + at) + 1)
		if (!has(wanted, n_from, there + at) && !is_label(there + at) &&
		    fremovexattr(to, there + at) != 0)
			refused(there + at, name);
	for (size_t at = 0; at < n_from; at += strlen(wanted + at) + 1)
		if (!is_label(wanted + at))
			copy_one(from, to, wanted + at, name);
	free(wanted);
	free(there);
}

int
root_copy(int from, int to, const char *name, struct err *e)
{
	struct stat st, old;

	if (fstat(from, &st) != 0 || fstat(to, &old) != 0)
		return err_sys(e, "target %s", name);
	if ((st.st_uid != old.st_uid || st.st_gid != old.st_gid) &&
	    fchown(to, st.st_uid, st.st_gid) != 0)
		refused("set the owner", name);
	copy_xattrs(from, to, name);
	if (fchmod(to, st.st_mode & 07777) != 0)
		refused("set the mode", name);
	return 0;
}

int
root_set_time(int fd, const struct timespec *mtime, const char *name, struct err *e)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, *mtime};

	if (futimens(fd, times) == 0 || errno == EPERM)
		return 0; /* somebody else's directory: a warning told of its mode */
	return err_sys(e, "target %s: set the time", name);
}
