/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/proven.h"

#include "catalog/catalog.h"
#include "catalog/db.h"
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

/*
 * A quick look that found all well says nothing of bytes, so it neither makes a backup proven nor
 * takes that back; one that found something wrong does.
 */
static int
last_word(struct catalog *c, const uint8_t digest[SHA256_LEN], struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	catalog_db_guard(c);
	rc = catalog_db_prepare(c,
	    "SELECT ok FROM verification WHERE digest = ?1 AND (level >= ?2 OR NOT ok)"
	    " ORDER BY at DESC, ok LIMIT 1",
	    &st, e);
	if (rc == 0) {
		(void)sqlite3_bind_blob(st, 1, digest, SHA256_LEN, SQLITE_STATIC);
		(void)sqlite3_bind_int64(st, 2, CATALOG_STANDARD);
		rc = catalog_db_step(c, st, e);
	}
	if (rc == 1)
		rc = sqlite3_column_int64(st, 0) != 0;
	(void)sqlite3_finalize(st);
	return rc;
}

int
proven_backup(void *ctx, const uint8_t digest[SHA256_LEN], struct err *e)
{
	struct err why = {0};
	int rc = ctx == NULL ? 0 : last_word(ctx, digest, &why);

	(void)e;
	if (rc < 0)
		log_verbose("a backup counts as not verified: %s", why.msg);
	return rc == 1;
}
