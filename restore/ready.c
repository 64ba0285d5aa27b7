/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/ready.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/each_name.h"
#include "core/err.h"
#include "core/path.h"
#include "core/restoring.h"
#include "core/within.h"

int
ready_apart(int target_fd, const char *dir, int repo_fd, const char *repo, struct err *e)
{
	switch (within_compare(target_fd, repo_fd, e)) {
	case WITHIN_APART:
	case WITHIN_FIRST_INSIDE: /* odd, and no harm: nothing that is there is a repository's */
		return 0;
	case WITHIN_SAME:
		return err_set(e, ERR_USAGE, "target %s is the repository", dir);
	case WITHIN_SECOND_INSIDE:
		return err_set(e, ERR_USAGE, "the repository %s is inside target %s", repo, dir);
	default:
		return -1;
	}
}

struct ready_room
ready_room(int target_fd)
{
	struct statvfs fs;
	bool root = geteuid() == 0;

	if (fstatvfs(target_fd, &fs) != 0 || fs.f_blocks == 0)
		return (struct ready_room){UINT64_MAX, UINT64_MAX};
	return (struct ready_room){
	    .bytes = (uint64_t)(root ? fs.f_bfree : fs.f_bavail) * fs.f_frsize,
	    .inodes = fs.f_files == 0 ? UINT64_MAX : (root ? fs.f_ffree : fs.f_favail),
	};
}

/* Its path from the root of what we see; false when it has none. */
static bool
real_path(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, out, PATH_MAX - 1);
	if (n <= 0 || out[0] != '/')
		return false;
	out[n] = '\0';
	return true;
}

/* What stands below dir, which is not "/"; NULL when path does not. */
static const char *
below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (len == 1)
		return path + 1;
	return strncmp(path, dir, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* ---- mounts ---- */

static bool
is_octal(const char *s)
{
	for (int i = 0; i < 3; i++)
		if (s[i] < '0' || s[i] > '7')
			return false;
	return true;
}

/* "\040" and the like, in place. */
static void
unescape(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (*s == '\\' && is_octal(s + 1)) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else
			*to++ = *s;
	}
	*to = '\0';
}

static int
mounted(const char *dir, const char *what, struct err *e)
{
	struct buf shown = {0};

	path_display(&shown, what, strlen(what));
	(void)err_set(e, ERR_SYS,
	    "target %s: %s is a mount point: unmount it, or restore single paths", dir,
	    buf_str(&shown));
	buf_done(&shown);
	return -1;
}

int
ready_no_mounts(int target_fd, const char *dir, struct err *e)
{
	char root[PATH_MAX], *line = NULL, *point;
	const char *name;
	size_t size = 0;
	FILE *f;
	int rc = 0;

	/* Without /proc a mount shows when it cannot be moved. */
	if (!real_path(target_fd, root) || (f = fopen("/proc/self/mountinfo", "re")) == NULL)
		return 0;
	while (rc == 0 && getline(&line, &size, f) > 0) {
		/* id, parent, device, root of it, where */
		if (sscanf(line, "%*s %*s %*s %*s %ms", &point) != 1)
			continue;
		unescape(point);
		if ((name = below(point, root)) != NULL && *name != '\0')
			rc = mounted(dir, name, e);
		free(point);
	}
	free(line);
	(void)fclose(f);
	return rc;
}

/* ---- open files ---- */

struct user {
	const char *root; /* of the target */
	const char *dir;
	const char *pid;
};

static int
used(const struct user *u, const char *file, struct err *e)
{
	char path[64], name[64] = "?";
	struct buf shown = {0};
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/comm", u->pid);
	if ((f = fopen(path, "re")) != NULL) {
		if (fgets(name, sizeof(name), f) != NULL)
			name[strcspn(name, "\n")] = '\0';
		(void)fclose(f);
	}
	path_display(&shown, file, strlen(file));
	(void)err_set(e, ERR_LOCKED,
	    "target %s: %s is open in process %s (%s): stop it first, or --force", u->dir,
	    buf_str(&shown), u->pid, name);
	buf_done(&shown);
	return -1;
}

