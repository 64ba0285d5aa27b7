/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/answers.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/db.h"
#include "catalog/fetch.h"
#include "core/err.h"

/* Rows of hard links' targets that a batch may take along. */
#define TARGET_ROWS 4096
#define TARGET_BYTES (4u << 20)

static int
add_answer(struct catalog_answers *a, size_t row, int64_t first, int64_t last, size_t content,
    struct err *e)
{
	if (a->n == a->cap) {
		size_t cap = a->cap > 0 ? 2 * a->cap : 256;
		void *p = reallocarray(a->v, cap, sizeof(*a->v));

		if (p == NULL)
			return err_nomem(e);
		a->v = p;
		a->cap = cap;
	}
	a->v[a->n++] = (struct catalog_answer){row, first, last, content};
	return 0;
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
fetch_targets(struct catalog_answers *a, const char *path, size_t len, struct err *e)
{
	size_t from = a->targets.n;
	int rc;

	if (catalog_db_key(&a->key, path, len, e) != 0)
		return -1;
	catalog_db_guard(a->fetch->c);
	(void)sqlite3_bind_int64(a->target, 1, a->fetch->series);
	catalog_db_bind_key(a->target, 2, &a->key);
	while ((rc = catalog_db_step(a->fetch->c, a->target, e)) == 1) {
		if (a->targets.n - from >= a->fetch->max_rows)
			rc = catalog_db_damaged(e, "a path with more versions than backups");
		else
			rc = catalog_rows_add(&a->targets, a->target, e);
		if (rc != 0)
			break;
	}
	(void)sqlite3_reset(a->target);
	return rc;
}

/* The versions of the row's target: targets from at to the last one. */
static int
find_targets(struct catalog_answers *a, const struct catalog_row *row, struct err *e)
{
	const char *text = (const char *)a->fetch->rows.text.data;
	const struct catalog_row *last = a->linked;

	/* A link that changes whenever its target does needs them many times. */
	if (last != NULL && last->link_len == row->link_len &&
	    memcmp(text + last->link, text + row->link, row->link_len) == 0)
		return 0;
	a->linked = row;
	a->from = a->targets.n;
	return fetch_targets(a, text + row->link, row->link_len, e);
}

/*
 * A hard link's line says where its content is, not what: so its versions are also those of
 * its target.
 */
static int
add_hardlink(struct catalog_answers *a, size_t i, struct err *e)
{
	const struct catalog_row *row = &a->fetch->rows.v[i];
	int64_t first, last;
	bool told = false;
	int rc = find_targets(a, row, e);

	for (size_t k = a->from; rc == 0 && k < a->targets.n; k++) {
		const struct catalog_row *t = &a->targets.v[k];

		if (t->type != ENTRY_FILE || !overlap(row, t, &first, &last))
			continue;
		if (a->fetch->q->sequence != 0 &&
		    ((uint64_t)first > a->fetch->q->sequence ||
			(last != 0 && (uint64_t)last < a->fetch->q->sequence)))
			continue;
		told = true;
		rc = add_answer(a, i, first, last, k, e);
	}
	if (rc == 0 && !told)
		rc = add_answer(a, i, row->first, row->last, CATALOG_ANSWERS_OWN, e);
	return rc;
}

static bool
same_path(const struct catalog_rows *rows, const struct catalog_row *a, const struct catalog_row *b)
{
	return a->path_len == b->path_len &&
	    memcmp(rows->text.data + a->path, rows->text.data + b->path, a->path_len) == 0;
}

/* Does row begin with a path that may as well wait for the next batch? */
static bool
can_wait(const struct catalog_answers *a, size_t i)
{
	const struct catalog_row *v = a->fetch->rows.v;

	return i > 0 && (a->targets.n >= TARGET_ROWS || a->targets.text.len >= TARGET_BYTES) &&
	    !same_path(&a->fetch->rows, &v[i - 1], &v[i]);
}

int
catalog_answers_make(struct catalog_answers *a, int *more, struct err *e)
{
	a->n = 0;
	a->linked = NULL;
	catalog_rows_clear(&a->targets);
	for (size_t i = 0; i < a->fetch->rows.n; i++) {
		const struct catalog_row *row = &a->fetch->rows.v[i];

		if (can_wait(a, i)) {
			*more = 1;
			return catalog_fetch_back(a->fetch, i, e);
		}
		if (row->type == ENTRY_HARDLINK
			? add_hardlink(a, i, e) != 0
			: add_answer(a, i, row->first, row->last, CATALOG_ANSWERS_OWN, e) != 0)
			return -1;
	}
	return 0;
}

int
catalog_answers_init(struct catalog_answers *a, struct catalog_fetch *fetch, struct err *e)
{
	a->fetch = fetch;
	return catalog_db_prepare(fetch->c,
	    "SELECT " CATALOG_ROWS_COLUMNS
	    " FROM version WHERE series = ?1 AND path = ?2 ORDER BY first",
	    &a->target, e);
}

void
catalog_answers_done(struct catalog_answers *a)
{
	(void)sqlite3_finalize(a->target);
	catalog_rows_done(&a->targets);
	free(a->v);
	buf_done(&a->key);
	memset(a, 0, sizeof(*a));
}
