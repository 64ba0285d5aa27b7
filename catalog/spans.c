/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/spans.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/db.h"
#include "catalog/opens.h"
#include "catalog/rows.h"
#include "core/err.h"
#include "seal/section.h"

/* Columns, short; parameters of the insert are one more. */
enum {
	PATH = CATALOG_ROWS_PATH,
	FIRST = CATALOG_ROWS_FIRST,
	LAST = CATALOG_ROWS_LAST,
	TYPE = CATALOG_ROWS_TYPE,
	MODE = CATALOG_ROWS_MODE,
	UID = CATALOG_ROWS_UID,
	GID = CATALOG_ROWS_GID,
	SIZE = CATALOG_ROWS_SIZE,
	MTIME_SEC = CATALOG_ROWS_MTIME_SEC,
	MTIME_NSEC = CATALOG_ROWS_MTIME_NSEC,
	FLAGS = CATALOG_ROWS_FLAGS,
	RDEV = CATALOG_ROWS_RDEV,
	LINK = CATALOG_ROWS_LINK,
	SHA256 = CATALOG_ROWS_SHA256,
	XATTRS = CATALOG_ROWS_XATTRS,
	SERIES = CATALOG_ROWS_N,
};

struct catalog_spans {
	struct catalog *c;
	int64_t series;
	int64_t sequence, previous;
	struct catalog_opens old;
	sqlite3_stmt *insert, *close, *is_open;
	bool kept; /* catalog_spans_keep was used */
	bool keeping; /* what comes from where old stands is kept, until catalog_spans_resume */
	struct buf key; /* path of the line, as it is stored */
};

static int
prepare(struct catalog_spans *s, struct err *e)
{
	struct catalog *c = s->c;

	if (catalog_db_prepare(c,
		"INSERT INTO version (" CATALOG_ROWS_COLUMNS ", series) VALUES"
		" (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
		&s->insert, e) != 0 ||
	    catalog_db_prepare(c,
		"UPDATE version SET last = ?1 WHERE series = ?2 AND path = ?3 AND first = ?4",
		&s->close, e) != 0 ||
	    catalog_db_prepare(c,
		"SELECT 1 FROM version WHERE series = ?1 AND path = ?2 AND last IS NULL",
		&s->is_open, e) != 0)
		return -1;
	return catalog_db_prepare(c,
	    "SELECT " CATALOG_ROWS_COLUMNS " FROM version WHERE series = ?1"
	    " AND (path, first) > (?2, ?4) ORDER BY path, first",
	    &s->old.stmt, e);
}

