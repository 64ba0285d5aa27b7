/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/amend.h"

#include <string.h>

#include "catalog/backups.h"
#include "catalog/db.h"
#include "catalog/place.h"
#include "core/err.h"
#include "seal/seal.h"

/*
 * A backup s goes.  Between its readable neighbours p before and n after it, the spans of a path
 * (and those of a member, in the same way) may be
 *
 *            p     s     n
 *      a  ---|--------|---      it ends at s: it ends at p now
 *      b  -------|---------     it begins at s: it begins at n now
 *      c  ------|---|------     only at s: it goes; when those at p and n have the same facts, they
 *      d  ------|   |------     become one, and so they do when nothing was there at s
 *      e  -----------------     as it was
 *
 * Other pairs cannot meet with the same facts: they were neighbours before, and rows are maximal.
 * Where s was the oldest (p is none), what ends at s goes, and what begins at n begins with the
 * oldest now; the newest likewise.  Every statement finds its rows by an index on closed ends; the
 * spans that reach over s, nearly all, are not looked at.
 *
 * ?1 the series, ?2 s, ?3 p, ?4 n.
 */
#define SAME(column) " AND a." column " IS b." column
#define VERSION_KEY " AND a.path = b.path"
#define VERSION_FACTS                                                                              \
	SAME("type")                                                                               \
	SAME("mode")                                                                               \
	SAME("uid")                                                                                \
	SAME("gid")                                                                                \
	SAME("size")                                                                               \
	SAME("mtime_sec")                                                                          \
	SAME("mtime_nsec") SAME("flags") SAME("rdev") SAME("link") SAME("sha256") SAME("xattrs")
#define MEMBER_KEY " AND a.path = b.path AND a.file_offset = b.file_offset"
#define MEMBER_FACTS SAME("kind") SAME("packed") SAME("plain") SAME("digest") SAME("section")

/* clang-format off: the third is what was taken into the span before it by the second */
#define AT_MIDDLE(table, key, facts)                                                               \
	"DELETE FROM " table " INDEXED BY " table "_last"                                          \
	" WHERE series = ?1 AND last = ?2 AND first = ?2",                                         \
	    "UPDATE " table " AS a INDEXED BY " table "_last SET last = b.last FROM " table        \
	    " AS b"                                                                                \
	    " WHERE a.series = ?1 AND a.last = ?3 AND b.series = ?1 AND b.first = ?4" key facts,   \
	    "DELETE FROM " table " AS b INDEXED BY " table "_first"                                \
	    " WHERE b.series = ?1 AND b.first = ?4 AND b.first <> 0 AND"                           \
	    " (SELECT a.last IS NULL OR a.last >= ?4 FROM " table " a WHERE a.series = ?1" key     \
	    " AND a.first < ?4 ORDER BY a.first DESC LIMIT 1)",                                    \
	    "UPDATE " table " INDEXED BY " table                                                   \
	    "_last SET last = ?3 WHERE series = ?1 AND last = ?2",                                 \
	    "UPDATE " table " INDEXED BY " table "_first SET first = ?4"                           \
	    " WHERE series = ?1 AND first = ?2 AND first <> 0"
#define AT_OLDEST(table)                                                                           \
	"DELETE FROM " table " INDEXED BY " table "_last WHERE series = ?1 AND last = ?2",         \
	    "UPDATE " table " INDEXED BY " table "_first SET first = 0"                            \
	    " WHERE series = ?1 AND first = ?4 AND first <> 0"
#define AT_NEWEST(table)                                                                           \
	"DELETE FROM " table " INDEXED BY " table "_first"                                         \
	" WHERE series = ?1 AND first = ?2 AND first <> 0",                                        \
	    "UPDATE " table " INDEXED BY " table                                                   \
	    "_last SET last = NULL WHERE series = ?1 AND last = ?3"

static const char *const at_middle[] = {
    AT_MIDDLE("version", VERSION_KEY, VERSION_FACTS),
    AT_MIDDLE("member", MEMBER_KEY, MEMBER_FACTS),
    NULL,
};
static const char *const at_oldest[] = {AT_OLDEST("version"), AT_OLDEST("member"), NULL};
static const char *const at_newest[] = {AT_NEWEST("version"), AT_NEWEST("member"), NULL};
static const char *const alone[] = {
    "DELETE FROM version WHERE series = ?1",
    "DELETE FROM member WHERE series = ?1",
    NULL,
};
/* clang-format on */
static const char *const of_backup[] = {
    "DELETE FROM backup WHERE series = ?1 AND sequence = ?2",
    "DELETE FROM series WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM backup WHERE series = ?1)",
    NULL,
};

/* Who stands beside it, of the readable; 0: none. */
struct gap {
	int64_t series, sequence, before, after;
};

static void
find_gap(const struct catalog *c, const struct catalog_backup *gone, struct gap *g)
{
	*g = (struct gap){.series = gone->series, .sequence = (int64_t)gone->sequence};
	for (size_t i = 0; i < c->n_backups; i++) {
		const struct catalog_backup *b = &c->backups[i];

		if (b->series != g->series || !b->readable)
			continue;
		if (b->sequence < gone->sequence)
			g->before = (int64_t)b->sequence;
		if (b->sequence > gone->sequence) {
			g->after = (int64_t)b->sequence;
			break;
		}
	}
}

