/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/spell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/each_name.h"
#include "core/err.h"

/* An e with an accent, composed and not. */
static const char *const tries[][2] = {
    {"spelling", "SPELLING"},
    {"spelling-\xc3\xa9", "spelling-e\xcc\x81"},
};

static bool
is_one(int dirfd, const char *name, const char *other)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool one;

	if (fd < 0)
		return false;
	(void)close(fd);
	one = faccessat(dirfd, other, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	(void)unlinkat(dirfd, name, 0);
	return one;
}

bool
spell_folds(int dirfd)
{
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++)
		if (is_one(dirfd, tries[i][0], tries[i][1]))
			return true;
	return false;
}

static int
is_it(void *ctx, const char *name, struct err *e)
{
	(void)e;
	return strcmp(name, ctx) == 0;
}

int
spell_check(int dirfd, const char *name)
{
	struct err why = {0};
	struct stat st;
	int rc;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	rc = each_name(dirfd, is_it, (void *)(uintptr_t)name, &why);
	if (rc == 1)
		return 0;
	errno = rc < 0 ? why.sys : ENOTUNIQ;
	return -1;
}

int
spell_check_path(int rootfd, const char *path)
{
	int fd = openat(rootfd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC), next, rc = 0;
	char name[256];

	while (fd >= 0 && rc == 0 && *path != '\0') {
		size_t len = strcspn(path, "/");

		if (len >= sizeof(name))
			break; /* nothing has such a name */
		memcpy(name, path, len);
		name[len] = '\0';
		path += len + (path[len] == '/');
		if ((rc = spell_check(fd, name)) != 0 || *path == '\0')
			break;
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(fd);
		fd = next;
	}
	if (fd >= 0) {
		int saved = errno;

		(void)close(fd);
		errno = saved;
	}
	return rc;
}
