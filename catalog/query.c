/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/rows.h"
#include "core/err.h"
#include "core/log.h"
#include "core/path.h"
#include "core/stop.h"

/*
 * Rows are taken in batches, each with a statement that ends before the first callback: a
 * reader holds no lock while somebody looks at a page of its output, and so never keeps
 * the night's backup from its commit.  The next batch starts after the last key.
 */
#define BATCH_ROWS 512
#define BATCH_BYTES (1u << 20)

struct walk {
	struct catalog *c;
	const struct catalog_query *q;
	catalog_fn fn;
	void *ctx;
	/* The series at hand: backups[0..n) of it, and how many before each count. */
	const struct catalog_backup *backups;
	size_t n;
	size_t *counted;
	sqlite3_stmt *scan, *target;
	/* What is asked for, as it is stored: path >= from (with_from), path < to. */
	struct buf from, to;
	bool after_from; /* not from itself */
	bool has_to;
	/* Where the next batch starts: after (path, first). */
	struct buf at;
	int64_t at_first;
	struct buf bound; /* what the running statement started after */
	struct catalog_rows rows, targets;
	struct buf key;
};

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
 * stars behind it match a itself): then the range is a and all below.
 */
static void
glob_range(struct walk *w, const char *glob)
{
	const char *slash = strchr(glob, '/');
	bool below;
	size_t len;

	if (slash == NULL || slash[1] == '\0')
		return;
	glob += glob[0] == '/';
	len = literal_len(glob);
	below = len > 0 && glob[len - 1] == '/';
	len -= below;
	if (len == 0)
		return;
	key_put(&w->from, glob, len);
	key_put(&w->to, glob, len);
	if (below)
		buf_putc(&w->to, 1);
	else
		while (w->to.len > 0 && ++w->to.data[w->to.len - 1] == 0)
			w->to.len--;
	w->has_to = w->to.len > 0;
}

