/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/rename.h"
#include "store/priv.h"

/*
 * Names are taken in the presence of people and programs that know nothing of
 * our lock, so a plain rename(2) could bury a file.  renameat2(RENAME_NOREPLACE)
 * is missing on NFS and some FUSE file systems; there link(2) refuses to replace
 * as well, at the price of a moment with two names, which recovery knows.  Where
 * there are no links either (FAT, SMB), looking first is all that can be done.
 */
static bool
is_missing_feature(int sys)
{
	return sys == EINVAL || sys == ENOSYS || sys == EOPNOTSUPP || sys == EPERM || sys == EMLINK;
}

static bool
same_file(int dirfd, const char *a, const char *b)
{
	struct stat sa, sb;

	return fstatat(dirfd, a, &sa, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstatat(dirfd, b, &sb, AT_SYMLINK_NOFOLLOW) == 0 && sa.st_dev == sb.st_dev &&
	    sa.st_ino == sb.st_ino;
}

static int
move_by_link(int dirfd, const char *from, const char *to)
{
	/* EEXIST of ourselves: an NFS server may carry a repeated request out twice. */
	if (linkat(dirfd, from, dirfd, to, 0) != 0 &&
	    (errno != EEXIST || !same_file(dirfd, from, to)))
		return -1;
	/* A rename is one step on the disk; of these two, the second may get there alone. */
	while (fsync(dirfd) != 0)
		if (errno != EINTR)
			return -1;
	return unlinkat(dirfd, from, 0);
}

int
repo_move(int dirfd, const char *from, const char *to, enum repo_move first, struct err *e)
{
	if (first <= REPO_MOVE_RENAMEAT2) {
		if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (!is_missing_feature(errno))
			return err_sys(e, "rename %s to %s", from, to);
	}
	if (first <= REPO_MOVE_LINK) {
		if (move_by_link(dirfd, from, to) == 0)
			return 0;
		if (!is_missing_feature(errno))
			return err_sys(e, "link %s to %s", from, to);
	}
	if (rename_looked(dirfd, from, dirfd, to) < 0)
		return err_sys(e, "rename %s to %s", from, to);
	return 0;
}

/*
 * A part that has its final name already was moved by a run that ended there;
 * recovery has made sure that it is the right one.
 */
static int
move_part(const struct repo *r, enum repo_part part, const char *name, struct err *e)
{
	char from[REPO_FILE_MAX], to[REPO_FILE_MAX];
	struct stat st;

	repo_new_name(part, name, from);
	repo_final_name(part, name, to);
	if (fstatat(r->fd, from, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT &&
	    fstatat(r->fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (same_file(r->fd, from, to)) {
		if (unlinkat(r->fd, from, 0) != 0)
			return err_sys(e, "unlink %s", from);
		return 0;
	}
	if (repo_move(r->fd, from, to, REPO_MOVE_RENAMEAT2, e) < 0)
		return err_where(e, "repository %s", r->dir);
	return 0;
}

/*
 * The seal's name is the commit point: it may not be seen, not even after a
 * power cut, unless the other two names are there.
 */
int
repo_move_in(const struct repo *r, const char *name, struct err *e)
{
	if (move_part(r, REPO_ARCHIVE, name, e) < 0 || move_part(r, REPO_MANIFEST, name, e) < 0 ||
	    repo_sync(r, e) < 0 || move_part(r, REPO_SEAL, name, e) < 0)
		return -1;
	return repo_sync(r, e);
}
