/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_PLAN_H
#define RESTORE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct manifest_member;
struct manifest_reader;
struct restore_load;
struct restore_report;
struct restore_select;
struct section_line;

/*
 * Which members a restore needs.  Everything: all of them, and nothing is read ahead.
 * A selection: the sections that may speak of it are read first, and tell the members,
 * the directories whose facts come back (those selected, and those on the way to a
 * selected entry), and what hard links need that was not selected itself.
 */
struct restore_plan {
	bool all;
	struct restore_range {
		uint64_t first, count; /* members */
	} * ranges; /* in order, apart; not for all */
	size_t n_ranges;
	char **dirs; /* in the backup, in order, each once; not for all */
	size_t n_dirs;
	uint64_t entries, bytes; /* of the selection; not for all */
};

/* How to plan.  All-zero is good. */
struct restore_plan_opts {
	bool look; /* read the sections of everything, too, for its totals */
	/* Called for each entry that is selected; path is where it will be. */
	void (*each)(void *ctx, const char *path, const struct section_line *line);
	void *ctx;
};

/*
 * Damaged pages and sections become findings, and what they may hold is taken in.  Of a
 * selection, what the manifest says is missing in the backup is told.
 */
int restore_plan_make(struct restore_plan *p, struct restore_load *l, struct restore_select *s,
    const struct restore_plan_opts *o, struct restore_report *r, struct err *e);
void restore_plan_done(struct restore_plan *p);
/* Of the directories, only those for which keep says so. */
void restore_plan_sift_dirs(
    struct restore_plan *p, bool (*keep)(void *ctx, const char *path), void *ctx);

/* Goes over the members of a plan, in order. */
struct restore_walk {
	const struct restore_plan *plan;
	struct manifest_reader *index;
	size_t range; /* the next one */
	uint64_t at, end; /* of the present one: the next member, and where it ends */
};
void restore_walk_begin(
    struct restore_walk *w, const struct restore_plan *p, struct manifest_reader *index);
/* As manifest_next: 1, 0 at the end, -1 for a part of the index that cannot be read. */
int restore_walk_next(struct restore_walk *w, struct manifest_member *m, struct err *e);

#endif
