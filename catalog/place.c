/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/place.h"

#include <string.h>

#include "catalog/db.h"
#include "core/buf.h"
#include "core/err.h"
#include "seal/seal.h"

static int
find_series(struct catalog_place *p, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = catalog_db_prepare(p->c, "SELECT id FROM series WHERE name = ?1", &st, e);

	if (rc == 0) {
		(void)sqlite3_bind_text(st, 1, p->seal->series, -1, SQLITE_STATIC);
		rc = catalog_db_step(p->c, st, e);
		if (rc == 1)
			p->series = sqlite3_column_int64(st, 0);
	}
	(void)sqlite3_finalize(st);
	return rc;
}

static int
make_series(struct catalog_place *p, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = find_series(p, e);

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (catalog_db_prepare(p->c, "INSERT INTO series (name) VALUES (?1)", &st, e) != 0)
		return -1;
	(void)sqlite3_bind_text(st, 1, p->seal->series, -1, SQLITE_STATIC);
	rc = catalog_db_run(p->c, st, e);
	(void)sqlite3_finalize(st);
	p->series = sqlite3_last_insert_rowid(p->c->db);
	return rc;
}

/* Newest sequence of the series, among all or the readable ones only; 0: none. */
static int
newest(struct catalog_place *p, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = catalog_db_prepare(p->c, sql, &st, e);

	*out = 0;
	if (rc == 0) {
		(void)sqlite3_bind_int64(st, 1, p->series);
		rc = catalog_db_step(p->c, st, e);
		if (rc == 1)
			*out = sqlite3_column_int64(st, 0);
	}
	(void)sqlite3_finalize(st);
	return rc < 0 ? -1 : 0;
}

static int
check_newest(struct catalog_place *p, struct err *e)
{
	int64_t last;

	if (newest(p, "SELECT max(sequence) FROM backup WHERE series = ?1", &last, e) != 0 ||
	    newest(p,
		"SELECT sequence FROM backup WHERE series = ?1 AND readable"
		" ORDER BY sequence DESC LIMIT 1",
		&p->previous, e) != 0)
		return -1;
	if (p->seal->sequence > INT64_MAX || (int64_t)p->seal->sequence <= last)
		return err_set(e, ERR_UNSUPPORTED,
		    "sequence %llu is not newer than all that the catalog has (%lld)",
		    (unsigned long long)p->seal->sequence, (long long)last);
	return 0;
}

int
catalog_place_find(
    struct catalog_place *p, struct catalog *c, const struct seal *seal, struct err *e)
{
	*p = (struct catalog_place){.c = c, .seal = seal};
	return make_series(p, e) != 0 || check_newest(p, e) != 0 ? -1 : 0;
}

int
catalog_place_bare(const struct seal *seal, uint8_t out[SHA256_LEN], struct err *e)
{
	struct seal bare = *seal; /* strings stay the other's */
	struct buf text = {0};
	int rc;

	bare.policy = NULL;
	bare.holds = NULL;
	bare.n_holds = 0;
	rc = seal_write(&bare, NULL, &text, e);
	buf_done(&text);
	memcpy(out, bare.text_digest, SHA256_LEN);
	return rc;
}

int
catalog_place_put(struct catalog_place *p, bool readable, struct err *e)
{
	const struct seal *s = p->seal;
	const int64_t numbers[] = {p->series, (int64_t)s->sequence, (int64_t)s->created.tv_sec,
	    s->created.tv_nsec, (int64_t)s->entries, (int64_t)s->bytes, (int64_t)s->archive_size,
	    (int64_t)s->manifest_size, (int64_t)s->unreadable, (int64_t)s->changed, readable};
	const int n = (int)(sizeof(numbers) / sizeof(numbers[0]));
	uint8_t bare[SHA256_LEN];
	sqlite3_stmt *st = NULL;
	int rc;

	if (catalog_place_bare(s, bare, e) != 0)
		return -1;
	if (catalog_db_prepare(p->c,
		"INSERT INTO backup (series, sequence, created_sec, created_nsec, entries, bytes,"
		" archive_size, manifest_size, unreadable, changed, readable, name, digest, bare)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
		" ?14)",
		&st, e) != 0)
		return -1;
	for (int i = 0; i < n; i++)
		(void)sqlite3_bind_int64(st, i + 1, numbers[i]);
	(void)sqlite3_bind_text(st, n + 1, s->name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(st, n + 2, s->text_digest, SHA256_LEN, SQLITE_STATIC);
	(void)sqlite3_bind_blob(st, n + 3, bare, SHA256_LEN, SQLITE_STATIC);
	rc = catalog_db_run(p->c, st, e);
	(void)sqlite3_finalize(st);
	return rc;
}
