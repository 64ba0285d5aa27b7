/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_FINDS_H
#define VERIFY_FINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "verify/report.h"

struct err;

/*
 * Findings put by: workers find damage out of order, the sink reports it in order.
 * All-zero is empty.  Running out of memory is sticky, and told by replay.
 */
struct verify_finds {
	struct verify_find {
		enum verify_kind kind;
		const char *code; /* NULL: a file of the finding before */
		char *text; /* owned; both */
		char *path;
		const struct verify_place *place;
	} * items;
	size_t n;
	bool failed;
};

void verify_finds_add(struct verify_finds *f, enum verify_kind kind, const char *code,
    const char *path, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void verify_finds_file(struct verify_finds *f, const char *path);
/* The last finding is about this place, which lives until it is reported. */
void verify_finds_place(struct verify_finds *f, const struct verify_place *place);
/* Take back what came after the first n. */
void verify_finds_cut(struct verify_finds *f, size_t n);
/* Report all, and empty f. */
int verify_finds_replay(struct verify_finds *f, struct verify_report *r, struct err *e);
void verify_finds_done(struct verify_finds *f);

#endif
