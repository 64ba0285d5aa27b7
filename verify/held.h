/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_HELD_H
#define VERIFY_HELD_H

#include <time.h>

#include "verify/pick.h"
#include "verify/report.h"

struct repo_list;
struct trust;
struct verify_anchor;
struct verify_opts;

/*
 * What can be said of a repository from its seals alone, for each series that is asked
 * for: seals that cannot be read, held backups that are missing or are not the ones
 * that were held, backups that nobody holds, what an anchor has seen that is not there any
 * more, and how old the newest is.
 */
struct verify_held_set {
	const struct repo_list *list;
	const struct trust *trust; /* that the list was made with; NULL: none */
	const struct verify_opts *opts;
	const struct verify_picks *picks;
	struct verify_anchor *anchor; /* NULL: none; with one, only trusted backups count */
};
void verify_held(const struct verify_held_set *set, time_t now, struct verify_report *r);
/* Is a backup missing that the newest of its series holds?  Reports nothing. */
bool verify_held_missing(const struct repo_list *l, const struct verify_opts *o);

#endif
