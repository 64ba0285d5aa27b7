/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/fetch.h"
#include "catalog/rows.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"

/* Rows become answers: series by series, spans in terms of backups, hard links resolved. */
struct walk {
	struct catalog *c;
	const struct catalog_query *q;
	catalog_fn fn;
	void *ctx;
	/* The series at hand: backups[0..n) of it, and how many before each count. */
	const struct catalog_backup *backups;
	size_t n;
	size_t *counted;
	struct catalog_fetch fetch;
	sqlite3_stmt *target;
	struct catalog_rows targets; /* versions of a hard link's target */
	struct buf key;
};

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
	const char *text = (const char *)w->fetch.rows.text.data;
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
		rc = tell(w, &w->fetch.rows, row, first, last, t, e);
	}
	if (rc == 0 && !told)
		rc = tell(w, &w->fetch.rows, row, row->first, row->last, row, e);
	return rc;
}

static int
tell_all(struct walk *w, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < w->fetch.rows.n; i++) {
		const struct catalog_row *row = &w->fetch.rows.v[i];

		if (row->type == ENTRY_HARDLINK)
			rc = tell_hardlink(w, row, e);
		else
			rc = tell(w, &w->fetch.rows, row, row->first, row->last, row, e);
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
	if (catalog_fetch_series(&w->fetch, w->backups[0].series, e) != 0)
		return -1;
	while (rc == 0 && more == 1) {
		if (stop_check(e) != 0)
			return -1;
		more = catalog_fetch_next(&w->fetch, e);
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
		rc = catalog_fetch_init(&w.fetch, c, q, e);
	if (rc == 0)
		rc = catalog_db_prepare(c,
		    "SELECT " CATALOG_ROWS_COLUMNS
		    " FROM version WHERE series = ?1 AND path = ?2 ORDER BY first",
		    &w.target, e);
	if (rc == 0)
		rc = walk_all(&w, e);
	catalog_fetch_done(&w.fetch);
	(void)sqlite3_finalize(w.target);
	free(w.counted);
	catalog_rows_done(&w.targets);
	buf_done(&w.key);
	return rc;
}
