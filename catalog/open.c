/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/ours.h"
#include "core/err.h"
#include "core/io.h"
#include "core/log.h"
#include "store/repo.h"

#define JOURNAL REPO_CATALOG "-journal"

/*
 * SQLite takes a path, not a directory's descriptor; and with SQLITE_OPEN_NOFOLLOW, which
 * keeps a planted link from leading it elsewhere, one without any symlink.
 */
static int
real_path(const struct repo *r, const char *name, char **out, struct err *e)
{
	char *dir = realpath(repo_dir(r), NULL);
	struct stat a, b;
	int rc = -1;

	if (dir == NULL)
		return err_sys(e, "%s", repo_dir(r));
	if (stat(dir, &a) != 0 || fstat(repo_fd(r), &b) != 0)
		(void)err_sys(e, "%s", dir);
	else if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		(void)err_set(e, ERR_SYS, "%s: is not the directory any more that was opened", dir);
	else if (asprintf(out, "%s/%s", dir, name) == -1)
		(void)err_nomem(e);
	else
		rc = 0;
	free(dir);
	return rc;
}

int
catalog_open_file(struct catalog **out, struct repo *r, bool writable, struct err *e)
{
	struct catalog *c = NULL;
	char *path = NULL;
	off_t size;
	int rc = catalog_ours_regular(repo_fd(r), REPO_CATALOG, &size, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "%s/%s: no catalog", repo_dir(r), REPO_CATALOG);
	if (catalog_ours_beside(repo_fd(r), e) != 0 || real_path(r, REPO_CATALOG, &path, e) != 0)
		return -1;
	rc = catalog_db_open(&c, path,
	    (writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOFOLLOW, e);
	free(path);
	if (rc != 0)
		return err_where(e, REPO_CATALOG);
	c->guarded = true;
	if (catalog_ours_check(c, e) != 0) {
		(void)catalog_db_close(c, NULL);
		return err_where(e, REPO_CATALOG);
	}
	/* A writer's statements live for a whole merge; it guards itself by order instead. */
	c->guarded = !writable;
	*out = c;
	return 0;
}

static int
create(struct catalog **out, const char *path, struct err *e)
{
	struct catalog *c = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW;
	char sql[128];

	if (catalog_db_open(&c, path, flags, e) != 0)
		return -1;
	(void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    CATALOG_DB_APPLICATION, CATALOG_DB_VERSION);
	/*
	 * Nobody else sees this file, and it is synced before it gets its name: only a failure
	 * of ours must be rolled back, so the journal is kept, but never synced.
	 */
	if (catalog_db_pragmas(c, e) != 0 ||
	    catalog_db_exec(c, "PRAGMA synchronous = OFF", e) != 0 ||
	    catalog_db_exec(c, sql, e) != 0 || catalog_db_exec(c, catalog_ours_schema, e) != 0) {
		(void)catalog_db_close(c, NULL);
		return -1;
	}
	*out = c;
	return 0;
}

int
catalog_open_temp(struct catalog **out, struct err *e)
{
	if (create(out, "", e) != 0)
		return err_where(e, "a temporary catalog");
	return 0;
}

static int
remove_if_there(int dirfd, const char *name, bool *was, struct err *e)
{
	if (unlinkat(dirfd, name, 0) == 0)
		*was = true;
	else if (errno != ENOENT)
		return err_sys(e, "%s: unlink", name);
	return 0;
}

static int
remove_new(int dirfd, struct err *e)
{
	bool was;

	if (remove_if_there(dirfd, CATALOG_OPEN_NEW, &was, e) != 0 ||
	    remove_if_there(dirfd, CATALOG_OPEN_NEW "-journal", &was, e) != 0 ||
	    remove_if_there(dirfd, CATALOG_OPEN_NEW "-wal", &was, e) != 0)
		return -1;
	return 0;
}

int
catalog_open_new(struct catalog **out, struct repo *r, struct err *e)
{
	char *path = NULL;
	int rc;

	if (remove_new(repo_fd(r), e) != 0 || real_path(r, CATALOG_OPEN_NEW, &path, e) != 0)
		return -1;
	rc = create(out, path, e);
	free(path);
	if (rc != 0) {
		(void)remove_new(repo_fd(r), NULL);
		return err_where(e, CATALOG_OPEN_NEW);
	}
	return 0;
}

static int
sync_new(int dirfd, struct err *e)
{
	int fd = openat(dirfd, CATALOG_OPEN_NEW, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int rc;

	if (fd == -1)
		return err_sys(e, "open");
	rc = io_fsync(fd, e);
	if (io_close(&fd, rc == 0 ? e : NULL) != 0)
		rc = -1;
	return rc;
}

/*
 * A journal that stays behind would be rolled back into the new file, and an old catalog
 * that loses its journal would look whole without being so.  So: first the old one,
 * durably, then its journal, then the new one's rename.
 */
static int
replace(int dirfd, struct err *e)
{
	static const char *const beside[] = {JOURNAL, REPO_CATALOG "-wal", REPO_CATALOG "-shm"};
	bool was = false;

	if (faccessat(dirfd, JOURNAL, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	    faccessat(dirfd, REPO_CATALOG "-wal", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		if (remove_if_there(dirfd, REPO_CATALOG, &was, e) != 0 || io_fsync(dirfd, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
		if (remove_if_there(dirfd, beside[i], &was, e) != 0)
			return -1;
	if (was && io_fsync(dirfd, e) != 0)
		return -1;
	if (renameat(dirfd, CATALOG_OPEN_NEW, dirfd, REPO_CATALOG) != 0)
		return err_sys(e, "rename to %s", REPO_CATALOG);
	return io_fsync(dirfd, e);
}

int
catalog_open_publish(struct catalog *c, struct repo *r, struct err *e)
{
	int dirfd = repo_fd(r);

	if (catalog_db_close(c, e) != 0 || sync_new(dirfd, e) != 0 || replace(dirfd, e) != 0) {
		(void)remove_new(dirfd, NULL);
		return err_where(e, CATALOG_OPEN_NEW);
	}
	return 0;
}

void
catalog_open_discard(struct catalog *c, struct repo *r)
{
	(void)catalog_db_close(c, NULL);
	(void)remove_new(repo_fd(r), NULL);
}

int
catalog_open_write(struct catalog **out, struct repo *r, struct err *e)
{
	struct catalog *c = NULL;
	struct err why = {0};

	if (catalog_open_file(out, r, true, &why) == 0)
		return 0;
	if (why.kind == ERR_CORRUPT)
		log_warn("%s: %s: starting a new one", repo_dir(r), why.msg);
	else if (why.kind != ERR_NOTFOUND)
		return err_pass(e, &why);
	if (catalog_open_new(&c, r, e) != 0 || catalog_open_publish(c, r, e) != 0)
		return -1;
	return catalog_open_file(out, r, true, e);
}

int
catalog_open_history(struct catalog **out, struct repo *r, struct err *e)
{
	return catalog_open_file(out, r, false, e);
}

void
catalog_close(struct catalog *c)
{
	(void)catalog_db_close(c, NULL);
}
