/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/io.h"
#include "core/log.h"
#include "store/priv.h"

/*
 * Removing a backup is a commit backwards:
 *
 *	NAME.seal -> .NAME.seal.gone    from here on there is no such backup
 *	fsync of the directory
 *	unlink NAME.tar.gz, NAME.manifest.gz
 *	fsync of the directory          else an archive might outlive the last word about it
 *	unlink .NAME.seal.gone
 *
 * The last name need not be synced: should it come back, there is nothing left to remove.
 *
 *	NAME.seal  .NAME.seal.gone    after a crash
 *	here       none               nothing was begun
 *	here       here               the seal stands: .gone goes (1)
 *	none       here               the rest is removed (2)
 *
 * (1) A link stood in for the rename, or the name was used again.
 * (2) As far as it is what the seal speaks of.
 */

static int
unlink_file(const struct repo *r, const char *file, struct err *e)
{
	if (unlinkat(r->fd, file, 0) != 0 && errno != ENOENT)
		return err_sys(e, "unlink %s/%s", r->dir, file);
	return 0;
}

/* Is the part there, a regular file of the sealed size?  Why not, of one that is there: *e. */
static bool
is_as_sealed(
    const struct repo *r, const char *file, const struct stat *st, uint64_t size, struct err *e)
{
	if ((uint64_t)st->st_size == size)
		return true;
	(void)err_set(e, ERR_CORRUPT, "%s/%s: has %lld bytes, sealed were %" PRIu64, r->dir, file,
	    (long long)st->st_size, size);
	return false;
}

/* What is something else than the seal says is somebody else's, or evidence: it stays. */
static int
remove_part(
    const struct repo *r, enum repo_part part, const char *name, uint64_t size, struct err *e)
{
	char file[REPO_FILE_MAX];
	struct err why = {0};
	struct stat st;
	int there;

	repo_final_name(part, name, file);
	there = repo_look(r, file, &st, &why);
	if (there == 0)
		return 0;
	if (there < 0 && why.kind != ERR_CORRUPT)
		return err_pass(e, &why);
	if (there == 1 && is_as_sealed(r, file, &st, size, &why))
		return unlink_file(r, file, e);
	log_warn("%s: left alone", why.msg);
	return 0;
}

static bool
is_archive_whole(const struct repo *r, const struct seal *s)
{
	char file[REPO_FILE_MAX];
	struct stat st;

	repo_final_name(REPO_ARCHIVE, s->name, file);
	return repo_look(r, file, &st, NULL) == 1 &&
	    is_as_sealed(r, file, &st, s->archive_size, NULL);
}

static int
undo(const struct repo *r, const char *name, struct err *e)
{
	char seal[REPO_FILE_MAX], gone[REPO_FILE_MAX];

	repo_final_name(REPO_SEAL, name, seal);
	repo_gone_name(name, gone);
	if (repo_move(r->fd, gone, seal, REPO_MOVE_RENAMEAT2, e) < 0)
		return -1;
	return repo_sync(r, e);
}

/*
 * From the moment on that the backup has no seal; but that is not on the disk for sure, when it was
 * done by a run that was killed.
 */
static int
remove_rest(const struct repo *r, const struct seal *s, struct err *e)
{
	char gone[REPO_FILE_MAX];

	repo_gone_name(s->name, gone);
	if (repo_sync(r, e) < 0)
		return -1;
	if (remove_part(r, REPO_ARCHIVE, s->name, s->archive_size, e) < 0) {
		if (is_archive_whole(r, s))
			(void)undo(r, s->name, NULL);
		return -1;
	}
	if (remove_part(r, REPO_MANIFEST, s->name, s->manifest_size, e) < 0 || repo_sync(r, e) < 0)
		return -1;
	return unlink_file(r, gone, e);
}

/*
 * What an earlier run left under the names that matter here.  A seal in progress (repo_reseal, cut
 * short) has to be gone for good before the backup is: with its own seal away, and its files still
 * there, it would be taken for a backup to be finished.
 */
