/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_DRILL_H
#define RESTORE_DRILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"
#include "tree/audit.h"

struct err;
struct repo;
struct repo_backup;
struct repo_list;
struct restore_opts;
struct restore_report;

/*
 * restore --drill: a backup is restored into a scratch directory just as it would be into a
 * volume, every byte and fact of the tree is compared with the manifest, a command of the user's
 * may look at it, and it is removed again.  What it took, and what was wrong, is the result.
 */
enum drill_step { DRILL_RESTORE, DRILL_COMPARE, DRILL_CHECK, DRILL_REMOVE, DRILL_STEPS };
enum drill_outcome { DRILL_SKIPPED, DRILL_PASSED, DRILL_FAILED };

struct drill_difference {
	char *path, *how;
	size_t path_len;
};

struct drill {
	const struct restore_opts *o;
	const struct repo_backup *backup; /* NULL: none was found */
	struct restore_report *report; /* of the restore */
	struct drill_done {
		enum drill_outcome outcome;
		uint64_t ms;
		char why[4096]; /* FAILED: in a few words */
	} steps[DRILL_STEPS];
	struct audit_totals compared;
	uint64_t
	    excused; /* differences that are as the restore said: a plain user may not do all */
	uint64_t n_differences;
	struct drill_difference *differences; /* the first ones */
	size_t n_kept;
	bool noted; /* in the catalog */
	const char *scratch; /* where */
	int tree; /* that was restored; borrowed, while it is compared */
};

/* "restore", "compare", "check", "remove" */
const char *drill_step_name(enum drill_step s);
bool drill_passed(const struct drill *d);

/*
 * Its report goes to standard output, and to the file of --junit.  repo NULL: it could not be
 * opened, *e says why, and that is how the drill ended.
 */
enum cli_status drill_run(const struct restore_opts *o, struct repo *repo,
    const struct repo_list *list, struct restore_report *r, struct err *e);

#endif
