/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_FETCH_H
#define CATALOG_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "catalog/rows.h"

struct err;

/*
 * The rows that a query asks for, in batches.  Private to catalog/.
 *
 * Each batch is taken with a statement that ends before the caller sees it: a reader holds no
 * lock while somebody looks at a page of its output, and so never keeps the night's
 * backup from its commit.  The next batch starts after the last key.
 */
struct catalog_fetch {
	struct catalog *c;
	const struct catalog_query *q;
	struct catalog_rows rows; /* the batch */
	sqlite3_stmt *scan;
	int64_t series;
	/* What is asked for, as it is stored: from the first to before the second. */
	struct buf from, to;
	bool after_from; /* not from itself */
	bool has_to;
	/* Where the next batch starts: after (path, first). */
	struct buf at;
	int64_t at_first;
	struct buf bound; /* what the running statement started after */
	struct buf path; /* of the row under the scan */
};

/* All-zero *f before; catalog_fetch_done() after, also on failure.  q must outlive it. */
int catalog_fetch_init(
    struct catalog_fetch *f, struct catalog *c, const struct catalog_query *q, struct err *e);
void catalog_fetch_done(struct catalog_fetch *f);
/* Begin with a series. */
int catalog_fetch_series(struct catalog_fetch *f, int64_t series, struct err *e);
/* The next batch into f->rows, perhaps an empty one.  1: there may be more; 0: it was the last; -1.
 */
int catalog_fetch_next(struct catalog_fetch *f, struct err *e);

#endif
