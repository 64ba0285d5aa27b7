/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/db.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "core/err.h"
#include "core/path.h"
#include "core/stop.h"

#define BUSY_MS 5000
#define STEPS_A_CALL 1000
#define DAMAGED "the catalog is damaged: "

/*
 * Asked every STEPS_A_CALL steps of SQLite's virtual machine: has a signal come, or
 * does a statement run for longer than an honest file of this size could make it?
 */
static int
on_progress(void *ctx)
{
	struct catalog *c = ctx;

	if (stop_signal() != 0)
		return 1;
	c->steps += STEPS_A_CALL;
	return c->guarded && c->steps > c->steps_max;
}

static int
config(struct catalog *c, struct err *e)
{
	static const struct {
		int op, value;
	} flags[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0},
	    {SQLITE_DBCONFIG_DQS_DML, 0},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (sqlite3_db_config(c->db, flags[i].op, flags[i].value, NULL) != SQLITE_OK)
			return catalog_db_fail(c, e);
	sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, CATALOG_DB_VALUE_MAX);
	sqlite3_limit(c->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_busy_timeout(c->db, BUSY_MS);
	sqlite3_progress_handler(c->db, STEPS_A_CALL, on_progress, c);
	return 0;
}

int
catalog_db_open(struct catalog **out, const char *path, int flags, struct err *e)
{
	struct catalog *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->path = strdup(path)) == NULL) {
		free(c);
		return err_nomem(e);
	}
	c->version = CATALOG_DB_VERSION;
	c->writable = (flags & SQLITE_OPEN_READWRITE) != 0;
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	if (sqlite3_open_v2(path, &c->db, flags, NULL) != SQLITE_OK) {
		if (c->db == NULL)
			(void)err_nomem(e);
		else
			(void)catalog_db_fail(c, e);
		(void)catalog_db_close(c, NULL);
		return -1;
	}
	if (config(c, e) != 0) {
		(void)catalog_db_close(c, NULL);
		return -1;
	}
	*out = c;
	return 0;
}

int
catalog_db_close(struct catalog *c, struct err *e)
{
	int rc = 0;

	if (c == NULL)
		return 0;
	free(c->backups);
	if (sqlite3_close(c->db) != SQLITE_OK) {
		rc = catalog_db_fail(c, e);
		(void)sqlite3_close_v2(c->db);
	}
	free(c->path);
	free(c);
	return rc;
}

void
catalog_db_moved(struct catalog *c)
{
	sqlite3_progress_handler(c->db, STEPS_A_CALL, on_progress, c);
}

int
catalog_db_pragmas(struct catalog *c, struct err *e)
{
	return catalog_db_exec(c,
	    "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -8192;"
	    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = "
	    "OFF;",
	    e);
}

int
catalog_db_header(struct catalog *c, uint8_t *out, int len, struct err *e)
{
	sqlite3_file *f = NULL;
	int rc;

	/*
	 * Through SQLite's own descriptor: to open and close the file beside it would drop the
	 * POSIX locks that it holds there.
	 */
	rc = sqlite3_file_control(c->db, "main", SQLITE_FCNTL_FILE_POINTER, &f);
	if (rc != SQLITE_OK || f == NULL || f->pMethods == NULL)
		return catalog_db_fail(c, e);
	rc = f->pMethods->xRead(f, out, len, 0);
	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		return err_set(e, ERR_SYS, "read: %s", sqlite3_errstr(rc));
	return 0;
}

void
catalog_db_guard(struct catalog *c)
{
	int64_t pages = 0, size = 0;

	if (!c->guarded)
		return;
	c->guarded = false;
	if (catalog_db_int(c, "PRAGMA page_count", &pages, NULL) != 1 ||
	    catalog_db_int(c, "PRAGMA page_size", &size, NULL) != 1 || pages < 0 || size < 0)
		pages = size = 0;
	c->guarded = true;
	/* A cell takes at least four bytes; no statement here spends 64 steps on one. */
	c->steps_max = 1000000 + (uint64_t)pages * (uint64_t)size * 16;
	c->steps = 0;
}

/*
 * SQLite keeps to itself why a file could not be opened or written, unless it is asked; and when
 * it could not make one, it tries to read it, so that ENOENT is all that it knows in the end.
 */
static const char *
real_reason(const struct catalog *c, int sys)
{
	char dir[PATH_MAX];
	struct statvfs v;

	if (sys != ENOENT)
		return strerror(sys);
	(void)snprintf(dir, sizeof(dir), "%s", c->path);
	char *slash = strrchr(dir, '/');
	if (slash == NULL)
		return NULL;
	slash[1] = '\0';
	if (statvfs(dir, &v) == 0 && v.f_files > 0 && v.f_favail == 0)
		return "no inode is free to make another file (df -i tells)";
	return NULL;
}

static int
system_failure(const struct catalog *c, int code, const char *why, struct err *e)
{
	int sys = sqlite3_system_errno(c->db);
	const char *reason = NULL;

	if ((code == SQLITE_CANTOPEN || code == SQLITE_IOERR) && sys != 0)
		reason = real_reason(c, sys);
	(void)err_set(e, ERR_SYS, "sqlite: %s%s%s", why, reason == NULL ? "" : ": ",
	    reason == NULL ? "" : reason);
	if (e != NULL)
		e->sys = sys;
	return -1;
}

