/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_SPANS_H
#define CATALOG_SPANS_H

#include <stddef.h>
#include <stdint.h>

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
 * All that the spans have from path on, and before end (NULL: to the last), is so in this backup
 * too: costs two seeks, whatever lies between.
 */
int catalog_spans_keep(struct catalog_spans *s, const char *path, size_t len, const char *end,
    size_t end_len, struct err *e);
int catalog_spans_finish(struct catalog_spans *s, struct err *e);

#endif
