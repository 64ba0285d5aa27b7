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
#include "core/err.h"
#include "core/io.h"
#include "core/log.h"
#include "store/repo.h"

#define HEADER_LEN 100
#define JOURNAL REPO_CATALOG "-journal"

static const char schema[] =
#include "catalog_schema.h"
    ;

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* 1: a regular file; 0: nothing there; -1: anything else. */
static int
regular(int dirfd, const char *name, off_t *size, struct err *e)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_CORRUPT, "%s: is not a regular file", name);
	*size = st.st_size;
	return 1;
}

/*
 * A journal can name a "super-journal", a file that SQLite removes after the roll-back.
 * We never write such journals, so one that does was put there to have a file removed.
 * It is also in WAL files that another's rows could be hidden: none can be ours.
 */
static int
check_beside(int dirfd, struct err *e)
{
	static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	uint8_t tail[8];
	off_t size = 0;
	int fd, rc = regular(dirfd, JOURNAL, &size, e);

	if (rc < 0)
		return -1;
	if (rc == 1 && size >= (off_t)sizeof(tail)) {
		fd = openat(dirfd, JOURNAL, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1)
			return errno == ENOENT ? 0 : err_sys(e, JOURNAL);
		rc = io_pread_exact(fd, tail, sizeof(tail), (uint64_t)size - sizeof(tail), e);
		(void)close(fd);
		if (rc != 0)
			return err_where(e, JOURNAL);
		if (memcmp(tail, magic, sizeof(tail)) == 0)
			return err_set(e, ERR_CORRUPT, JOURNAL ": names another file");
	}
	if (faccessat(dirfd, REPO_CATALOG "-wal", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_CORRUPT, REPO_CATALOG "-wal: cannot be ours");
	return 0;
}

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

/*
 * Looked at before SQLite reads a page, so that it never starts WAL mode (files 18 and 19
 * of the header say 2 then) or a recovery on what cannot be ours.
 */
static int
check_header(struct catalog *c, struct err *e)
{
	uint8_t h[HEADER_LEN];

	if (catalog_db_header(c, h, sizeof(h), e) != 0)
		return -1;
	if (memcmp(h, "SQLite format 3", 16) != 0)
		return catalog_db_damaged(e, "it does not start as one");
	if (be32(h + 68) != CATALOG_DB_APPLICATION)
		return err_set(e, ERR_UNSUPPORTED,
		    "a database of another program has the catalog's name; move it away");
	if (be32(h + 60) > CATALOG_DB_VERSION)
		return err_set(e, ERR_UNSUPPORTED,
		    "the catalog is of a newer version (%u; this program knows %d)", be32(h + 60),
		    CATALOG_DB_VERSION);
	if (be32(h + 60) != CATALOG_DB_VERSION || h[18] != 1 || h[19] != 1)
		return catalog_db_damaged(e, "its header has the wrong form");
	return 0;
}

static int
set_pragmas(struct catalog *c, struct err *e)
{
	return catalog_db_exec(c,
	    "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -8192;"
	    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = "
	    "OFF;",
	    e);
}

static void
hash_row(struct sha256 *h, sqlite3_stmt *st)
{
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		const unsigned char *text = sqlite3_column_text(st, i);
		int len = sqlite3_column_bytes(st, i);

		if (text != NULL && len > 0)
			sha256_update(h, text, (size_t)len);
		sha256_update(h, "", 1);
	}
}

/* The schema as SQLite keeps it, row after row, as one digest. */
static int
schema_digest(struct catalog *c, uint8_t out[SHA256_LEN], struct err *e)
{
	struct sha256 h;
	sqlite3_stmt *st = NULL;
	int rc = catalog_db_prepare(
	    c, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name", &st, e);

	sha256_init(&h);
	if (rc == 0) {
		while ((rc = catalog_db_step(c, st, e)) == 1)
			hash_row(&h, st);
	}
	sqlite3_finalize(st);
	sha256_final(&h, out);
	return rc;
}

static int
check_schema(struct catalog *c, struct err *e)
{
	struct catalog *model = NULL;
	uint8_t want[SHA256_LEN], is[SHA256_LEN];
	int rc;

	if (catalog_db_open(&model, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e) != 0)
		return -1;
	rc = catalog_db_exec(model, schema, e);
	if (rc == 0)
		rc = schema_digest(model, want, e);
	(void)catalog_db_close(model, NULL);
	if (rc == 0)
		rc = schema_digest(c, is, e);
	if (rc == 0 && memcmp(want, is, sizeof(is)) != 0)
		rc = catalog_db_damaged(e, "its schema is another");
	return rc;
}

static int
check(struct catalog *c, struct err *e)
{
	if (check_header(c, e) != 0 || set_pragmas(c, e) != 0)
		return -1;
	catalog_db_guard(c);
	return check_schema(c, e);
}

int
catalog_open_file(struct catalog **out, struct repo *r, bool writable, struct err *e)
{
	struct catalog *c = NULL;
	char *path = NULL;
	off_t size;
	int rc = regular(repo_fd(r), REPO_CATALOG, &size, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return err_set(e, ERR_NOTFOUND, "%s/%s: no catalog", repo_dir(r), REPO_CATALOG);
	if (check_beside(repo_fd(r), e) != 0 || real_path(r, REPO_CATALOG, &path, e) != 0)
		return -1;
	rc = catalog_db_open(&c, path,
	    (writable ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOFOLLOW, e);
	free(path);
	if (rc != 0)
		return err_where(e, REPO_CATALOG);
	c->guarded = true;
	if (check(c, e) != 0) {
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
	if (set_pragmas(c, e) != 0 || catalog_db_exec(c, "PRAGMA synchronous = OFF", e) != 0 ||
	    catalog_db_exec(c, sql, e) != 0 || catalog_db_exec(c, schema, e) != 0) {
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
	else if (why.kind != ERR_NOTFOUND) {
		if (e != NULL)
			*e = why;
		return -1;
	}
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
