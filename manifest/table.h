/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_TABLE_H
#define MANIFEST_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/buf.h"

struct err;

/*
 * A table for people: columns as wide as what is in them, two spaces apart.  Rows are
 * held until TABLE_HELD of them are there, then printed; after that a column only grows.
 * So memory is bounded, and a small table is set perfectly.
 *
 * On a terminal that is too narrow, columns are left out, in the order of their drop
 * numbers, and what is in the elastic column is cut in the middle.  Elsewhere nothing is ever
 * left out or cut.
 */
#define TABLE_COLUMNS 10
#define TABLE_HELD 512

struct table_column {
	const char *title;
	bool right; /* numbers */
	bool elastic; /* at most one */
	unsigned drop; /* 1 goes first; 0: stays */
};

struct table {
	FILE *out;
	const struct table_column *columns;
	size_t n_columns;
	size_t width; /* of the terminal; 0: no terminal */
	size_t widths[TABLE_COLUMNS];
	bool hidden[TABLE_COLUMNS];
	struct buf cells; /* each with a NUL after it */
	size_t n_cells;
	size_t spaces; /* to print before the next text of the line */
	bool titled; /* the title line was printed */
};

/* columns must outlive the table. */
void table_init(struct table *t, FILE *out, const struct table_column *columns, size_t n);
/* The next cell, row by row.  Text is printed as it is: escape what comes from outside. */
void table_cell(struct table *t, const char *text);
void table_printf(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A path or other outside bytes, through path_display(). */
void table_path(struct table *t, const char *path, size_t len);
/* Print what is held, and free.  -1 when memory ran out on the way. */
int table_done(struct table *t, struct err *e);

/* A line below a table: on a terminal that is too narrow it is broken at spaces. */
void table_note(FILE *out, const char *text);

/* Columns that text takes on a terminal. */
size_t table_text_width(const char *text);

#endif
