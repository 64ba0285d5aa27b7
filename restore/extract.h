/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_EXTRACT_H
#define RESTORE_EXTRACT_H

#include <stdint.h>

struct err;
struct repo;
struct restore_load;
struct restore_plan;
struct restore_report;
struct restore_select;
struct restore_target;
struct seal;

/* What the parts of one restore share. */
struct restore_job_ctx {
	const struct repo *repo;
	const struct seal *seal;
	const struct restore_plan *plan;
	const struct restore_select *select;
	const struct restore_target *target;
	struct restore_report *report;
	uint8_t *marks; /* of each member (mark.h); NULL: not all of the backup is restored */
	unsigned jobs;
};

/*
 * Unpack what the plan names: files with their content proven and their facts, links,
 * fifos, devices; directories with no facts but attributes, hard links not at all (finish.h).
 * Workers read, check, inflate and write members side by side.  What is damaged is a
 * finding, and no file stays under its name whose digest did not hold; -1 when the work
 * cannot go on.
 */
int restore_extract(const struct restore_job_ctx *ctx, struct restore_load *l, struct err *e);

#endif
