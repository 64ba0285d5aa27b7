/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/fetch.h"

#include <string.h>

#include "catalog/db.h"
#include "core/err.h"
#include "core/path.h"

#define BATCH_ROWS 512
#define BATCH_BYTES (1u << 20)
#define PATH_BYTES (64u << 20) /* of one path's rows; no honest file comes near */

#define SELECT_AFTER                                                                               \
	"SELECT " CATALOG_ROWS_COLUMNS                                                             \
	" FROM version WHERE series = ?1 AND (path, first) > (?2, ?3)"

/* ---- what a query asks for ---- */

static void
key_put(struct buf *key, const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_putc(key, path[i] == '/' ? '\0' : path[i]);
}

/* The bytes before the first that is special in a glob. */
static size_t
literal_len(const char *glob)
{
	return strcspn(glob, "*?[\\");
}

/*
 * A glob with a slash, a last one aside, is matched against whole paths, so all that it matches
 * starts with its literal part.  A slash that ends this part can match nothing (a and two
 * stars behind it match a itself): then the range is a and all below.  What slashes in a row
 * mean is path_glob's affair: those look at all.
 */
static void
glob_range(struct catalog_fetch *f, const char *glob)
{
	const char *slash = strchr(glob, '/');
	bool below;
	size_t len;

	if (slash == NULL || slash[1] == '\0' || strstr(glob, "//") != NULL)
		return;
	glob += glob[0] == '/';
	len = literal_len(glob);
	below = len > 0 && glob[len - 1] == '/';
	len -= below;
	if (len == 0)
		return;
	key_put(&f->from, glob, len);
	key_put(&f->to, glob, len);
	if (below)
		buf_putc(&f->to, 1);
	else
		while (f->to.len > 0 && ++f->to.data[f->to.len - 1] == 0)
			f->to.len--;
	f->has_to = f->to.len > 0;
}

static void
set_range(struct catalog_fetch *f)
{
	const struct catalog_query *q = f->q;

	if (q->path != NULL) {
		key_put(&f->from, q->path, strlen(q->path));
		key_put(&f->to, q->path, strlen(q->path));
		buf_putc(&f->to, '\0');
		f->has_to = true;
	} else if (q->below != NULL) {
		key_put(&f->from, q->below, strlen(q->below));
		f->after_from = !q->recursive;
		if (q->below[0] != '\0') {
			key_put(&f->to, q->below, strlen(q->below));
			buf_putc(&f->to, 1);
			f->has_to = true;
		}
	} else if (q->glob != NULL)
		glob_range(f, q->glob);
}

/* Is path, which lies below q->below, deeper than a child?  Its child's length. */
static bool
deeper(const struct catalog_query *q, const char *path, size_t len, size_t *child)
{
	size_t skip = q->below[0] != '\0' ? strlen(q->below) + 1 : 0;
	const char *slash = skip < len ? memchr(path + skip, '/', len - skip) : NULL;

	if (slash == NULL)
		return false;
	*child = (size_t)(slash - path);
	return true;
}

/*
 * Of the row under the scan only what its path decides; most rows that a glob goes over need not
 * be looked at any closer.
 */
static bool
path_wanted(const struct catalog_fetch *f)
{
	const struct catalog_query *q = f->q;
	int type = sqlite3_column_int(f->scan, CATALOG_ROWS_TYPE);

	return q->glob == NULL || q->glob[0] == '\0' ||
	    path_glob(q->glob, (const char *)f->path.data, f->path.len, type == ENTRY_DIR);
}

static bool
span_wanted(const struct catalog_fetch *f)
{
	int64_t sequence = (int64_t)f->q->sequence;

	return sequence == 0 ||
	    (sqlite3_column_int64(f->scan, CATALOG_ROWS_FIRST) <= sequence &&
		(sqlite3_column_type(f->scan, CATALOG_ROWS_LAST) == SQLITE_NULL ||
		    sqlite3_column_int64(f->scan, CATALOG_ROWS_LAST) >= sequence));
}

/* ---- batches ---- */

static int
start(struct catalog_fetch *f, struct err *e)
{
	(void)sqlite3_reset(f->scan);
	buf_clear(&f->bound);
	buf_append(&f->bound, f->at.data, f->at.len);
	if (buf_check(&f->bound, e) != 0)
		return -1;
	(void)sqlite3_bind_int64(f->scan, 1, f->series);
	catalog_db_bind_key(f->scan, 2, &f->bound);
	(void)sqlite3_bind_int64(f->scan, 3, f->at_first);
	if (f->has_to)
		catalog_db_bind_key(f->scan, 4, &f->to);
	return 0;
}

/* The path of the row under the scan, against that of the last one. */
static int
path_order(const struct catalog_fetch *f)
{
	const void *path = sqlite3_column_blob(f->scan, CATALOG_ROWS_PATH);
	size_t len = (size_t)sqlite3_column_bytes(f->scan, CATALOG_ROWS_PATH);
	size_t min = len < f->at.len ? len : f->at.len;
	int order = min > 0 ? memcmp(path, f->at.data, min) : 0;

	return order != 0 ? order : (len > f->at.len) - (len < f->at.len);
}

