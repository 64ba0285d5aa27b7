/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/answers.h"
#include "catalog/backups.h"
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
	char series[SEAL_NAME_MAX + 1];
	const struct catalog_backup *backups;
	size_t n;
	size_t *counted;
	size_t oldest, newest; /* readable ones; n: none */
	/* A batch of rows, and what they come to. */
	struct catalog_fetch fetch;
	struct catalog_answers answers;
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

/* ---- answers to the caller ---- */

/*
 * The backups from first to before last of the series.  An end is the sequence of a readable
 * backup, and never that of the oldest or newest one: those are 0.
 */
static int
find_ends(
    const struct walk *w, const struct catalog_answer *a, size_t *lo, size_t *hi, struct err *e)
{
	*lo = a->first == 0 ? 0 : find_sequence(w, (uint64_t)a->first);
	*hi = a->last == 0 ? w->n : find_sequence(w, (uint64_t)a->last) + 1;
	if (w->oldest < w->n &&
	    (a->first == 0 ||
		(*lo < w->n && *lo != w->oldest && w->backups[*lo].readable &&
		    w->backups[*lo].sequence == (uint64_t)a->first)) &&
	    (a->last == 0 ||
		(*hi <= w->n && *hi != w->newest + 1 && w->backups[*hi - 1].readable &&
		    w->backups[*hi - 1].sequence == (uint64_t)a->last)))
		return 0;
	return catalog_db_damaged(e, "a span ends where no backup is");
}

static int
tell(struct walk *w, const struct catalog_answer *a, struct err *e)
{
	const char *text = (const char *)w->fetch.rows.text.data;
	const struct catalog_row *row = &w->fetch.rows.v[a->row];
	const struct catalog_row *content =
	    a->content == CATALOG_ANSWERS_OWN ? row : &w->answers.targets.v[a->content];
	size_t lo, hi;
	struct catalog_version v = {
	    .series = w->series,
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

	if (find_ends(w, a, &lo, &hi, e) != 0)
		return -1;
	if (w->counted[hi] == w->counted[lo])
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

/* ---- series ---- */

static int
count_backups(struct walk *w, struct err *e)
{
	free(w->counted);
	w->counted = calloc(w->n + 1, sizeof(*w->counted));
	if (w->counted == NULL)
		return err_nomem(e);
	w->oldest = w->newest = w->n;
	for (size_t i = 0; i < w->n; i++) {
		w->counted[i + 1] = w->counted[i] + counts(&w->backups[i]);
		if (!w->backups[i].readable)
			continue;
		if (w->oldest == w->n)
			w->oldest = i;
		w->newest = i;
	}
	return 0;
}

static void
warn_of_unreadable(const struct walk *w)
{
	for (size_t i = 0; i < w->c->n_backups; i++) {
		struct catalog_backup *b = &w->c->backups[i];

		if (b->readable || b->excluded || b->warned ||
		    strcmp(b->series_name, w->series) != 0)
			continue;
		log_warn(
		    "%s: what it holds is not known: its manifest could not be read (verify tells "
		    "why)",
		    b->name);
		b->warned = true;
	}
}

static int
check_sequence(const struct walk *w, struct err *e)
{
	size_t i = find_sequence(w, w->q->sequence);

	if (w->q->sequence == 0)
		return 0;
	if (i == w->n || w->backups[i].sequence != w->q->sequence)
		return err_set(e, ERR_NOTFOUND, "series %s has no backup of sequence %llu",
		    w->series, (unsigned long long)w->q->sequence);
	if (!w->backups[i].readable)
		return err_set(e, ERR_CORRUPT,
		    "%s: its manifest could not be read (verify tells why)", w->backups[i].name);
	return 0;
}

/* The backups of the series as the catalog has them now; maybe none any more. */
static int
look_at_series(struct walk *w, struct err *e)
{
	struct catalog *c = w->c;
	size_t i = 0;

	while (i < c->n_backups && strcmp(c->backups[i].series_name, w->series) < 0)
		i++;
	w->backups = &c->backups[i];
	for (w->n = 0; i < c->n_backups && strcmp(c->backups[i].series_name, w->series) == 0; i++)
		w->n++;
	if (count_backups(w, e) != 0 || check_sequence(w, e) != 0)
		return -1;
	if (w->q->sequence == 0)
		warn_of_unreadable(w);
	if (w->n > 0)
		catalog_fetch_series(&w->fetch, w->backups->series, w->n);
	return 0;
}

/* A batch as of one moment: the backups, the rows, and what those say of each other. */
static int
take_batch(struct walk *w, bool first, int *more, struct err *e)
{
	int rc = catalog_backups_refresh(w->c, e);

	if (rc < 0 || ((rc == 1 || first) && look_at_series(w, e) != 0))
		return -1;
	w->answers.n = 0;
	*more = w->n > 0 ? catalog_fetch_next(&w->fetch, e) : 0;
	return *more < 0 || w->n == 0 ? *more : catalog_answers_make(&w->answers, more, e);
}

/* 0; 1: the callback has enough; -1. */
static int
walk_series(struct walk *w, struct err *e)
{
	int rc = catalog_fetch_start(&w->fetch, e), more = 1;

	for (bool first = true; rc == 0 && more == 1; first = false) {
		if (stop_check(e) != 0 || catalog_db_exec(w->c, "BEGIN", e) != 0)
			return -1;
		rc = catalog_db_end(w->c, take_batch(w, first, &more, e), e);
		for (size_t i = 0; rc == 0 && i < w->answers.n; i++)
			rc = tell(w, &w->answers.v[i], e);
	}
	return rc;
}

/* The next series by name.  What comes while we look may be one, too. */
static bool
next_series(struct walk *w)
{
	const struct catalog *c = w->c;
	size_t i = 0;

	while (i < c->n_backups && strcmp(c->backups[i].series_name, w->series) <= 0)
		i++;
	if (i < c->n_backups)
		(void)snprintf(w->series, sizeof(w->series), "%s", c->backups[i].series_name);
	return i < c->n_backups;
}

static int
walk_all(struct walk *w, struct err *e)
{
	int rc = 0;

	while (rc == 0 && next_series(w))
		if (w->q->series == NULL || strcmp(w->q->series, w->series) == 0)
			rc = walk_series(w, e);
	return rc < 0 ? -1 : 0;
}

int
catalog_query(
    struct catalog *c, const struct catalog_query *q, catalog_fn fn, void *ctx, struct err *e)
{
	struct walk w = {.c = c, .q = q, .fn = fn, .ctx = ctx};
	int rc = catalog_db_current(c, e);

	if (rc == 0)
		rc = catalog_backups_load(c, e);
	if (rc == 0)
		rc = catalog_fetch_init(&w.fetch, c, q, e);
	if (rc == 0)
		rc = catalog_answers_init(&w.answers, &w.fetch, e);
	if (rc == 0)
		rc = walk_all(&w, e);
	catalog_answers_done(&w.answers);
	catalog_fetch_done(&w.fetch);
	free(w.counted);
	return rc < 0 ? catalog_db_advise(c, e) : rc;
}
