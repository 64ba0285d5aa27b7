/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_CHECK_H
#define VERIFY_CHECK_H

#include <stdbool.h>

struct err;
struct repo;
struct repo_backup;
struct repo_list;
struct verify_opts;
struct verify_report;

/*
 * Check one backup whose seal could be read, against what that seal says, at the
 * level that opts asks for.  Findings go to the report; -1 only when the check itself
 * could not be done (memory, a stop).
 *
 * Each byte of the archive is read once; memory does not depend on its size.
 */
struct verify_checked {
	int level; /* enum verify_level: deep is for those that somebody vouches for */
	bool pruned; /* it was removed meanwhile: there is no result */
};
struct verify_subject {
	const struct repo *repo;
	const struct repo_list *list; /* to tell whose files these are, when they are another's */
	const struct repo_backup *backup; /* of the list */
};
int verify_check(const struct verify_subject *s, const struct verify_opts *opts,
    struct verify_report *report, struct verify_checked *out, struct err *e);

#endif
