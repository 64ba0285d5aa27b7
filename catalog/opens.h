/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_OPENS_H
#define CATALOG_OPENS_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "core/buf.h"

struct catalog;
struct err;

/*
 * The open spans of a series in order, while some of them are closed and others written: the old
 * side of a merge.  Private to catalog/.
 *
 * stmt selects from a table of spans, with ?1 the series, what comes behind path ?2, place ?3 and
 * first ?4, by these.  Rows are picked out here and not by the statement, so that each one that it
 * goes over is seen: a file whose pages repeat is caught by its order.
 */
struct catalog_opens {
	struct catalog *c;
	sqlite3_stmt *stmt; /* stands on the span while has */
	struct catalog_opens_columns {
		int path, place, first, last; /* place -1: the table has none, all are at 0 */
	} col;
	int64_t series, sequence; /* of the backup that is merged: its own spans are none here */
	bool has;
	struct buf path; /* as it is stored */
	int64_t place, first;
	bool seen; /* these three are filled in */
	bool wrote; /* the table was written to since stmt began */
	struct buf from; /* where it began */
};

void catalog_opens_done(struct catalog_opens *o); /* finalizes stmt too; all-zero is harmless */
/*
 * Go to the first one at or behind a path (as it is stored), which lies behind the span at hand.
 * has tells whether there is one.
 */
int catalog_opens_seek(struct catalog_opens *o, const struct buf *path, struct err *e);
int catalog_opens_next(struct catalog_opens *o, struct err *e);
/* The span (has) against a path and place. */
int catalog_opens_compare(const struct catalog_opens *o, const struct buf *path, int64_t place);

#endif