static int
run_all(struct catalog *c, const char *const *sql, const struct gap *g, struct err *e)
{
	const int64_t values[] = {g->series, g->sequence, g->before, g->after};
	int rc = 0;

	for (; rc == 0 && *sql != NULL; sql++) {
		sqlite3_stmt *st = NULL;

		catalog_db_guard(c);
		rc = catalog_db_prepare(c, *sql, &st, e);
		for (int i = 0; rc == 0 && i < sqlite3_bind_parameter_count(st); i++)
			(void)sqlite3_bind_int64(st, i + 1, values[i]);
		if (rc == 0)
			rc = catalog_db_run(c, st, e);
		(void)sqlite3_finalize(st);
	}
	return rc;
}

static int
remove_spans(struct catalog *c, const struct gap *g, struct err *e)
{
	if (g->before != 0)
		return run_all(c, g->after != 0 ? at_middle : at_newest, g, e);
	return run_all(c, g->after != 0 ? at_oldest : alone, g, e);
}

static int
remove_verifications(struct catalog *c, const struct catalog_backup *gone, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	catalog_db_guard(c);
	rc = catalog_db_prepare(c, "DELETE FROM verification WHERE digest = ?1", &st, e);
	if (rc == 0) {
		(void)sqlite3_bind_blob(st, 1, gone->digest, SHA256_LEN, SQLITE_STATIC);
		rc = catalog_db_run(c, st, e);
	}
	(void)sqlite3_finalize(st);
	return rc;
}

int
catalog_amend_remove(struct catalog *c, const struct catalog_backup *gone, struct err *e)
{
	bool guarded = c->guarded;
	struct gap g;
	int rc;

	if (catalog_db_current(c, e) != 0 || catalog_backups_load(c, e) != 0 ||
	    catalog_db_exec(c, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	find_gap(c, gone, &g);
	/* In a file whose pages go in circles an update might go on for ever. */
	c->guarded = true;
	rc = gone->readable ? remove_spans(c, &g, e) : 0;
	if (rc == 0)
		rc = run_all(c, of_backup, &g, e);
	if (rc == 0)
		rc = remove_verifications(c, gone, e);
	c->guarded = guarded;
	if (catalog_db_end(c, rc, e) != 0)
		return err_where(e, "%s", gone->name);
	catalog_backups_unload(c);
	return 0;
}

/* ---- sealed anew ---- */

static int
stored_bare(
    struct catalog *c, const struct catalog_backup *b, uint8_t out[SHA256_LEN], struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = catalog_db_prepare(
	    c, "SELECT bare FROM backup WHERE series = ?1 AND sequence = ?2", &st, e);

	if (rc == 0) {
		(void)sqlite3_bind_int64(st, 1, b->series);
		(void)sqlite3_bind_int64(st, 2, (int64_t)b->sequence);
		rc = catalog_db_step(c, st, e);
	}
	if (rc == 1)
		rc = catalog_db_digest(st, 0, out, e);
	else if (rc == 0)
		rc = catalog_db_damaged(e, "a backup is gone");
	(void)sqlite3_finalize(st);
	return rc;
}

int
catalog_amend_is_reseal(
    struct catalog *c, const struct catalog_backup *b, const struct seal *seal, struct err *e)
{
	uint8_t was[SHA256_LEN], is[SHA256_LEN];

	if (strcmp(b->name, seal->name) != 0)
		return 0;
	if (catalog_db_current(c, e) != 0 || stored_bare(c, b, was, e) != 0 ||
	    catalog_place_bare(seal, is, e) != 0)
		return -1;
	return memcmp(was, is, SHA256_LEN) == 0;
}

/* Where the old digest stands there is to be the new one. */
static int
exchange(struct catalog *c, const char *sql, const struct catalog_backup *b,
    const struct seal *seal, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = catalog_db_prepare(c, sql, &st, e);

	if (rc == 0) {
		(void)sqlite3_bind_blob(st, 1, b->digest, SHA256_LEN, SQLITE_STATIC);
		(void)sqlite3_bind_blob(st, 2, seal->text_digest, SHA256_LEN, SQLITE_STATIC);
		rc = catalog_db_run(c, st, e);
	}
	(void)sqlite3_finalize(st);
	return rc;
}

int
catalog_amend_reseal(
    struct catalog *c, const struct catalog_backup *b, const struct seal *seal, struct err *e)
{
	int rc;

	if (catalog_db_exec(c, "BEGIN IMMEDIATE", e) != 0)
		return -1;
	rc = exchange(c, "UPDATE backup SET digest = ?2 WHERE digest = ?1", b, seal, e);
	/* Archive and manifest are the same bytes, so what was found out about them holds. */
	if (rc == 0)
		rc = exchange(c, "UPDATE OR REPLACE verification SET digest = ?2 WHERE digest = ?1",
		    b, seal, e);
	if (catalog_db_end(c, rc, e) != 0)
		return err_where(e, "%s", b->name);
	catalog_backups_unload(c);
	return 0;
}
