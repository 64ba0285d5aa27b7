/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/verification.h"

#include <string.h>

#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

static bool
level_ok(int64_t level)
{
	return level >= CATALOG_QUICK && level <= CATALOG_DRILL;
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
catalog_add_verification(struct catalog *c, const uint8_t digest[SHA256_LEN],
    const struct catalog_verification *v, struct err *e)
{
	return put(c, digest, v, e);
}

int
catalog_can_add(struct catalog *c, struct err *e)
{
	if (catalog_db_exec(c, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	return catalog_db_exec(c, "ROLLBACK", e);
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

/* The first row that sql gives for a digest, a level, and a time. */
static int
ask(struct catalog *c, const char *sql, const uint8_t digest[SHA256_LEN], enum catalog_level level,
    struct catalog_verification *v, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	catalog_db_guard(c);
	rc = catalog_db_prepare(c, sql, &st, e);
	if (rc == 0) {
		(void)sqlite3_bind_blob(st, 1, digest, SHA256_LEN, SQLITE_STATIC);
		(void)sqlite3_bind_int64(st, 2, level);
		(void)sqlite3_bind_int64(st, 3, (int64_t)clock_now().tv_sec);
		rc = catalog_db_step(c, st, e);
		if (rc == 1 && read_row(st, v, e) != 0)
			rc = -1;
	}
	(void)sqlite3_finalize(st);
	return rc;
}

int
catalog_verified(struct catalog *c, const uint8_t digest[SHA256_LEN],
    struct catalog_verification *v, struct err *e)
{
	return ask(c,
	    "SELECT at, level, ok FROM verification WHERE digest = ?1"
	    " ORDER BY at DESC, level DESC LIMIT 1",
	    digest, CATALOG_QUICK, v, e);
}

int
catalog_checked(struct catalog *c, const uint8_t digest[SHA256_LEN], enum catalog_level level,
    struct catalog_verification *v, struct err *e)
{
	return ask(c,
	    "SELECT at, level, ok FROM verification WHERE digest = ?1 AND level >= ?2"
	    " AND at <= ?3 ORDER BY at DESC, ok, level DESC LIMIT 1",
	    digest, level, v, e);
}

int
catalog_last_verification(
    struct catalog *c, const char *name, struct catalog_verification *v, struct err *e)
{
	const struct catalog_backup *b = catalog_backups_need(c, name, e);

	return b == NULL ? -1 : catalog_verified(c, b->digest, v, e);
}

/* What old knows of the backup of one digest, c has for that of another (mostly the same). */
struct history {
	struct catalog *c, *old;
	sqlite3_stmt *from; /* on old */
	sqlite3_stmt *sealed_before; /* on old; NULL: it cannot tell */
	struct err why; /* that old could not be read */
};

/* What h->why says is not ours to fail on. */
static int
copy_backup(struct history *h, const uint8_t *old_digest, const uint8_t *digest, struct err *e)
{
	struct catalog_verification v = {0};
	int rc = 0;

	(void)sqlite3_bind_blob(h->from, 1, old_digest, SHA256_LEN, SQLITE_STATIC);
	catalog_db_guard(h->old);
	while (rc == 0 && catalog_db_step(h->old, h->from, &h->why) == 1) {
		if (read_row(h->from, &v, &h->why) != 0)
			break;
		rc = put(h->c, digest, &v, e);
	}
	(void)sqlite3_reset(h->from);
	return rc;
}

/* And what it knows of the same backup before it was sealed anew. */
static int
copy_sealed_before(struct history *h, sqlite3_stmt *of, const uint8_t *digest, struct err *e)
{
	uint8_t before[SHA256_LEN];
	int rc;

	if (h->sealed_before == NULL)
		return 0;
	for (int i = 0; i < 3; i++)
		(void)sqlite3_bind_value(h->sealed_before, i + 1, sqlite3_column_value(of, i));
	catalog_db_guard(h->old);
	rc = catalog_db_step(h->old, h->sealed_before, &h->why);
	if (rc == 1 && catalog_db_digest(h->sealed_before, 0, before, &h->why) != 0)
		rc = -1;
	(void)sqlite3_reset(h->sealed_before);
	return rc == 1 ? copy_backup(h, before, digest, e) : 0;
}

static int
copy_all(struct history *h, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	sqlite3_stmt *of = NULL;
	int rc = catalog_db_prepare(h->c, "SELECT name, bare, digest FROM backup", &of, e);

	while (rc == 0 && h->why.kind == ERR_NONE && (rc = catalog_db_step(h->c, of, e)) == 1) {
		rc = catalog_db_digest(of, 2, digest, e);
		if (rc == 0)
			rc = copy_backup(h, digest, digest, e);
		if (rc == 0)
			rc = copy_sealed_before(h, of, digest, e);
	}
	(void)sqlite3_finalize(of);
	return rc;
}

int
catalog_verification_copy(struct catalog *c, struct catalog *old, struct err *e)
{
	struct history h = {.c = c, .old = old};
	int rc = 0;

	if (old == NULL)
		return 0;
	if (catalog_db_exec(c, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	if (catalog_db_prepare(old, "SELECT at, level, ok FROM verification WHERE digest = ?1",
		&h.from, &h.why) == 0 &&
	    (old->version < 2 || /* has no bare */
		catalog_db_prepare(old,
		    "SELECT digest FROM backup WHERE name = ?1 AND bare = ?2 AND digest <> ?3",
		    &h.sealed_before, &h.why) == 0))
		rc = copy_all(&h, e);
	(void)sqlite3_finalize(h.from);
	(void)sqlite3_finalize(h.sealed_before);
	if (h.why.kind != ERR_NONE)
		log_warn("history of verifications was lost: %s", h.why.msg);
	return catalog_db_end(c, rc, e);
}