static int
look_at_fd(void *ctx, const char *fd, struct err *e)
{
	const struct user *u = ctx;
	char link[80], to[PATH_MAX];
	const char *file;
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/%.16s/fd/%.16s", u->pid, fd);
	if ((n = readlink(link, to, sizeof(to) - 1)) <= 0)
		return 0;
	to[n] = '\0';
	file = below(to, u->root);
	return file == NULL || *file == '\0' ? 0 : used(u, file, e);
}

static int
look_at_process(void *ctx, const char *name, struct err *e)
{
	struct user *u = ctx;
	char path[64];
	int fd, rc;

	if (!isdigit((unsigned char)name[0]) || strtol(name, NULL, 10) == getpid())
		return 0;
	u->pid = name;
	(void)snprintf(path, sizeof(path), "/proc/%.16s/fd", name);
	/* Somebody else's, or gone meanwhile. */
	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 0;
	rc = each_name(fd, look_at_fd, u, e);
	(void)close(fd);
	if (rc != 0 && e->kind != ERR_LOCKED) { /* it ended while it was listed */
		err_clear(e);
		rc = 0;
	}
	return rc;
}

static int
no_open_files(int target_fd, const char *dir, struct err *e)
{
	char root[PATH_MAX];
	struct user u = {.root = root, .dir = dir};
	int proc, rc;

	if (!real_path(target_fd, root) ||
	    (proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return 0;
	rc = each_name(proc, look_at_process, &u, e);
	(void)close(proc);
	return rc;
}

/* ---- locks ---- */

/*
 * Taken for a moment: that is the only way to see a flock(2) of a process in another container.
 * Who has the file open for writing may have a lease instead; that does not matter here.
 */
static bool
is_locked(int fd)
{
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK;
	(void)flock(fd, LOCK_UN);
	return fcntl(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;
}

bool
ready_is_locked(int dirfd, const char *base)
{
	struct stat st;
	bool locked;
	int fd;

	if (fstatat(dirfd, base, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return false;
	fd = openat(dirfd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	locked = is_locked(fd);
	(void)close(fd);
	return locked;
}

/* A way down; its length is what the depth of the tree allows. */
struct look {
	int dirfd;
	struct buf *path; /* of dirfd, with a '/' behind it unless it is empty */
	const char *dir;
	unsigned depth;
};

/* Trees that are deeper have no databases at their ends. */
#define DEPTH_MAX 64

static int look_at_dir(const struct look *up, const char *name, struct err *e);

static int
look_at_name(void *ctx, const char *name, struct err *e)
{
	const struct look *l = ctx;
	struct stat st;

	if (l->depth == 0 && strcmp(name, RESTORING_DIR) == 0)
		return 0;
	if (fstatat(l->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return look_at_dir(l, name, e);
	if (!S_ISREG(st.st_mode) || !ready_is_locked(l->dirfd, name))
		return 0;
	path_display(l->path, name, strlen(name));
	return err_set(e, ERR_LOCKED,
	    "target %s: %s is locked: stop the application that uses it first, or --force", l->dir,
	    buf_str(l->path));
}

static int
look_at_dir(const struct look *up, const char *name, struct err *e)
{
	struct look l = *up;
	size_t len = l.path->len;
	int rc;

	l.dirfd = openat(up->dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l.dirfd < 0 || ++l.depth > DEPTH_MAX) {
		if (l.dirfd >= 0)
			(void)close(l.dirfd);
		return 0; /* what may not be looked at is not ours to judge */
	}
	path_display(l.path, name, strlen(name));
	buf_putc(l.path, '/');
	rc = each_name(l.dirfd, look_at_name, &l, e);
	(void)close(l.dirfd);
	l.path->len = len;
	return rc;
}

int
ready_unused(int target_fd, const char *dir, struct err *e)
{
	struct buf path = {0};
	struct look l = {.dirfd = target_fd, .path = &path, .dir = dir};
	int rc = no_open_files(target_fd, dir, e);

	if (rc == 0)
		rc = each_name(target_fd, look_at_name, &l, e);
	buf_done(&path);
	return rc;
}
