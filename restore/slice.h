/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_SLICE_H
#define RESTORE_SLICE_H

#include <stdbool.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "seal/section.h"

struct err;
struct restore_report;
struct tar_reader;

/*
 * A whole f member: its tar slice and its section, read side by side, so that each tar
 * entry comes with the manifest line that speaks of it.
 */
struct restore_slice {
	struct tar_reader *tar;
	struct section_parser *lines; /* NULL: the section is lost */
	struct restore_report *report;
};

/* plain and text must outlive it; text may be NULL. */
int restore_slice_open(struct restore_slice *s, const struct buf *plain, const struct buf *text,
    struct restore_report *r, struct err *e);
void restore_slice_close(struct restore_slice *s);
/*
 * 1: the next entry, and its line (*has_line false when there is none: then a finding
 * says so, once).  Where they disagree, that is a finding.  0: the end.  -1: the slice is damaged.
 */
int restore_slice_next(struct restore_slice *s, struct entry *en, struct section_line *line,
    bool *has_line, struct err *e);

#endif
