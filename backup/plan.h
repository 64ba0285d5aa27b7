/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_PLAN_H
#define BACKUP_PLAN_H

#include <stdint.h>

struct err;
struct pipeline;
struct reuse_cursor;
struct walk_opts;

/*
 * The planner: walks the source and groups what it meets into jobs, an archive
 * member each, by the rule of archive/cut.h.  It alone sees all names in order, so it
 * decides which of several hard links holds the data, and opens that one itself,
 * when it is not copied: later names are links to something that surely is in the archive.
 */
struct plan_result {
	uint64_t excluded; /* paths that a pattern matched; what is below them was not seen */
	uint64_t entries; /* met, beside the source itself and notes */
};

/*
 * Submits everything; does not finish the pipeline.  older: what may be copied, or NULL.
 */
int plan_run(struct pipeline *p, int source_fd, struct reuse_cursor *older,
    const struct walk_opts *opts, struct plan_result *result, struct err *e);

#endif