static int
set_range(struct walk *w, struct err *e)
{
	const struct catalog_query *q = w->q;

	if (q->path != NULL) {
		key_put(&w->from, q->path, strlen(q->path));
		key_put(&w->to, q->path, strlen(q->path));
		buf_putc(&w->to, '\0');
		w->has_to = true;
	} else if (q->below != NULL) {
		key_put(&w->from, q->below, strlen(q->below));
		w->after_from = !q->recursive;
		if (q->below[0] != '\0') {
			key_put(&w->to, q->below, strlen(q->below));
			buf_putc(&w->to, 1);
			w->has_to = true;
		}
	} else if (q->glob != NULL)
		glob_range(w, q->glob);
	if (buf_check(&w->from, e) != 0 || buf_check(&w->to, e) != 0)
		return -1;
	return catalog_db_prepare(w->c,
	    w->has_to ? "SELECT " CATALOG_ROWS_COLUMNS " FROM version WHERE series = ?1"
			" AND (path, first) > (?2, ?3) AND path < ?4 ORDER BY path, first"
		      : "SELECT " CATALOG_ROWS_COLUMNS " FROM version WHERE series = ?1"
			" AND (path, first) > (?2, ?3) ORDER BY path, first",
	    &w->scan, e);
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

static bool
wanted(const struct catalog_query *q, const struct catalog_row *row, const char *path)
{
	if (q->sequence != 0 &&
	    ((uint64_t)row->first > q->sequence ||
		(row->last != 0 && (uint64_t)row->last < q->sequence)))
		return false;
	if (q->glob != NULL && q->glob[0] != '\0')
		return path_glob(q->glob, path, row->path_len, row->type == ENTRY_DIR);
	return true;
}

/* ---- batches ---- */

static int
start(struct walk *w, struct err *e)
{
	(void)sqlite3_reset(w->scan);
	buf_clear(&w->bound);
	buf_append(&w->bound, w->at.data, w->at.len);
	if (buf_check(&w->bound, e) != 0)
		return -1;
	(void)sqlite3_bind_int64(w->scan, 1, w->backups[0].series);
	catalog_db_bind_key(w->scan, 2, &w->bound);
	(void)sqlite3_bind_int64(w->scan, 3, w->at_first);
	if (w->has_to)
		catalog_db_bind_key(w->scan, 4, &w->to);
	return 0;
}

/* Remember the key of the row; keys must go up, or the file leads us in circles. */
static int
move_on(struct walk *w, struct err *e)
{
	const void *path = sqlite3_column_blob(w->scan, 0);
	size_t len = (size_t)sqlite3_column_bytes(w->scan, 0);
	int64_t first = sqlite3_column_int64(w->scan, 1);
	size_t min = len < w->at.len ? len : w->at.len;
	int order = min > 0 ? memcmp(path, w->at.data, min) : 0;

	if (order == 0)
		order = (len > w->at.len) - (len < w->at.len);
	if (order < 0 || (order == 0 && first <= w->at_first))
		return catalog_db_damaged(e, "versions out of order");
	if (order != 0) {
		buf_clear(&w->at);
		buf_append(&w->at, path, len);
	}
	w->at_first = first;
	return buf_check(&w->at, e);
}

/* Go past all that lies below the child of the directory asked for. */
static int
skip_child(struct walk *w, const char *path, size_t child, struct err *e)
{
	buf_clear(&w->at);
	key_put(&w->at, path, child);
	buf_putc(&w->at, 1);
	w->at_first = 0;
	return buf_check(&w->at, e) != 0 ? -1 : start(w, e);
}

/* Look at the row under the scan; keep it in w->rows when it is wanted. */
static int
take_row(struct walk *w, struct err *e)
{
	struct catalog_rows *rows = &w->rows;
	size_t child, mark = rows->text.len;
	const struct catalog_row *row;
	const char *path;

	if (catalog_rows_add(rows, w->scan, e) != 0)
		return -1;
	row = &rows->v[rows->n - 1];
	path = (const char *)rows->text.data + row->path;
	if (w->q->below != NULL && !w->q->recursive && deeper(w->q, path, row->path_len, &child)) {
		if (skip_child(w, path, child, e) != 0)
			return -1;
	} else if (wanted(w->q, row, path))
		return 0;
	rows->n--;
	rows->text.len = mark;
	return 0;
}

/* 1: there may be more; 0: that was all; -1. */
static int
fetch(struct walk *w, struct err *e)
{
	int rc;

	catalog_rows_clear(&w->rows);
	catalog_db_guard(w->c);
	rc = start(w, e);
	while (rc == 0 && (rc = catalog_db_step(w->c, w->scan, e)) == 1) {
		rc = move_on(w, e) != 0 || take_row(w, e) != 0 ? -1 : 0;
		if (rc == 0 && (w->rows.n >= BATCH_ROWS || w->rows.text.len >= BATCH_BYTES)) {
			rc = 1;
			break;
		}
	}
	(void)sqlite3_reset(w->scan);
	return rc;
}

/* ---- answers ---- */

/* Does b have a say in the answers? */
static bool
counts(const struct catalog_backup *b)
{
	return b->readable && !b->excluded;
}

/* Index of the first backup of the series with sequence >= sequence. */
static size_t
find_sequence(const struct walk *w, uint64_t sequence)
{
	size_t lo = 0, hi = w->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->backups[mid].sequence < sequence)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * Tell of row in backups first to last (0: the newest).  A row of which no backup that we
 * know has anything was made since we looked.
 */
static int
tell(struct walk *w, const struct catalog_rows *rows, const struct catalog_row *row, int64_t first,
    int64_t last, const struct catalog_row *content, struct err *e)
{
	const char *text = (const char *)rows->text.data;
	size_t lo = find_sequence(w, (uint64_t)first);
	size_t hi = last == 0 ? w->n : find_sequence(w, (uint64_t)last + 1);
	struct catalog_version v = {
	    .series = w->backups[0].series_name,
	    .path = text + row->path,
	    .path_len = row->path_len,
	    .type = row->type,
	    .mode = row->mode,
	    .uid = row->uid,
	    .gid = row->gid,
	    .size = content->size,
	    .mtime_sec = row->mtime_sec,
	    .mtime_nsec = row->mtime_nsec,
	    .rdev_major = row->rdev_major,
	    .rdev_minor = row->rdev_minor,
	    .link = row->has_link ? text + row->link : NULL,
	    .link_len = row->link_len,
	    .has_sha256 = content->has_sha256,
	    .changed = (content->flags & CATALOG_ROWS_CHANGED) != 0,
	    .grew = (content->flags & CATALOG_ROWS_GREW) != 0,
	    .unreadable = (content->flags & CATALOG_ROWS_UNREADABLE) != 0,
	};

	if (hi <= lo || w->counted[hi] == w->counted[lo])
		return 0;
	v.backups = w->counted[hi] - w->counted[lo];
	while (!counts(&w->backups[lo]))
		lo++;
	while (!counts(&w->backups[hi - 1]))
		hi--;
	memcpy(v.sha256, content->sha256, SHA256_LEN);
	v.first_seq = w->backups[lo].sequence;
	v.last_seq = w->backups[hi - 1].sequence;
	v.first_name = w->backups[lo].name;
	v.last_name = w->backups[hi - 1].name;
	v.is_current = w->counted[hi] == w->counted[w->n];
	return w->fn(w->ctx, &v, e);
}

static bool
overlap(const struct catalog_row *a, const struct catalog_row *b, int64_t *first, int64_t *last)
{
	*first = a->first > b->first ? a->first : b->first;
	if (a->last == 0 || b->last == 0)
		*last = a->last == 0 ? b->last : a->last;
	else
		*last = a->last < b->last ? a->last : b->last;
	return *last == 0 || *first <= *last;
}

static int
fetch_targets(struct walk *w, const char *path, size_t len, struct err *e)
{
	int rc;

	catalog_rows_clear(&w->targets);
	if (catalog_db_key(&w->key, path, len, e) != 0)
		return -1;
	catalog_db_guard(w->c);
	(void)sqlite3_bind_int64(w->target, 1, w->backups[0].series);
	catalog_db_bind_key(w->target, 2, &w->key);
	while ((rc = catalog_db_step(w->c, w->target, e)) == 1)
		if (catalog_rows_add(&w->targets, w->target, e) != 0) {
			rc = -1;
			break;
		}
	(void)sqlite3_reset(w->target);
	return rc;
}

/*
 * A hard link's line says where its content is, not what: so its versions are also those of
 * its target.
 */
static int
tell_hardlink(struct walk *w, const struct catalog_row *row, struct err *e)
{
	const char *text = (const char *)w->rows.text.data;
	int64_t first, last;
	bool told = false;
	int rc = fetch_targets(w, text + row->link, row->link_len, e);

	for (size_t i = 0; rc == 0 && i < w->targets.n; i++) {
		const struct catalog_row *t = &w->targets.v[i];

		if (t->type != ENTRY_FILE || !overlap(row, t, &first, &last))
			continue;
		if (w->q->sequence != 0 &&
		    ((uint64_t)first > w->q->sequence ||
			(last != 0 && (uint64_t)last < w->q->sequence)))
			continue;
		told = true;
		rc = tell(w, &w->rows, row, first, last, t, e);
	}
	if (rc == 0 && !told)
		rc = tell(w, &w->rows, row, row->first, row->last, row, e);
	return rc;
}

static int
tell_all(struct walk *w, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->rows.n; i++) {
		const struct catalog_row *row = &w->rows.v[i];

		if (row->type == ENTRY_HARDLINK)
			rc = tell_hardlink(w, row, e);
		else
			rc = tell(w, &w->rows, row, row->first, row->last, row, e);
	}
	return rc;
}

