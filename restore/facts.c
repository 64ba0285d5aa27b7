/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "archive/entry.h"
#include "restore/report.h"

#define SET_ID (S_ISUID | S_ISGID)
#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
/* One of no more than a mode says: the mode is what becomes of it. */
#define ACL_PLAIN (4u + 3 * 8)

/* The thing: an fd, or a name in a directory. */
struct thing {
	int fd; /* -1: by name */
	int dirfd;
	const char *base;
	const struct entry *en;
	const char *path;
	struct restore_report *r;
	struct stat st; /* as it was found */
	bool owned; /* it has the owner that it should have */
	bool moded; /* and the mode */
	mode_t mode; /* that it shall have */
};

static void
failed(const struct thing *t, const char *what)
{
	restore_found(t->r, t->path, strlen(t->path), "%s: %s", what, strerror(errno));
}

static bool
is_link(const struct thing *t)
{
	return t->en->type == ENTRY_SYMLINK;
}

/* ---- owner ---- */

static int
chown_thing(const struct thing *t, uid_t uid, gid_t gid)
{
	return t->fd >= 0 ? fchown(t->fd, uid, gid)
			  : fchownat(t->dirfd, t->base, uid, gid, AT_SYMLINK_NOFOLLOW);
}

static void
set_owner(struct thing *t)
{
	t->owned = true;
	if (t->st.st_uid == t->en->uid && t->st.st_gid == t->en->gid)
		return;
	if (chown_thing(t, t->en->uid, t->en->gid) == 0)
		return;
	t->owned = false;
	/* EINVAL: ids that this user namespace does not have. */
	if (errno != EPERM && errno != EINVAL) {
		failed(t, "set the owner");
		return;
	}
	/* A user may give away to a group of their own. */
	(void)!chown_thing(t, (uid_t)-1, t->en->gid);
	restore_lacks(t->r, RESTORE_OWNER, t->path);
}

/* ---- attributes ---- */

static int
set_xattr(const struct thing *t, const char *name, const void *value, size_t len)
{
	char proc[320]; /* there is no *at form of the call */

	if (t->fd >= 0)
		return fsetxattr(t->fd, name, value, len, 0);
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d/%s", t->dirfd, t->base);
	return lsetxattr(proc, name, value, len, 0);
}

/* Some file systems say yes, and do nothing: what was set is read back. */
static bool
kept_xattr(const struct thing *t, const char *name, const void *value, size_t len)
{
	char proc[320], *got = malloc(len + 1);
	ssize_t n;
	bool same;

	if (got == NULL)
		return false;
	if (t->fd >= 0)
		n = fgetxattr(t->fd, name, got, len + 1);
	else {
		(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d/%s", t->dirfd, t->base);
		n = lgetxattr(proc, name, got, len + 1);
	}
	same = n == (ssize_t)len && memcmp(got, value, len) == 0;
	free(got);
	return same;
}

static void
not_kept(const struct thing *t, const char *what)
{
	restore_found(t->r, t->path, strlen(t->path), "the file system did not keep %s", what);
}

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

/* Why an attribute was not taken: one of a kind to be counted, or a finding of its own. */
static void
xattr_refused(const struct thing *t, const char *name)
{
	bool denied = errno == EPERM || errno == EACCES;

	if (strcmp(name, "security.selinux") == 0)
		restore_lacks(t->r, RESTORE_LABEL, t->path);
	else if (errno == ENOTSUP && starts(name, "user."))
		restore_lacks(t->r, RESTORE_NO_XATTR, t->path);
	else if ((denied || errno == ENOTSUP) &&
	    (starts(name, "trusted.") || starts(name, "security.")))
		restore_lacks(t->r, RESTORE_XATTR, t->path);
	else
		failed(t, name);
}

static void
set_xattrs(const struct thing *t)
{
	const struct entry_xattr *x = t->en->xattrs;
	size_t i;

	for (i = 0; i < t->en->n_xattrs; i++)
		if (set_xattr(t, x[i].name, x[i].value, x[i].len) != 0)
			xattr_refused(t, x[i].name);
		else if (!kept_xattr(t, x[i].name, x[i].value, x[i].len))
			not_kept(t, x[i].name);
}

/*
 * What an ACL (kernel form: a version, then tag, permissions, id, each little-endian) gives the
 * owning group.  With an ACL the mode's group bits are its mask, which may be more.
 */
static mode_t
acl_group(const uint8_t *acl, size_t len)
{
	for (size_t at = 4; at + 8 <= len; at += 8)
		if (acl[at] == 4 && acl[at + 1] == 0)
			return acl[at + 2] & 7u;
	return 0;
}

/* A directory that was there may have an ACL, or have got one from the directory that it is in. */
static void
drop_acl(struct thing *t, const char *name)
{
	if (fgetxattr(t->fd, name, NULL, 0) <= 0)
		return;
	t->moded = false;
	if (fremovexattr(t->fd, name) != 0)
		failed(t, "remove the ACL");
}

/* All else is made where no ACL is handed on: it has none that the entry has not got. */
static void
set_acls(struct thing *t)
{
	const struct entry *en = t->en;

	if (en->type == ENTRY_DIR && t->fd >= 0) {
		if (en->acl_access == NULL)
			drop_acl(t, ACL_ACCESS);
		if (en->acl_default == NULL)
			drop_acl(t, ACL_DEFAULT);
	}
	if (en->acl_access == NULL && en->acl_default == NULL)
		return;
	t->moded = false;
	if (en->acl_access != NULL &&
	    set_xattr(t, ACL_ACCESS, en->acl_access, en->acl_access_len) != 0) {
		failed(t, "set the ACL");
		t->mode &= (mode_t)~S_IRWXG | acl_group(en->acl_access, en->acl_access_len) << 3;
	} else if (en->acl_access_len > ACL_PLAIN && en->acl_access != NULL &&
	    !kept_xattr(t, ACL_ACCESS, en->acl_access, en->acl_access_len))
		not_kept(t, "the ACL");
	if (en->acl_default != NULL &&
	    set_xattr(t, ACL_DEFAULT, en->acl_default, en->acl_default_len) != 0)
		failed(t, "set the default ACL");
	else if (en->acl_default != NULL &&
	    !kept_xattr(t, ACL_DEFAULT, en->acl_default, en->acl_default_len))
		not_kept(t, "the default ACL");
}

/* ---- mode and times ---- */

static int
stat_thing(const struct thing *t, struct stat *st)
{
	return t->fd >= 0 ? fstat(t->fd, st) : fstatat(t->dirfd, t->base, st, AT_SYMLINK_NOFOLLOW);
}

/*
 * The right that set-id bits lend is that of the owner who gave them.  Where a chown is
 * silently ignored, the owner is whoever restores: a look is worth it.
 */
static void
drop_set_id(struct thing *t)
{
	struct stat st;

	if ((t->mode & SET_ID) == 0 || t->en->type == ENTRY_DIR)
		return;
	if (t->owned && stat_thing(t, &st) == 0 && st.st_uid == t->en->uid &&
	    st.st_gid == t->en->gid)
		return;
	t->mode &= (mode_t)~SET_ID;
	restore_lacks(t->r, RESTORE_SETID, t->path);
}

static void
set_mode(struct thing *t)
{
	int rc;

	if (is_link(t))
		return;
	drop_set_id(t);
	if (t->moded && (t->st.st_mode & 07777) == t->mode)
		return;
	/* Not through a link that somebody put in its place. */
	rc = t->fd >= 0 ? fchmod(t->fd, t->mode)
			: fchmodat(t->dirfd, t->base, t->mode, AT_SYMLINK_NOFOLLOW);
	if (rc != 0)
		failed(t, "set the mode");
}

static void
set_times(const struct thing *t)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	int rc;

	times[1].tv_sec = t->en->mtime_sec;
	times[1].tv_nsec = t->en->mtime_nsec;
	rc = t->fd >= 0 ? futimens(t->fd, times)
			: utimensat(t->dirfd, t->base, times, AT_SYMLINK_NOFOLLOW);
	if (rc != 0)
		failed(t, "set the time");
}

