/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/io.h"
#include "store/priv.h"

/* ---- a small file, whole ---- */

static void
be_like(int fd, const struct stat *like)
{
	if (fchown(fd, like->st_uid, like->st_gid) != 0)
		(void)!fchown(fd, (uid_t)-1, like->st_gid);
	(void)fchmod(fd, like->st_mode & 0666);
}

static int
write_new(const struct repo *r, const char *file, const struct stat *like, const void *data,
    size_t len, struct err *e)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int there = repo_look(r, file, &st, e), fd;

	if (there < 0)
		return -1;
	if (there == 1 && unlinkat(r->fd, file, 0) != 0)
		return err_sys(e, "unlink %s/%s", r->dir, file);
	if ((fd = openat(r->fd, file, flags, 0600)) < 0)
		return repo_make_error(r, file, e);
	be_like(fd, like);
	if (io_write(fd, data, len, e) == 0 && io_fsync(fd, e) == 0 && io_close(&fd, e) == 0)
		return 0;
	if (fd >= 0)
		(void)close(fd);
	(void)unlinkat(r->fd, file, 0);
	return err_where(e, "%s/%s", r->dir, file);
}

int
repo_replace(const struct repo *r, const char *new, const char *file, const struct stat *like,
    const void *data, size_t len, struct err *e)
{
	if (write_new(r, new, like, data, len, e) < 0)
		return -1;
	if (renameat(r->fd, new, r->fd, file) != 0) {
		(void)err_sys(e, "rename %s/%s to %s", r->dir, new, file);
		(void)unlinkat(r->fd, new, 0);
		return -1;
	}
	return repo_sync(r, e);
}

/* ---- a new seal for an old backup ---- */

/* The text of a seal but for what a new one may change. */
static int
put_facts(const struct seal *s, struct buf *out, struct err *e)
{
	struct seal facts = *s; /* shares what it points to, and is not done with */

	facts.holds = NULL;
	facts.n_holds = 0;
	facts.policy = NULL;
	return seal_write(&facts, NULL, out, e);
}

static int
check_same(const struct seal *old, const struct seal *s, struct err *e)
{
	struct buf before = {0}, after = {0};
	int rc = -1;

	if (put_facts(old, &before, e) == 0 && put_facts(s, &after, e) == 0) {
		rc = 0;
		if (before.len != after.len || memcmp(before.data, after.data, after.len) != 0)
			rc = err_set(e, ERR_CORRUPT, "the seal that stands there says otherwise");
	}
	buf_done(&before);
	buf_done(&after);
	return rc;
}

static int
check_old(const struct repo_backup *old, const struct seal *s, bool with_key, struct err *e)
{
	if (old->state == REPO_BAD)
		return err_set(e, ERR_CORRUPT, "its seal is bad: %s", old->why->msg);
	if (old->seal.is_signed && !with_key)
		return err_set(
		    e, ERR_USAGE, "it is signed, and without a key would not be any more");
	return check_same(&old->seal, s, e);
}

/*
 * The only place where a name of a finished backup is given to another file.  rename(2) and not
 * repo_move(), which never replaces: at no moment is the backup without a seal.
 */
static int
replace(const struct repo *r, const char *name, const void *seal, size_t len, struct err *e)
{
	char file[REPO_FILE_MAX], new[REPO_FILE_MAX];
	struct stat st;

	repo_final_name(REPO_SEAL, name, file);
	repo_new_name(REPO_SEAL, name, new);
	if (fstatat(r->fd, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return err_sys(e, "%s/%s", r->dir, file);
	return repo_replace(r, new, file, &st, seal, len, e);
}

static int
reseal(const struct repo *r, struct seal *s, const struct key *key, struct err *e)
{
	struct repo_backup old;
	struct seal sealed = *s; /* only its digest, key and form are its own */
	struct buf text = {0};
	int rc;

	if (repo_read_seal(r, s->name, NULL, &old, e) < 0)
		return -1;
	rc = check_old(&old, s, key != NULL, e);
	repo_backup_done(&old);
	if (rc == 0 && (rc = seal_write(&sealed, key, &text, e)) == 0 &&
	    (rc = replace(r, s->name, text.data, text.len, e)) == 0)
		*s = sealed;
	buf_done(&text);
	return rc;
}

int
repo_reseal(struct repo *r, struct seal *s, const struct key *key, struct err *e)
{
	if (repo_need_lock(r, e) < 0 || reseal(r, s, key, e) < 0)
		return err_where(e, "seal %s anew", s->name);
	return 0;
}

int
repo_put_seal(struct repo *r, const char *name, const void *seal, size_t len, struct err *e)
{
	if (repo_need_lock(r, e) < 0)
		return -1;
	if (!seal_name_ok(name))
		return err_set(e, ERR_USAGE, "\"%s\" cannot be the name of a backup", name);
	return replace(r, name, seal, len, e);
}
