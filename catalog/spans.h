/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_SPANS_H
#define CATALOG_SPANS_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct catalog;
struct err;
struct section_line;

/*
 * The merge of one backup's paths into the version spans of its series.  Private to
 * catalog/.
 *
 * Both sides come in path order, so it is one pass in constant memory: an unchanged path
 * writes nothing; a changed one closes its span and opens another; one that is gone
 * closes its span.  A transaction must be open.  On failure roll back.
 */
struct catalog_spans;

/* previous: the newest readable backup of the series; 0: none, this is the oldest. */
int catalog_spans_new(struct catalog_spans **out, struct catalog *c, int64_t series,
    uint64_t sequence, uint64_t previous, struct err *e);
void catalog_spans_free(struct catalog_spans *s); /* NULL is harmless */
/* The next entry (no note); paths must ascend. */
int catalog_spans_add(struct catalog_spans *s, const struct section_line *line, struct err *e);
/*
 * All that the spans have from path on (as it is stored) is so in this backup too, up to the path
 * that catalog_spans_resume() tells, or the last one (NULL): costs one seek, whatever there is.  To
 * resume when nothing is being kept does nothing.
 */
int catalog_spans_keep(struct catalog_spans *s, const struct buf *path, struct err *e);
int catalog_spans_resume(struct catalog_spans *s, const struct buf *path, struct err *e);
/* Nothing is being kept any more. */
int catalog_spans_finish(struct catalog_spans *s, struct err *e);

#endif