/* ---- reading back ---- */

static void
read_back(const struct thing *t)
{
	const struct entry *en = t->en;
	struct stat st;

	if (stat_thing(t, &st) != 0) {
		failed(t, "read the facts back");
		return;
	}
	if (t->owned && (st.st_uid != en->uid || st.st_gid != en->gid))
		restore_found(t->r, t->path, strlen(t->path),
		    "the file system did not keep the owner (%u:%u became %u:%u)", en->uid, en->gid,
		    st.st_uid, st.st_gid);
	if (!is_link(t) && (st.st_mode & 07777) != t->mode &&
	    ((st.st_mode ^ t->mode) & 07777 & ~(t->owned ? 0u : (unsigned)SET_ID)) != 0)
		restore_found(t->r, t->path, strlen(t->path),
		    "the file system did not keep the mode (%04o became %04o)", (unsigned)t->mode,
		    (unsigned)st.st_mode & 07777u);
	if (st.st_mtim.tv_sec != en->mtime_sec || st.st_mtim.tv_nsec != (long)en->mtime_nsec)
		restore_found(t->r, t->path, strlen(t->path),
		    "the file system did not keep the time (%lld.%09u became %lld.%09ld)",
		    (long long)en->mtime_sec, en->mtime_nsec, (long long)st.st_mtim.tv_sec,
		    st.st_mtim.tv_nsec);
}

/*
 * A look costs next to nothing, a change is a transaction of the file system: what is
 * right already is left alone.
 */
static void
apply(struct thing *t)
{
	t->moded = stat_thing(t, &t->st) == 0;
	if (!t->moded)
		t->st = (struct stat){.st_uid = (uid_t)-1};
	set_owner(t);
	set_xattrs(t);
	set_acls(t);
	set_mode(t);
	set_times(t);
	read_back(t);
}

void
restore_facts_fd(int fd, const struct entry *en, const char *path, struct restore_report *r)
{
	struct thing t = {
	    .fd = fd, .dirfd = -1, .base = "", .en = en, .path = path, .r = r, .mode = en->mode};

	apply(&t);
}

static struct thing
thing_at(
    int dirfd, const char *base, const struct entry *en, const char *path, struct restore_report *r)
{
	return (struct thing){.fd = -1,
	    .dirfd = dirfd,
	    .base = base,
	    .en = en,
	    .path = path,
	    .r = r,
	    .mode = en->mode};
}

void
restore_facts_at(
    int dirfd, const char *base, const struct entry *en, const char *path, struct restore_report *r)
{
	struct thing t = thing_at(dirfd, base, en, path, r);

	apply(&t);
}

void
restore_facts_xattrs_at(
    int dirfd, const char *base, const struct entry *en, const char *path, struct restore_report *r)
{
	struct thing t = thing_at(dirfd, base, en, path, r);

	set_xattrs(&t);
}