static int
clear_names(const struct repo *r, const char *name, struct err *e)
{
	char file[REPO_FILE_MAX];
	struct stat st;
	int there;

	repo_gone_name(name, file);
	if ((there = repo_look(r, file, &st, e)) < 0 || (there == 1 && unlink_file(r, file, e) < 0))
		return -1;
	repo_new_name(REPO_SEAL, name, file);
	if ((there = repo_look(r, file, &st, e)) <= 0)
		return there;
	return unlink_file(r, file, e) < 0 ? -1 : repo_sync(r, e);
}

static int
prune(const struct repo *r, const struct repo_backup *b, struct err *e)
{
	char seal[REPO_FILE_MAX], gone[REPO_FILE_MAX];

	if (b->state == REPO_BAD)
		return err_set(e, ERR_CORRUPT,
		    "its seal is bad, so nothing tells what is to be removed: %s", b->why->msg);
	if (b->on_hold)
		return err_set(e, ERR_USAGE, "it is on hold");
	repo_final_name(REPO_SEAL, b->name, seal);
	repo_gone_name(b->name, gone);
	if (clear_names(r, b->name, e) < 0 ||
	    repo_move(r->fd, seal, gone, REPO_MOVE_RENAMEAT2, e) < 0)
		return -1;
	return remove_rest(r, &b->seal, e);
}

int
repo_prune(struct repo *r, const char *name, struct err *e)
{
	struct repo_backup b;
	int rc;

	if (repo_need_lock(r, e) < 0 || repo_read_seal(r, name, NULL, &b, e) < 0)
		return err_where(e, "remove backup %s", name);
	if ((rc = prune(r, &b, e)) < 0)
		(void)err_where(e, "remove backup %s", name);
	repo_backup_done(&b);
	return rc;
}

/* ---- after a crash ---- */

static int
read_gone(const struct repo *r, const char *name, struct seal *s, struct err *e)
{
	char file[REPO_FILE_MAX];
	struct buf text = {0};
	int rc;

	repo_gone_name(name, file);
	rc = io_read_file(r->fd, file, SEAL_FILE_MAX, &text, e);
	if (rc == 0)
		rc = seal_parse(s, text.data, text.len, NULL, e);
	buf_done(&text);
	if (rc == 0 && strcmp(s->name, name) != 0) {
		rc = err_set(e, ERR_CORRUPT, "it is the seal of %s", s->name);
		seal_done(s);
	}
	return rc < 0 ? err_where(e, "%s/%s", r->dir, file) : 0;
}

/* A hold may have been set while a removal stood half done: not too late, if the archive is there.
 */
static int
finish(const struct repo *r, const char *name, struct err *e)
{
	struct seal s = {.sequence = 0};
	int rc;

	if (read_gone(r, name, &s, e) < 0)
		return -1;
	if (repo_is_on_hold(r, name) && is_archive_whole(r, &s)) {
		if ((rc = undo(r, name, e)) == 0)
			log_note(
			    "backup %s is on hold: its removal, which was cut short, is undone",
			    name);
	} else if ((rc = remove_rest(r, &s, e)) == 0) {
		log_note("finished the removal of backup %s, which was cut short", name);
	}
	seal_done(&s);
	return rc;
}

static int
drop_gone(const struct repo *r, const char *name, const char *gone, struct err *e)
{
	if (unlink_file(r, gone, e) < 0)
		return -1;
	log_note("backup %s stays: a removal was cut short, and the seal is there", name);
	return 0;
}

/*
 * A removal that cannot be finished costs room, and no backup: that is told, and the run goes on.
 */
int
repo_recover_gone(const struct repo *r, const char *name, struct err *e)
{
	char seal[REPO_FILE_MAX], gone[REPO_FILE_MAX];
	struct err why = {0};
	struct stat st;
	int rc;

	repo_final_name(REPO_SEAL, name, seal);
	repo_gone_name(name, gone);
	if ((rc = repo_look(r, gone, &st, &why)) == 0)
		return 0;
	if (rc > 0) {
		if (fstatat(r->fd, seal, &st, AT_SYMLINK_NOFOLLOW) == 0)
			rc = drop_gone(r, name, gone, &why);
		else
			rc = errno == ENOENT ? finish(r, name, &why) : err_sys(&why, "%s", seal);
	}
	if (rc == 0)
		return 0;
	if (why.kind == ERR_STOPPED || why.sys == ENOMEM)
		return err_pass(e, &why);
	log_warn("the removal of backup %s cannot be finished: %s", name, why.msg);
	return 0;
}
