/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/verification.h"

#include <string.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/err.h"
#include "core/log.h"

static const struct catalog_backup *
find(struct catalog *c, const char *name)
{
	for (size_t i = 0; i < c->n_backups; i++)
		if (strcmp(c->backups[i].name, name) == 0)
			return &c->backups[i];
	return NULL;
}

/* The backup of that name, or NULL: ERR_NOTFOUND, or c could not be read. */
static const struct catalog_backup *
need(struct catalog *c, const char *name, struct err *e)
{
	const struct catalog_backup *b;

	if (catalog_db_load(c, e) != 0)
		return NULL;
	b = find(c, name);
	if (b == NULL)
		(void)err_set(e, ERR_NOTFOUND, "%s: is not in the catalog", name);
	return b;
}

static bool
level_ok(int64_t level)
{
	return level >= CATALOG_QUICK && level <= CATALOG_DEEP;
}

static int
put(struct catalog *c, const uint8_t digest[SHA256_LEN], const struct catalog_verification *v,
    struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (catalog_db_prepare(c,
		"INSERT OR REPLACE INTO verification (digest, at, level, ok) VALUES (?1, ?2, ?3, "
		"?4)",
		&st, e) != 0)
		return -1;
	(void)sqlite3_bind_blob(st, 1, digest, SHA256_LEN, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 2, v->at);
	(void)sqlite3_bind_int64(st, 3, v->level);
	(void)sqlite3_bind_int64(st, 4, v->ok);
	rc = catalog_db_run(c, st, e);
	(void)sqlite3_finalize(st);
	return rc;
}

int
catalog_add_verification(
    struct catalog *c, const char *name, const struct catalog_verification *v, struct err *e)
{
	const struct catalog_backup *b = need(c, name, e);

	return b == NULL ? -1 : put(c, b->digest, v, e);
}

static int
read_row(sqlite3_stmt *st, struct catalog_verification *v, struct err *e)
{
	int64_t level = sqlite3_column_int64(st, 1);

	if (!level_ok(level))
		return catalog_db_damaged(e, "a verification has the wrong form");
	v->at = (time_t)sqlite3_column_int64(st, 0);
	v->level = (enum catalog_level)level;
	v->ok = sqlite3_column_int64(st, 2) != 0;
	return 0;
}

int
catalog_verified(struct catalog *c, const uint8_t digest[SHA256_LEN],
    struct catalog_verification *v, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	catalog_db_guard(c);
	rc = catalog_db_prepare(c,
	    "SELECT at, level, ok FROM verification WHERE digest = ?1"
	    " ORDER BY at DESC, level DESC LIMIT 1",
	    &st, e);
	if (rc == 0) {
		(void)sqlite3_bind_blob(st, 1, digest, SHA256_LEN, SQLITE_STATIC);
		rc = catalog_db_step(c, st, e);
		if (rc == 1 && read_row(st, v, e) != 0)
			rc = -1;
	}
	(void)sqlite3_finalize(st);
	return rc;
}

int
catalog_last_verification(
    struct catalog *c, const char *name, struct catalog_verification *v, struct err *e)
{
	const struct catalog_backup *b = need(c, name, e);

	return b == NULL ? -1 : catalog_verified(c, b->digest, v, e);
}

/* History of one backup. */
static int
copy_backup(struct catalog *c, const uint8_t digest[SHA256_LEN], struct catalog *old,
    sqlite3_stmt *from, struct err *why, struct err *e)
{
	struct catalog_verification v = {0};

	(void)sqlite3_bind_blob(from, 1, digest, SHA256_LEN, SQLITE_STATIC);
	catalog_db_guard(old);
	while (catalog_db_step(old, from, why) == 1) {
		if (read_row(from, &v, why) != 0)
			break;
		if (put(c, digest, &v, e) != 0)
			return -1;
	}
	(void)sqlite3_reset(from);
	return 0; /* what why says is not ours to fail on */
}

int
catalog_verification_copy(struct catalog *c, struct catalog *old, struct err *e)
{
	sqlite3_stmt *from = NULL;
	struct err why = {0};
	int rc = 0;

	if (old == NULL)
		return 0;
	if (catalog_db_load(c, e) != 0 || catalog_db_exec(c, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	if (catalog_db_prepare(
		old, "SELECT at, level, ok FROM verification WHERE digest = ?1", &from, &why) == 0)
		for (size_t i = 0; rc == 0 && why.kind == ERR_NONE && i < c->n_backups; i++)
			rc = copy_backup(c, c->backups[i].digest, old, from, &why, e);
	(void)sqlite3_finalize(from);
	if (why.kind != ERR_NONE)
		log_warn("history of verifications was lost: %s", why.msg);
	if (rc == 0)
		rc = catalog_db_exec(c, "COMMIT", e);
	if (rc != 0 && !sqlite3_get_autocommit(c->db))
		(void)catalog_db_exec(c, "ROLLBACK", NULL);
	return rc;
}

int
catalog_members(
    struct catalog *c, const char *name, uint64_t *members, uint64_t *shared, struct err *e)
{
	const struct catalog_backup *b = need(c, name, e);
	sqlite3_stmt *st = NULL;
	int rc;

	if (b == NULL)
		return -1;
	catalog_db_guard(c);
	rc = catalog_db_prepare(c,
	    "SELECT count(*), total(EXISTS (SELECT 1 FROM member o WHERE o.digest = m.digest"
	    " AND (o.series, o.sequence) <> (?1, ?2)))"
	    " FROM member m WHERE m.series = ?1 AND m.sequence = ?2",
	    &st, e);
	if (rc == 0) {
		(void)sqlite3_bind_int64(st, 1, b->series);
		(void)sqlite3_bind_int64(st, 2, (int64_t)b->sequence);
		rc = catalog_db_step(c, st, e);
	}
	if (rc == 1) {
		*members = (uint64_t)sqlite3_column_int64(st, 0);
		*shared = (uint64_t)sqlite3_column_int64(st, 1);
	}
	(void)sqlite3_finalize(st);
	return rc == 1 ? 0 : rc == 0 ? catalog_db_damaged(e, "no count") : -1;
}
