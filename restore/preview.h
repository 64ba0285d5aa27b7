/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_PREVIEW_H
#define RESTORE_PREVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "restore/into.h"

struct err;
struct restore_opts;
struct restore_report;
struct section_line;

/* --dry-run: what would become of each entry, and of what is there. */
enum preview_action { PREVIEW_CREATE, PREVIEW_REPLACE, PREVIEW_KEEP, PREVIEW_ACTIONS };
const char *preview_word(enum preview_action a);

struct preview {
	const struct restore_opts *o;
	struct restore_report *report;
	enum into_mode mode;
	int fd; /* the target; -1: none, or not there */
	uint64_t n[PREVIEW_ACTIONS]; /* entries but directories */
	struct preview_names {
		char **v;
		size_t n;
	} tops, there; /* names at the top of what is restored, and of the target; not to merge */
	bool no_memory;
};

void preview_begin(
    struct preview *p, const struct restore_opts *o, enum into_mode mode, struct restore_report *r);
/* For restore_plan_opts: ctx is the preview. */
void preview_entry(void *ctx, const char *path, const struct section_line *line);
/* Names of the target that would go, all or those of which there are new ones. */
int preview_end(struct preview *p, bool everything, struct err *e);
void preview_done(struct preview *p);

#endif
