/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_LINES_H
#define RESTORE_LINES_H

#include "archive/entry.h"
#include "seal/section.h"

struct err;
struct manifest_member;
struct restore_load;
struct section_parser;
struct tar_reader;

/*
 * The entries of a member, as its section has them.  Where the section is damaged: as the archive's
 * own headers say, so that nothing is lost that is still there; of a large file only
 * the path.  All-zero is harmless to close.
 */
struct restore_lines {
	struct section_parser *section;
	struct tar_reader *tar;
	const struct manifest_member *one; /* a large file that is still to be told */
	struct entry en;
};

/* m must outlive it.  Uses both buffers of l.  ERR_CORRUPT when neither can be read. */
int restore_lines_open(struct restore_lines *s, struct restore_load *l,
    const struct manifest_member *m, struct err *e);
/* 1: a line (or a note, of a section); it lives until the next call.  0: the end.  -1. */
int restore_lines_next(struct restore_lines *s, struct section_line *line, struct err *e);
void restore_lines_close(struct restore_lines *s);

#endif
