/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/io.h"
#include "store/priv.h"

struct repo_txn {
	const struct repo *repo;
	char name[SEAL_NAME_MAX + 1];
	int fds[REPO_PARTS]; /* -1: not open */
	bool made[REPO_PARTS]; /* the dot-name is ours to remove */
};

/* Mode 0600: an archive holds what its source kept from others. */
static int
make_part(struct repo_txn *t, enum repo_part part, struct err *e)
{
	char file[REPO_FILE_MAX];

	repo_new_name(part, t->name, file);
	t->fds[part] =
	    openat(t->repo->fd, file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (t->fds[part] < 0)
		return repo_make_error(t->repo, file, e);
	t->made[part] = true;
	return 0;
}

int
repo_txn_begin(struct repo_txn **out, struct repo *r, const char *name, struct err *e)
{
	struct repo_txn *t;

	if (repo_need_lock(r, e) < 0)
		return -1;
	if (!seal_name_ok(name))
		return err_set(e, ERR_USAGE, "\"%s\" cannot be the name of a backup", name);
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return err_nomem(e);
	t->repo = r;
	(void)strcpy(t->name, name);
	for (int i = 0; i < REPO_PARTS; i++)
		t->fds[i] = -1;
	if (make_part(t, REPO_ARCHIVE, e) < 0 || make_part(t, REPO_MANIFEST, e) < 0) {
		repo_txn_abort(t);
		return -1;
	}
	*out = t;
	return 0;
}

int
repo_txn_archive_fd(const struct repo_txn *t)
{
	return t->fds[REPO_ARCHIVE];
}

int
repo_txn_manifest_fd(const struct repo_txn *t)
{
	return t->fds[REPO_MANIFEST];
}

static void
txn_free(struct repo_txn *t)
{
	for (int i = 0; i < REPO_PARTS; i++)
		if (t->fds[i] >= 0)
			(void)close(t->fds[i]);
	free(t);
}

/* The seal goes first: without it nothing can be taken for a finished backup. */
void
repo_txn_abort(struct repo_txn *t)
{
	char file[REPO_FILE_MAX];

	if (t == NULL)
		return;
	for (int part = REPO_PARTS - 1; part >= 0; part--) {
		if (!t->made[part])
			continue;
		repo_new_name((enum repo_part)part, t->name, file);
		(void)unlinkat(t->repo->fd, file, 0);
	}
	txn_free(t);
}

/* fsync and close: both may tell of a write that failed late. */
static int
finish_part(struct repo_txn *t, enum repo_part part, struct err *e)
{
	char file[REPO_FILE_MAX];

	if (io_fsync(t->fds[part], e) == 0 && io_close(&t->fds[part], e) == 0)
		return 0;
	repo_new_name(part, t->name, file);
	return err_where(e, "%s/%s", t->repo->dir, file);
}

static int
write_seal(struct repo_txn *t, const void *seal, size_t len, struct err *e)
{
	char file[REPO_FILE_MAX];

	if (make_part(t, REPO_SEAL, e) < 0)
		return -1;
	if (io_write(t->fds[REPO_SEAL], seal, len, e) == 0)
		return finish_part(t, REPO_SEAL, e);
	repo_new_name(REPO_SEAL, t->name, file);
	return err_where(e, "%s/%s", t->repo->dir, file);
}

/*
 * The seal is begun when the other two are on disk, so that a whole seal, found
 * after a crash, speaks of whole files.
 */
static int
make_durable(struct repo_txn *t, const void *seal, size_t len, struct err *e)
{
	if (finish_part(t, REPO_ARCHIVE, e) < 0 || finish_part(t, REPO_MANIFEST, e) < 0 ||
	    write_seal(t, seal, len, e) < 0)
		return -1;
	if (io_fsync(t->repo->fd, e) < 0)
		return err_where(e, "repository %s", t->repo->dir);
	return 0;
}

/* The archive gets its own first. */
static bool
has_a_name(const struct repo_txn *t)
{
	char file[REPO_FILE_MAX];
	struct stat st;

	repo_new_name(REPO_ARCHIVE, t->name, file);
	return repo_look(t->repo, file, &st, NULL) != 1;
}

int
repo_txn_commit(struct repo_txn *t, const void *seal, size_t seal_len, struct err *e)
{
	int rc;

	if (make_durable(t, seal, seal_len, e) < 0) {
		repo_txn_abort(t);
		return -1;
	}
	/*
	 * From here on the next run can finish it, and will.  But where there is no space for names
	 * (btrfs wants some for a rename), it could not either, and what is written would be in its
	 * way.
	 */
	rc = repo_move_in(t->repo, t->name, e);
	if (rc < 0 && err_is_no_space(e) && !has_a_name(t))
		repo_txn_abort(t);
	else
		txn_free(t);
	return rc;
}

bool
repo_is_sealed(const struct repo *r, const char *name)
{
	char begun[REPO_FILE_MAX], file[REPO_FILE_MAX];
	struct stat st;

	repo_new_name(REPO_SEAL, name, begun);
	repo_final_name(REPO_SEAL, name, file);
	return repo_look(r, begun, &st, NULL) != 0 || repo_look(r, file, &st, NULL) != 0;
}