int
catalog_db_fail(struct catalog *c, struct err *e)
{
	int code = sqlite3_errcode(c->db);
	const char *why = sqlite3_errmsg(c->db);

	switch (code) {
	case SQLITE_NOMEM:
		return err_nomem(e);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(e, ERR_LOCKED, "the catalog is busy: %s", why);
	case SQLITE_INTERRUPT:
		if (stop_check(e) != 0)
			return -1;
		return catalog_db_damaged(e, "it has no end");
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return system_failure(c, code, why, e);
	default:
		return catalog_db_damaged(e, why);
	}
}

int
catalog_db_exec(struct catalog *c, const char *sql, struct err *e)
{
	if (sqlite3_exec(c->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return catalog_db_fail(c, e);
	return 0;
}

int
catalog_db_prepare(struct catalog *c, const char *sql, sqlite3_stmt **out, struct err *e)
{
	if (sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
		return catalog_db_fail(c, e);
	return 0;
}

int
catalog_db_step(struct catalog *c, sqlite3_stmt *st, struct err *e)
{
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return catalog_db_fail(c, e);
	}
}

int
catalog_db_run(struct catalog *c, sqlite3_stmt *st, struct err *e)
{
	int rc = catalog_db_step(c, st, e);

	(void)sqlite3_reset(st); /* repeats the error that step gave */
	(void)sqlite3_clear_bindings(st);
	return rc == 0 ? 0 : rc < 0 ? -1 : catalog_db_damaged(e, "a row where none can be");
}

int
catalog_db_end(struct catalog *c, int rc, struct err *e)
{
	if (rc == 0 && catalog_db_exec(c, "COMMIT", e) == 0)
		return 0;
	/* SQLite has rolled back by itself after some failures. */
	if (!sqlite3_get_autocommit(c->db))
		(void)catalog_db_exec(c, "ROLLBACK", NULL);
	return -1;
}

int
catalog_db_int(struct catalog *c, const char *sql, int64_t *value, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = catalog_db_prepare(c, sql, &st, e);

	if (rc == 0)
		rc = catalog_db_step(c, st, e);
	if (rc == 1)
		*value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc;
}

int
catalog_db_current(const struct catalog *c, struct err *e)
{
	if (c->version == CATALOG_DB_VERSION)
		return 0;
	return err_set(e, ERR_UNSUPPORTED,
	    "the catalog is of version %d, which is not used any more", c->version);
}

int
catalog_db_damaged(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, DAMAGED "%s", what);
}

int
catalog_db_advise(const struct catalog *c, struct err *e)
{
	if (e != NULL && e->kind == ERR_CORRUPT && c->path[0] != '\0' &&
	    strncmp(e->msg, DAMAGED, strlen(DAMAGED)) == 0)
		(void)err_where(e, "%s (\"manifest rebuild\" makes a new one)", c->path);
	return -1;
}

int
catalog_db_digest(sqlite3_stmt *st, int col, uint8_t out[SHA256_LEN], struct err *e)
{
	const void *blob = sqlite3_column_blob(st, col);

	if (sqlite3_column_type(st, col) != SQLITE_BLOB || blob == NULL ||
	    sqlite3_column_bytes(st, col) != SHA256_LEN)
		return catalog_db_damaged(e, "a digest has the wrong form");
	memcpy(out, blob, SHA256_LEN);
	return 0;
}

int
catalog_db_key(struct buf *key, const char *path, size_t len, struct err *e)
{
	uint8_t *p;

	if (len > CATALOG_DB_VALUE_MAX / 2)
		return err_set(e, ERR_UNSUPPORTED, "a path of %zu bytes is too long", len);
	buf_clear(key);
	p = buf_reserve(key, len + 1);
	if (p == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < len; i++)
		p[i] = path[i] == '/' ? 0 : (uint8_t)path[i];
	key->len = len;
	return 0;
}

void
catalog_db_bind_key(sqlite3_stmt *st, int param, const struct buf *key)
{
	/* A null pointer would bind NULL, not the empty path. */
	(void)sqlite3_bind_blob64(
	    st, param, key->len > 0 ? (const void *)key->data : "", key->len, SQLITE_STATIC);
}

int
catalog_db_path(sqlite3_stmt *st, int col, struct buf *out, struct err *e)
{
	const uint8_t *blob = sqlite3_column_blob(st, col);
	size_t len = (size_t)sqlite3_column_bytes(st, col);
	uint8_t *p;

	if (sqlite3_column_type(st, col) != SQLITE_BLOB)
		return catalog_db_damaged(e, "a path has the wrong form");
	p = buf_reserve(out, len + 1);
	if (p == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < len; i++)
		p[i] = blob[i] == 0 ? '/' : blob[i] == '/' ? 0 : blob[i];
	p[len] = 0;
	if (!path_is_clean((const char *)p, len))
		return catalog_db_damaged(e, "a path has the wrong form");
	out->len += len;
	return 0;
}
