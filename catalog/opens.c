/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/opens.h"

#include <string.h>

#include "catalog/db.h"
#include "core/err.h"

static int
compare_paths(const void *a, size_t a_len, const struct buf *b)
{
	size_t min = a_len < b->len ? a_len : b->len;
	int order = min > 0 ? memcmp(a, b->data, min) : 0;

	return order != 0 ? order : (a_len > b->len) - (a_len < b->len);
}

int
catalog_opens_compare(const struct catalog_opens *o, const struct buf *path, int64_t place)
{
	int order = compare_paths(o->path.data, o->path.len, path);

	return order != 0 ? order : (o->place > place) - (o->place < place);
}

/* Remember where the statement stands; it must have gone up. */
static int
note_row(struct catalog_opens *o, struct err *e)
{
	const void *path = sqlite3_column_blob(o->stmt, o->col.path);
	size_t len = (size_t)sqlite3_column_bytes(o->stmt, o->col.path);
	int64_t place = o->col.place < 0 ? 0 : sqlite3_column_int64(o->stmt, o->col.place);
	int64_t first = sqlite3_column_int64(o->stmt, o->col.first);
	int order = o->seen ? compare_paths(path, len, &o->path) : 1;

	if (sqlite3_column_type(o->stmt, o->col.path) != SQLITE_BLOB || first < 0)
		return catalog_db_damaged(e, "a span has the wrong form");
	if (order == 0)
		order = place != o->place ? (place > o->place ? 1 : -1)
					  : (first > o->first) - (first < o->first);
	if (order <= 0)
		return catalog_db_damaged(e, "spans out of order");
	buf_clear(&o->path);
	buf_append(&o->path, path, len);
	o->place = place;
	o->first = first;
	o->seen = true;
	return buf_check(&o->path, e);
}

static int
begin(struct catalog_opens *o, const struct buf *path, int64_t place, int64_t first, struct err *e)
{
	(void)sqlite3_reset(o->stmt);
	buf_clear(&o->from);
	buf_append(&o->from, path->data, path->len);
	(void)sqlite3_bind_int64(o->stmt, 1, o->series);
	catalog_db_bind_key(o->stmt, 2, &o->from);
	(void)sqlite3_bind_int64(o->stmt, 3, place);
	(void)sqlite3_bind_int64(o->stmt, 4, first);
	o->wrote = false;
	return buf_check(&o->from, e);
}

static int
step(struct catalog_opens *o, struct err *e)
{
	int rc;

	while ((rc = catalog_db_step(o->c, o->stmt, e)) == 1) {
		if (note_row(o, e) != 0)
			return -1;
		if (sqlite3_column_type(o->stmt, o->col.last) == SQLITE_NULL &&
		    o->first < o->sequence) {
			o->has = true;
			return 0;
		}
	}
	return rc;
}

int
catalog_opens_seek(struct catalog_opens *o, const struct buf *path, struct err *e)
{
	o->has = false;
	return begin(o, path, INT64_MIN, -1, e) != 0 ? -1 : step(o, e);
}

/*
 * What a running statement sees of rows that were written since it began is not defined, so after a
 * write it begins again behind its row.
 */
int
catalog_opens_next(struct catalog_opens *o, struct err *e)
{
	o->has = false;
	if (o->wrote && begin(o, &o->path, o->place, o->first, e) != 0)
		return -1;
	return step(o, e);
}

void
catalog_opens_done(struct catalog_opens *o)
{
	(void)sqlite3_finalize(o->stmt);
	buf_done(&o->path);
	buf_done(&o->from);
	memset(o, 0, sizeof(*o));
}