int
catalog_spans_new(struct catalog_spans **out, struct catalog *c, int64_t series, uint64_t sequence,
    uint64_t previous, struct err *e)
{
	struct catalog_spans *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return err_nomem(e);
	s->c = c;
	s->series = series;
	s->sequence = (int64_t)sequence;
	s->previous = (int64_t)previous;
	s->old = (struct catalog_opens){.c = c,
	    .col = {.path = PATH, .place = -1, .first = FIRST, .last = LAST},
	    .series = series,
	    .sequence = s->sequence};
	if (prepare(s, e) != 0 || (previous != 0 && catalog_opens_seek(&s->old, &s->key, e) != 0)) {
		catalog_spans_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void
catalog_spans_free(struct catalog_spans *s)
{
	if (s == NULL)
		return;
	catalog_opens_done(&s->old);
	(void)sqlite3_finalize(s->insert);
	(void)sqlite3_finalize(s->close);
	(void)sqlite3_finalize(s->is_open);
	buf_done(&s->key);
	free(s);
}

static int
close_old(struct catalog_spans *s, struct err *e)
{
	sqlite3_stmt *st = s->close;

	(void)sqlite3_bind_int64(st, 1, s->previous);
	(void)sqlite3_bind_int64(st, 2, s->series);
	catalog_db_bind_key(st, 3, &s->old.path);
	(void)sqlite3_bind_int64(st, 4, s->old.first);
	s->old.wrote = true;
	return catalog_db_run(s->c, st, e);
}

/* Spans of paths before key: those are gone. */
static int
close_before(struct catalog_spans *s, const struct buf *key, struct err *e)
{
	while (s->old.has && (key == NULL || catalog_opens_compare(&s->old, key, 0) < 0))
		if (close_old(s, e) != 0 || catalog_opens_next(&s->old, e) != 0)
			return -1;
	return 0;
}

static int64_t
line_flags(const struct section_line *l)
{
	return (l->changed ? CATALOG_ROWS_CHANGED : 0) | (l->grew ? CATALOG_ROWS_GREW : 0) |
	    (l->n_unreadable > 0 ? CATALOG_ROWS_UNREADABLE : 0);
}

static bool
has_rdev(const struct section_line *l)
{
	return l->type == ENTRY_CHAR || l->type == ENTRY_BLOCK;
}

static int64_t
line_rdev(const struct section_line *l)
{
	return (int64_t)((uint64_t)l->rdev_major << 32 | l->rdev_minor);
}

static bool
same_int(sqlite3_stmt *st, int col, int64_t value)
{
	return sqlite3_column_type(st, col) == SQLITE_INTEGER &&
	    sqlite3_column_int64(st, col) == value;
}

static bool
same_blob(sqlite3_stmt *st, int col, bool has, const void *data, size_t len)
{
	const void *blob = sqlite3_column_blob(st, col);

	if (!has || sqlite3_column_type(st, col) != SQLITE_BLOB)
		return !has && sqlite3_column_type(st, col) == SQLITE_NULL;
	return (size_t)sqlite3_column_bytes(st, col) == len &&
	    (len == 0 || memcmp(blob, data, len) == 0);
}

/* Does the row under the scan say what the line says?  The commonest difference first. */
static bool
same_facts(sqlite3_stmt *st, const struct section_line *l)
{
	return same_int(st, MTIME_NSEC, l->mtime_nsec) && same_int(st, MTIME_SEC, l->mtime_sec) &&
	    same_int(st, SIZE, (int64_t)l->size) &&
	    same_blob(st, SHA256, l->has_sha256, l->sha256, SHA256_LEN) &&
	    same_int(st, TYPE, l->type) && same_int(st, MODE, l->mode) &&
	    same_int(st, UID, l->uid) && same_int(st, GID, l->gid) &&
	    same_int(st, FLAGS, line_flags(l)) &&
	    (has_rdev(l) ? same_int(st, RDEV, line_rdev(l))
			 : sqlite3_column_type(st, RDEV) == SQLITE_NULL) &&
	    same_blob(st, LINK, l->link != NULL, l->link, l->link_len) &&
	    same_blob(st, XATTRS, l->has_xattrs, l->xattrs, SHA256_LEN);
}

static void
bind_facts(sqlite3_stmt *st, const struct section_line *l)
{
	(void)sqlite3_bind_int64(st, TYPE + 1, l->type);
	(void)sqlite3_bind_int64(st, MODE + 1, l->mode);
	(void)sqlite3_bind_int64(st, UID + 1, l->uid);
	(void)sqlite3_bind_int64(st, GID + 1, l->gid);
	(void)sqlite3_bind_int64(st, SIZE + 1, (int64_t)l->size);
	(void)sqlite3_bind_int64(st, MTIME_SEC + 1, l->mtime_sec);
	(void)sqlite3_bind_int64(st, MTIME_NSEC + 1, l->mtime_nsec);
	(void)sqlite3_bind_int64(st, FLAGS + 1, line_flags(l));
	if (has_rdev(l))
		(void)sqlite3_bind_int64(st, RDEV + 1, line_rdev(l));
	if (l->link != NULL)
		(void)sqlite3_bind_blob64(st, LINK + 1, l->link, l->link_len, SQLITE_STATIC);
	if (l->has_sha256)
		(void)sqlite3_bind_blob(st, SHA256 + 1, l->sha256, SHA256_LEN, SQLITE_STATIC);
	if (l->has_xattrs)
		(void)sqlite3_bind_blob(st, XATTRS + 1, l->xattrs, SHA256_LEN, SQLITE_STATIC);
}

/*
 * Once a stretch was kept unread, a path of it could come again in a manifest that is out
 * of order, and be open twice.
 */
static int
check_not_open(struct catalog_spans *s, struct err *e)
{
	int rc;

	(void)sqlite3_bind_int64(s->is_open, 1, s->series);
	catalog_db_bind_key(s->is_open, 2, &s->key);
	rc = catalog_db_step(s->c, s->is_open, e);
	(void)sqlite3_reset(s->is_open);
	return rc == 1 ? catalog_db_damaged(e, "a path is there twice") : rc;
}

static int
insert(struct catalog_spans *s, const struct section_line *l, struct err *e)
{
	sqlite3_stmt *st = s->insert;

	catalog_db_bind_key(st, PATH + 1, &s->key);
	(void)sqlite3_bind_int64(st, FIRST + 1, s->previous == 0 ? 0 : s->sequence);
	bind_facts(st, l);
	(void)sqlite3_bind_int64(st, SERIES + 1, s->series);
	s->old.wrote = true;
	return catalog_db_run(s->c, st, e);
}

int
catalog_spans_add(struct catalog_spans *s, const struct section_line *l, struct err *e)
{
	if (catalog_db_key(&s->key, l->path, l->path_len, e) != 0 ||
	    close_before(s, &s->key, e) != 0)
		return -1;
	if (s->old.has && catalog_opens_compare(&s->old, &s->key, 0) == 0) {
		if (same_facts(s->old.stmt, l))
			return catalog_opens_next(&s->old, e);
		if (close_old(s, e) != 0 || insert(s, l, e) != 0)
			return -1;
		return catalog_opens_next(&s->old, e);
	}
	if (s->kept && check_not_open(s, e) != 0)
		return -1;
	return insert(s, l, e);
}

int
catalog_spans_keep(struct catalog_spans *s, const struct buf *path, struct err *e)
{
	if (s->keeping)
		return 0;
	if (close_before(s, path, e) != 0)
		return -1;
	if (!s->old.has || catalog_opens_compare(&s->old, path, 0) != 0)
		return catalog_db_damaged(e, "a member's first path has no version");
	s->kept = s->keeping = true;
	return 0;
}

int
catalog_spans_resume(struct catalog_spans *s, const struct buf *path, struct err *e)
{
	if (!s->keeping)
		return 0;
	s->keeping = s->old.has = false;
	return path != NULL ? catalog_opens_seek(&s->old, path, e) : 0;
}

int
catalog_spans_finish(struct catalog_spans *s, struct err *e)
{
	return close_before(s, NULL, e);
}
