/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/io.h"
#include "core/log.h"
#include "store/priv.h"

/*
 * What a commit that was cut short can leave, and what is made of it:
 *
 *	.tar.gz.new  .manifest.gz.new  .seal.new      final names
 *	any          any               none           none           removed
 *	any          any               not whole      none           removed
 *	here         here              whole          none           rolled forward
 *	moved        here or moved     whole          those moved    rolled forward
 *	moved        moved             moved          all            nothing to do
 *
 * Where link(2) stood in for a rename, a part may have both names at once; then
 * they are one inode.  A final name that is another inode is somebody else's
 * file: it stays, and the backup in progress, which cannot have its name, goes.
 * So a seal that was to take another's place (repo_reseal) goes: the old one stands.
 *
 * A run that was killed, and no more than that, leaves what the kernel knows and the disk may not:
 * before anything is built on it, files and names are synced.  It costs next to nothing.
 */
struct names {
	char (*names)[SEAL_NAME_MAX + 1];
	size_t n;
};

static int
collect(void *ctx, const char *file, struct err *e)
{
	struct names *found = ctx;
	struct repo_file f;

	if (!repo_file_parse(file, &f) || !(f.is_new || f.is_gone))
		return 0;
	if ((found->n & (found->n - 1)) == 0) { /* doubling, seen from the count */
		size_t n = found->n == 0 ? 1 : found->n * 2;
		void *more = reallocarray(found->names, n, sizeof(found->names[0]));

		if (more == NULL)
			return err_nomem(e);
		found->names = more;
	}
	(void)strcpy(found->names[found->n++], f.name);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The one place where a part is, under either name or both. */
static int
locate(const struct repo *r, enum repo_part part, const char *name, struct stat *st,
    char file[REPO_FILE_MAX], struct err *e)
{
	char final[REPO_FILE_MAX];
	struct stat fst;
	int is_new, is_final;

	repo_new_name(part, name, file);
	repo_final_name(part, name, final);
	if ((is_new = repo_look(r, file, st, e)) < 0 ||
	    (is_final = repo_look(r, final, &fst, e)) < 0)
		return -1;
	if (is_new && is_final && (st->st_dev != fst.st_dev || st->st_ino != fst.st_ino))
		return err_set(e, ERR_CORRUPT, "%s: the name is taken by another file", final);
	if (!is_new && !is_final)
		return err_set(e, ERR_CORRUPT, "%s: is missing", file);
	if (!is_new) {
		*st = fst;
		(void)strcpy(file, final);
	}
	return 0;
}

static int
sync_file(const struct repo *r, const char *file, struct err *e)
{
	int fd = openat(r->fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return err_sys(e, "%s", file);
	if ((rc = io_fsync(fd, e)) < 0)
		(void)err_where(e, "%s", file);
	(void)close(fd);
	return rc;
}

/* Is the part there, with the size that the seal names? */
static int
check_part(
    const struct repo *r, enum repo_part part, const char *name, uint64_t size, struct err *e)
{
	char file[REPO_FILE_MAX];
	struct stat st;

	if (locate(r, part, name, &st, file, e) < 0)
		return -1;
	if ((uint64_t)st.st_size != size)
		return err_set(e, ERR_CORRUPT, "%s: has %lld bytes, sealed were %llu", file,
		    (long long)st.st_size, (unsigned long long)size);
	return sync_file(r, file, e);
}

/* The seal in progress, whole and with its parts; ERR_CORRUPT when it cannot be finished. */
static int
check_whole(const struct repo *r, const char *name, struct err *e)
{
	char file[REPO_FILE_MAX];
	struct buf text = {0};
	struct seal s = {0};
	struct stat st;
	int rc = -1;

	repo_new_name(REPO_SEAL, name, file);
	if ((rc = repo_look(r, file, &st, e)) <= 0) {
		if (rc == 0)
			rc = err_set(e, ERR_CORRUPT, "%s: is missing", file);
		goto out;
	}
	rc = -1;
	if (locate(r, REPO_SEAL, name, &st, file, e) < 0 ||
	    io_read_file(r->fd, file, SEAL_FILE_MAX, &text, e) < 0 ||
	    seal_parse(&s, text.data, text.len, NULL, e) < 0)
		goto out;
	if (strcmp(s.name, name) != 0)
		rc = err_set(e, ERR_CORRUPT, "%s: is the seal of %s", file, s.name);
	else if (sync_file(r, file, e) == 0 &&
	    check_part(r, REPO_ARCHIVE, name, s.archive_size, e) == 0)
		rc = check_part(r, REPO_MANIFEST, name, s.manifest_size, e);
out:
	seal_done(&s);
	buf_done(&text);
	return rc;
}

static int
remove_file(const struct repo *r, const char *file, bool *removed, struct err *e)
{
	struct stat st;

	if (repo_look(r, file, &st, NULL) != 1)
		return 0;
	if (unlinkat(r->fd, file, 0) != 0 && errno != ENOENT)
		return err_sys(e, "unlink %s/%s", r->dir, file);
	*removed = true;
	return 0;
}

static int
remove_new(const struct repo *r, const char *name, struct err *e)
{
	char file[REPO_FILE_MAX];
	bool removed = false;

	for (int part = REPO_PARTS - 1; part >= 0; part--) {
		repo_new_name((enum repo_part)part, name, file);
		if (remove_file(r, file, &removed, e) < 0)
			return -1;
	}
	if (removed)
		log_note("removed what a run that was cut short left of %s", name);
	return 0;
}

static int
recover_new(const struct repo *r, const char *name, struct err *e)
{
	struct err why = {0};

	if (check_whole(r, name, &why) == 0) {
		if (repo_sync(r, e) < 0 || repo_move_in(r, name, e) < 0)
			return err_where(e, "finish backup %s", name);
		log_note("finished backup %s, which a run that was cut short had sealed", name);
		return 0;
	}
	/* Only what surely cannot be finished is removed: not for want of memory or a right. */
	if (why.kind != ERR_CORRUPT) {
		(void)err_pass(e, &why);
		return err_where(e, "finish backup %s", name);
	}
	log_verbose("backup %s cannot be finished: %s", name, why.msg);
	return remove_new(r, name, e);
}

static int
recover_hold(const struct repo *r, const char *name, struct err *e)
{
	char file[REPO_FILE_MAX];
	bool removed = false;

	repo_hold_new_name(name, file);
	if (remove_file(r, file, &removed, e) < 0)
		return -1;
	if (removed)
		log_note("removed a hold of %s that a run that was cut short had not set", name);
	return 0;
}

/*
 * First what is new: should there be a new backup of a name whose pruning was never finished, its
 * files are no longer the pruned one's.
 */
static int
recover_one(const struct repo *r, const char *name, struct err *e)
{
	if (recover_new(r, name, e) < 0 || recover_hold(r, name, e) < 0)
		return -1;
	return repo_recover_gone(r, name, e);
}

int
repo_recover(struct repo *r, struct err *e)
{
	struct names found = {0};
	int rc;

	if (repo_need_lock(r, e) < 0)
		return -1;
	rc = repo_each_name(r, collect, &found, e);
	if (found.n > 0)
		qsort(found.names, found.n, sizeof(found.names[0]), by_name);
	for (size_t i = 0; rc == 0 && i < found.n; i++)
		if (i == 0 || strcmp(found.names[i], found.names[i - 1]) != 0)
			rc = recover_one(r, found.names[i], e);
	free(found.names);
	return rc;
}
