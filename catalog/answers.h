/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_ANSWERS_H
#define CATALOG_ANSWERS_H

#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "catalog/rows.h"
#include "core/buf.h"

struct catalog_fetch;
struct err;

/* What a batch of rows comes to, hard links in terms of their targets.  Private to catalog/. */

/* A row in the backups first to last (each 0: to that end of the series). */
struct catalog_answer {
	size_t row;
	int64_t first, last;
	size_t content; /* target whose content it has; CATALOG_ANSWERS_OWN: its own */
};
#define CATALOG_ANSWERS_OWN SIZE_MAX

struct catalog_answers {
	struct catalog_fetch *fetch;
	struct catalog_answer *v;
	size_t n, cap;
	struct catalog_rows targets; /* of hard links */
	/* Of the last link: its row, and where the rows of its target begin. */
	const struct catalog_row *linked;
	size_t from;
	sqlite3_stmt *target;
	struct buf key;
};

/* All-zero *a before; catalog_answers_done() after, also on failure.  fetch must outlive it. */
int catalog_answers_init(struct catalog_answers *a, struct catalog_fetch *fetch, struct err *e);
void catalog_answers_done(struct catalog_answers *a);
/*
 * Of the batch that fetch has just taken; in the same transaction.  Rows for which memory would get
 * short are given back: *more is 1 then.
 */
int catalog_answers_make(struct catalog_answers *a, int *more, struct err *e);

#endif