/* ---- series ---- */

static int
count_backups(struct walk *w, struct err *e)
{
	free(w->counted);
	w->counted = calloc(w->n + 1, sizeof(*w->counted));
	if (w->counted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < w->n; i++) {
		w->counted[i + 1] = w->counted[i] + counts(&w->backups[i]);
		if (!w->backups[i].readable && !w->backups[i].excluded && w->q->sequence == 0)
			log_warn("%s: its manifest could not be read, so what it holds is not "
				 "known",
			    w->backups[i].name);
	}
	return 0;
}

static int
check_sequence(const struct walk *w, struct err *e)
{
	size_t i = find_sequence(w, w->q->sequence);

	if (w->q->sequence == 0)
		return 0;
	if (i == w->n || w->backups[i].sequence != w->q->sequence)
		return err_set(e, ERR_NOTFOUND, "series %s has no backup of sequence %llu",
		    w->backups[0].series_name, (unsigned long long)w->q->sequence);
	if (!w->backups[i].readable)
		return err_set(
		    e, ERR_CORRUPT, "%s: its manifest cannot be read", w->backups[i].name);
	return 0;
}

/* 0; 1: the callback has enough; -1. */
static int
walk_series(struct walk *w, struct err *e)
{
	int rc = 0, more = 1;

	if (count_backups(w, e) != 0 || check_sequence(w, e) != 0)
		return -1;
	buf_clear(&w->at);
	buf_append(&w->at, w->from.data, w->from.len);
	w->at_first = w->after_from ? INT64_MAX : 0;
	if (buf_check(&w->at, e) != 0)
		return -1;
	while (rc == 0 && more == 1) {
		if (stop_check(e) != 0)
			return -1;
		more = fetch(w, e);
		rc = more < 0 ? -1 : tell_all(w, e);
	}
	return rc;
}

static int
walk_all(struct walk *w, struct err *e)
{
	struct catalog *c = w->c;
	size_t i = 0;
	int rc = 0;

	while (rc == 0 && i < c->n_backups) {
		w->backups = &c->backups[i];
		for (w->n = 0; i < c->n_backups && c->backups[i].series == w->backups->series; i++)
			w->n++;
		if (w->q->series == NULL || strcmp(w->q->series, w->backups->series_name) == 0)
			rc = walk_series(w, e);
	}
	return rc < 0 ? -1 : 0;
}

int
catalog_exclude(struct catalog *c, const char *name, struct err *e)
{
	if (catalog_db_load(c, e) != 0)
		return -1;
	for (size_t i = 0; i < c->n_backups; i++)
		if (strcmp(c->backups[i].name, name) == 0)
			c->backups[i].excluded = true;
	return 0;
}

int
catalog_query(
    struct catalog *c, const struct catalog_query *q, catalog_fn fn, void *ctx, struct err *e)
{
	struct walk w = {.c = c, .q = q, .fn = fn, .ctx = ctx};
	int rc = catalog_db_load(c, e);

	if (rc == 0)
		rc = set_range(&w, e);
	if (rc == 0)
		rc = catalog_db_prepare(c,
		    "SELECT " CATALOG_ROWS_COLUMNS
		    " FROM version WHERE series = ?1 AND path = ?2 ORDER BY first",
		    &w.target, e);
	if (rc == 0)
		rc = walk_all(&w, e);
	(void)sqlite3_finalize(w.scan);
	(void)sqlite3_finalize(w.target);
	free(w.counted);
	catalog_rows_done(&w.rows);
	catalog_rows_done(&w.targets);
	buf_done(&w.from);
	buf_done(&w.to);
	buf_done(&w.at);
	buf_done(&w.bound);
	buf_done(&w.key);
	return rc;
}