/* Remember the key of the row; keys must go up, or the file leads us in circles. */
static int
move_on(struct catalog_fetch *f, int order, struct err *e)
{
	int64_t first = sqlite3_column_int64(f->scan, CATALOG_ROWS_FIRST);

	if (order < 0 || (order == 0 && first <= f->at_first))
		return catalog_db_damaged(e, "versions out of order");
	f->same_path = order == 0 ? f->same_path + 1 : 1;
	/* Each row of a path tells of a backup that no other row of it tells of. */
	if (f->same_path > f->max_rows || f->rows.text.len > PATH_BYTES)
		return catalog_db_damaged(e, "a path with more versions than backups");
	if (order != 0) {
		buf_clear(&f->at);
		buf_append(&f->at, sqlite3_column_blob(f->scan, CATALOG_ROWS_PATH),
		    (size_t)sqlite3_column_bytes(f->scan, CATALOG_ROWS_PATH));
	}
	f->at_first = first;
	return buf_check(&f->at, e);
}

static bool
is_full(const struct catalog_fetch *f)
{
	return f->rows.n >= BATCH_ROWS || f->rows.text.len >= BATCH_BYTES;
}

/* Go past all that lies below the child of the directory asked for. */
static int
skip_child(struct catalog_fetch *f, const char *path, size_t child, struct err *e)
{
	buf_clear(&f->at);
	key_put(&f->at, path, child);
	buf_putc(&f->at, 1);
	f->at_first = -1;
	f->same_path = 0;
	return buf_check(&f->at, e) != 0 ? -1 : start(f, e);
}

/* Look at the row under the scan; keep it in f->rows when it is wanted. */
static int
take_row(struct catalog_fetch *f, struct err *e)
{
	const struct catalog_query *q = f->q;
	const char *path;
	size_t child;

	buf_clear(&f->path);
	if (catalog_db_path(f->scan, CATALOG_ROWS_PATH, &f->path, e) != 0)
		return -1;
	path = (const char *)f->path.data;
	if (q->below != NULL && !q->recursive && deeper(q, path, f->path.len, &child))
		return skip_child(f, path, child, e);
	if (!span_wanted(f) || !path_wanted(f))
		return 0;
	return catalog_rows_add(&f->rows, f->scan, e);
}

int
catalog_fetch_next(struct catalog_fetch *f, struct err *e)
{
	int rc;

	catalog_rows_clear(&f->rows);
	catalog_db_guard(f->c);
	rc = start(f, e);
	while (rc == 0 && (rc = catalog_db_step(f->c, f->scan, e)) == 1) {
		int order = path_order(f);

		if (order != 0 && is_full(f)) {
			f->at_first = INT64_MAX; /* what comes to this path meanwhile is too late */
			break;
		}
		rc = move_on(f, order, e) != 0 || take_row(f, e) != 0 ? -1 : 0;
	}
	(void)sqlite3_reset(f->scan);
	return rc;
}

int
catalog_fetch_init(
    struct catalog_fetch *f, struct catalog *c, const struct catalog_query *q, struct err *e)
{
	f->c = c;
	f->q = q;
	set_range(f);
	if (buf_check(&f->from, e) != 0 || buf_check(&f->to, e) != 0)
		return -1;
	return catalog_db_prepare(c,
	    f->has_to ? SELECT_AFTER " AND path < ?4 ORDER BY path, first"
		      : SELECT_AFTER " ORDER BY path, first",
	    &f->scan, e);
}

void
catalog_fetch_done(struct catalog_fetch *f)
{
	(void)sqlite3_finalize(f->scan);
	catalog_rows_done(&f->rows);
	buf_done(&f->from);
	buf_done(&f->to);
	buf_done(&f->at);
	buf_done(&f->bound);
	buf_done(&f->path);
	memset(f, 0, sizeof(*f));
}

int
catalog_fetch_start(struct catalog_fetch *f, struct err *e)
{
	buf_clear(&f->at);
	buf_append(&f->at, f->from.data, f->from.len);
	f->at_first = f->after_from ? INT64_MAX : -1;
	f->same_path = 0;
	return buf_check(&f->at, e);
}

void
catalog_fetch_series(struct catalog_fetch *f, int64_t series, uint64_t backups)
{
	f->series = series;
	f->max_rows = backups;
}

int
catalog_fetch_back(struct catalog_fetch *f, size_t n, struct err *e)
{
	const struct catalog_row *row = &f->rows.v[n - 1];

	/* After all rows of its path. */
	buf_clear(&f->at);
	key_put(&f->at, (const char *)f->rows.text.data + row->path, row->path_len);
	f->at_first = INT64_MAX;
	f->same_path = 0;
	f->rows.n = n;
	return buf_check(&f->at, e);
}
