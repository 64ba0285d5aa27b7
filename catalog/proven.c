/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/proven.h"

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"

struct catalog *
proven_open(struct repo *r)
{
	struct catalog *c = NULL;
	struct err why = {0};

	if (catalog_open_history(&c, r, &why) != 0) {
		log_verbose("no backup counts as verified: %s", why.msg);
		return NULL;
	}
	return c;
}

/* Ask for one number about a digest: 1 and *out, 0 for no row, -1. */
static int
ask(struct catalog *c, const char *sql, const uint8_t digest[SHA256_LEN], int64_t *out,
    struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	catalog_db_guard(c);
	rc = catalog_db_prepare(c, sql, &st, e);
	if (rc == 0) {
		(void)sqlite3_bind_blob(st, 1, digest, SHA256_LEN, SQLITE_STATIC);
		(void)sqlite3_bind_int64(st, 2, CATALOG_STANDARD);
		(void)sqlite3_bind_int64(st, 3, (int64_t)clock_now().tv_sec);
		rc = catalog_db_step(c, st, e);
	}
	if (rc == 1)
		*out = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return rc;
}

bool
proven_is_behind(struct repo *r, const uint8_t digest[SHA256_LEN])
{
	struct catalog *c = NULL;
	int64_t n;

	if (catalog_open_history(&c, r, NULL) != 0)
		return false;
	int rc = ask(c, "SELECT 1 FROM backup WHERE digest = ?1", digest, &n, NULL);
	catalog_close(c);
	return rc == 0;
}

/*
 * A quick look that found all well says nothing of bytes, so it neither makes a backup proven nor
 * takes that back; one that found something wrong does.  A good word from the future, which a clock
 * that ran ahead gave, does not outweigh what was found since.
 */
int
proven_backup(void *ctx, const uint8_t digest[SHA256_LEN], struct err *e)
{
	struct err why = {0};
	int64_t ok = 0;
	int rc = 0;

	(void)e;
	if (ctx != NULL)
		rc = ask(ctx,
		    "SELECT ok FROM verification WHERE digest = ?1 AND (level >= ?2 OR NOT ok)"
		    " ORDER BY CASE WHEN ok AND at > ?3 THEN 0 ELSE at END DESC, ok LIMIT 1",
		    digest, &ok, &why);
	if (rc < 0)
		log_verbose("a backup counts as not verified: %s", why.msg);
	return rc == 1 && ok != 0;
}
