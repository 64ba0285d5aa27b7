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
 * Each batch is taken in a transaction that ends before the caller's callback sees it: a reader
 * holds no lock while somebody looks at a page of its output, and so never keeps the night's
 * backup from its commit.  The next batch starts after the last path, and a path's rows are all in
 * one batch: what a row's ends mean may be another thing by then (catalog/amend.h).
 */
struct catalog_fetch {
	struct catalog *c;
	const struct catalog_query *q;
	struct catalog_rows rows; /* the batch */
	sqlite3_stmt *scan;
	int64_t series;
	uint64_t max_rows; /* of a path: more cannot be, or the file lies */
	uint64_t same_path; /* rows of the path at hand so far */
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
/* Begin with another series. */
int catalog_fetch_start(struct catalog_fetch *f, struct err *e);
/* The series' number, which a change may have made another, and how many backups it has. */
void catalog_fetch_series(struct catalog_fetch *f, int64_t series, uint64_t backups);
/* The next batch into f->rows, perhaps an empty one.  1: there may be more; 0: it was the last; -1.
 */
int catalog_fetch_next(struct catalog_fetch *f, struct err *e);
/* Give rows n and on back: the next batch is to begin with them.  Row n - 1 has another path. */
int catalog_fetch_back(struct catalog_fetch *f, size_t n, struct err *e);

#endif
