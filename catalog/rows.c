/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/rows.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/db.h"
#include "core/err.h"
#include "core/path.h"

static const struct column_rule {
	int64_t min, max;
} rules[CATALOG_ROWS_N] = {
    [CATALOG_ROWS_FIRST] = {0, INT64_MAX},
    [CATALOG_ROWS_TYPE] = {0, 127},
    [CATALOG_ROWS_MODE] = {0, 07777},
    [CATALOG_ROWS_UID] = {0, UINT32_MAX},
    [CATALOG_ROWS_GID] = {0, UINT32_MAX},
    [CATALOG_ROWS_SIZE] = {INT64_MIN, INT64_MAX},
    [CATALOG_ROWS_MTIME_SEC] = {INT64_MIN, INT64_MAX},
    [CATALOG_ROWS_MTIME_NSEC] = {0, 999999999},
    [CATALOG_ROWS_FLAGS] = {0, 7},
};

static int
check_numbers(sqlite3_stmt *st, struct err *e)
{
	for (int i = CATALOG_ROWS_FIRST; i <= CATALOG_ROWS_FLAGS; i++) {
		int64_t value = sqlite3_column_int64(st, i);

		if (i == CATALOG_ROWS_LAST)
			continue;
		if (sqlite3_column_type(st, i) != SQLITE_INTEGER || value < rules[i].min ||
		    value > rules[i].max)
			return catalog_db_damaged(e, "a number is out of bounds");
	}
	return 0;
}

static int
get_span(struct catalog_row *row, sqlite3_stmt *st, struct err *e)
{
	row->first = sqlite3_column_int64(st, CATALOG_ROWS_FIRST);
	row->last = 0;
	if (sqlite3_column_type(st, CATALOG_ROWS_LAST) != SQLITE_NULL) {
		row->last = sqlite3_column_int64(st, CATALOG_ROWS_LAST);
		if (row->last < 1 || row->last < row->first || row->last == INT64_MAX)
			return catalog_db_damaged(e, "a span has the wrong form");
	}
	return 0;
}

static int
get_numbers(struct catalog_row *row, sqlite3_stmt *st, struct err *e)
{
	int64_t type = sqlite3_column_int64(st, CATALOG_ROWS_TYPE);
	int64_t rdev = sqlite3_column_int64(st, CATALOG_ROWS_RDEV);

	if (type == 0 || strchr("fdlhpcb", (int)type) == NULL)
		return catalog_db_damaged(e, "a type is none");
	row->type = (enum entry_type)type;
	row->mode = (uint32_t)sqlite3_column_int64(st, CATALOG_ROWS_MODE);
	row->uid = (uint32_t)sqlite3_column_int64(st, CATALOG_ROWS_UID);
	row->gid = (uint32_t)sqlite3_column_int64(st, CATALOG_ROWS_GID);
	row->size = (uint64_t)sqlite3_column_int64(st, CATALOG_ROWS_SIZE);
	row->mtime_sec = sqlite3_column_int64(st, CATALOG_ROWS_MTIME_SEC);
	row->mtime_nsec = (uint32_t)sqlite3_column_int64(st, CATALOG_ROWS_MTIME_NSEC);
	row->flags = sqlite3_column_int64(st, CATALOG_ROWS_FLAGS);
	row->rdev_major = (uint32_t)((uint64_t)rdev >> 32);
	row->rdev_minor = (uint32_t)rdev;
	return 0;
}

static int
get_path(struct catalog_rows *rows, struct catalog_row *row, sqlite3_stmt *st, struct err *e)
{
	row->path = rows->text.len;
	if (catalog_db_path(st, CATALOG_ROWS_PATH, &rows->text, e) != 0)
		return -1;
	row->path_len = rows->text.len - row->path;
	buf_putc(&rows->text, '\0');
	return 0;
}

static int
get_link(struct catalog_rows *rows, struct catalog_row *row, sqlite3_stmt *st, struct err *e)
{
	const char *link = sqlite3_column_blob(st, CATALOG_ROWS_LINK);
	size_t len = (size_t)sqlite3_column_bytes(st, CATALOG_ROWS_LINK);
	int type = sqlite3_column_type(st, CATALOG_ROWS_LINK);

	row->has_link = row->type == ENTRY_SYMLINK || row->type == ENTRY_HARDLINK;
	row->link_len = len;
	row->link = rows->text.len;
	if (type != (row->has_link ? SQLITE_BLOB : SQLITE_NULL) ||
	    (len > 0 && memchr(link, '\0', len) != NULL) ||
	    (row->type == ENTRY_HARDLINK && !path_is_clean(link != NULL ? link : "", len)))
		return catalog_db_damaged(e, "a link has the wrong form");
	if (row->has_link) {
		buf_append(&rows->text, link, len);
		buf_putc(&rows->text, '\0');
	}
	return 0;
}

static int
get_row(struct catalog_rows *rows, struct catalog_row *row, sqlite3_stmt *st, struct err *e)
{
	if (check_numbers(st, e) != 0 || get_span(row, st, e) != 0 ||
	    get_numbers(row, st, e) != 0 || get_path(rows, row, st, e) != 0 ||
	    get_link(rows, row, st, e) != 0)
		return -1;
	row->has_sha256 = sqlite3_column_type(st, CATALOG_ROWS_SHA256) != SQLITE_NULL;
	if (row->has_sha256 && catalog_db_digest(st, CATALOG_ROWS_SHA256, row->sha256, e) != 0)
		return -1;
	return buf_check(&rows->text, e);
}

int
catalog_rows_add(struct catalog_rows *rows, sqlite3_stmt *st, struct err *e)
{
	struct catalog_row row = {0};
	size_t mark = rows->text.len;

	if (rows->n == rows->cap) {
		size_t cap = rows->cap > 0 ? 2 * rows->cap : 64;
		void *v = reallocarray(rows->v, cap, sizeof(*rows->v));

		if (v == NULL)
			return err_nomem(e);
		rows->v = v;
		rows->cap = cap;
	}
	if (get_row(rows, &row, st, e) != 0) {
		rows->text.len = mark;
		return -1;
	}
	rows->v[rows->n++] = row;
	return 0;
}

void
catalog_rows_clear(struct catalog_rows *rows)
{
	rows->n = 0;
	buf_clear(&rows->text);
}

void
catalog_rows_done(struct catalog_rows *rows)
{
	free(rows->v);
	buf_done(&rows->text);
	memset(rows, 0, sizeof(*rows));
}
