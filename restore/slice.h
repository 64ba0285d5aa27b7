/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_SLICE_H
#define RESTORE_SLICE_H

#include <stdbool.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "core/err.h"
#include "seal/section.h"

struct restore_report;
struct restore_select;
struct tar_reader;

/*
 * A whole f member: its tar slice and its section, read side by side, so that each tar
 * entry comes with the manifest line that speaks of it.  Both are in the order of
 * paths; what only one of them has is a finding, if it is wanted.
 */
struct restore_slice {
	struct tar_reader *tar;
	struct section_parser *lines; /* NULL: the section is lost */
	const struct restore_select *select;
	struct restore_report *report;
	struct section_line line; /* the next one */
	bool has_line;
	bool ended; /* there were lines, and that was all of them */
	bool told; /* that lines are lost */
	bool agree; /* so far each entry has a line that says the same, each line an entry */
	struct err broken; /* why no more comes from the tar slice */
};

/* plain and text must outlive it; text may be NULL. */
int restore_slice_open(struct restore_slice *s, const struct buf *plain, const struct buf *text,
    const struct restore_select *select, struct restore_report *r, struct err *e);
void restore_slice_close(struct restore_slice *s);
/*
 * 1: the next entry, and its line, valid until the next call; *line NULL when there is none.
 * Where they disagree, that is a finding.  0: the end.  -1: the slice is damaged; findings tell
 * what it should have held, unless *told is false because that is not known.
 */
int restore_slice_next(struct restore_slice *s, struct entry *en, const struct section_line **line,
    bool *told, struct err *e);
/*
 * The whole content of the present entry, which is no sparse file: in one piece, where it
 * lies in plain.  -1: the slice ends in it.
 */
int restore_slice_content(struct restore_slice *s, const void **data, size_t *len, struct err *e);

#endif
