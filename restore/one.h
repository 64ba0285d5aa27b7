/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_ONE_H
#define RESTORE_ONE_H

#include <stdint.h>

#include "restore/bare.h"
#include "restore/into.h"
#include "restore/plan.h"
#include "restore/preview.h"

struct err;
struct repo;
struct repo_backup;
struct repo_list;
struct restore_load;
struct restore_opts;
struct restore_report;
struct restore_select;

/* The restore of one backup, as the options say.  The caller sets the first four; the rest is 0. */
struct restore_one {
	const struct restore_opts *o;
	const struct repo *repo;
	const struct repo_list *list;
	struct restore_report *report;
	const struct repo_backup *backup; /* from open on */
	struct restore_load *load;
	struct restore_select *select;
	struct restore_plan plan;
	struct into into;
	struct preview preview;
	struct bare bare;
	uint8_t *marks; /* NULL: not everything */
};

/* Which backup, and its files; restore_one_done in every case. */
int restore_one_open(struct restore_one *r, struct err *e);
/* What is wanted of it, into the target, to standard output, or (--dry-run) nowhere. */
int restore_one_run(struct restore_one *r, struct err *e);
/* After open failed: from the archive alone, if that may be and is asked for; else *e stays. */
int restore_one_bare(struct restore_one *r, struct err *e);
void restore_one_done(struct restore_one *r); /* all-zero is harmless */

#endif
