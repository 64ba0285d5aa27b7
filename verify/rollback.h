/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_ROLLBACK_H
#define VERIFY_ROLLBACK_H

#include <stdbool.h>
#include <time.h>

struct repo_backup;
struct repo_list;
struct verify_anchor;
struct verify_opts;
struct verify_report;

/*
 * Is what stands in a repository a later state of what its anchor has seen?  For each series
 * that was seen, the newest trusted backup must be that one (its seal may be another: sealing
 * anew changes it), or a newer one.  The one that was seen may be gone by then, but where the
 * newest seal holds its sequence number, or a trusted backup has it, it must be the same.
 */

/* What was found out about one series. */
struct verify_series {
	const char *name;
	const struct repo_backup *newest; /* trusted, with its holds; NULL: there is none */
	bool clean; /* nothing is wrong with the held set */
};

/*
 * Report what is wrong, and let the anchor see the newest where nothing is.  Damage of data
 * does not count: who was there is told by seals.
 */
void verify_rollback_series(struct verify_anchor *a, const struct repo_list *l,
    const struct verify_series *s, time_t now, struct verify_report *r);
/* Report series that were seen, and are asked for, of which l has nothing. */
void verify_rollback_vanished(struct verify_anchor *a, const struct repo_list *l,
    const struct verify_opts *o, struct verify_report *r);

/* Would anything be reported?  Then look again: l may be a view of a set that changed meanwhile. */
bool verify_rollback_doubts(
    const struct verify_anchor *a, const struct repo_list *l, const struct verify_opts *o);
/* Was any backup seen of what is asked for? */
bool verify_rollback_expects(const struct verify_anchor *a, const struct verify_opts *o);

#endif
