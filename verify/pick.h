/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_PICK_H
#define VERIFY_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include "store/repo.h"

struct err;
struct verify_opts;

/* Which backups are checked: those of a list that are marked. */
struct verify_picks {
	bool *picked; /* for each of the list's backups */
	size_t n;
};

/*
 * By name, all (of which rotate.h leaves some), or the newest complete one of each series; trusted
 * or not, because that is for the report.  A bad seal is none that can be checked.  ERR_NOTFOUND
 * when there is nothing to check and no bad seal to report; with expected, none to be there is
 * something to report.
 */
int verify_pick(const struct repo_list *l, const struct verify_opts *o, bool expected,
    struct verify_picks *out, struct err *e);
void verify_picks_done(struct verify_picks *p);
/* Is b of the series that is asked for?  A bad seal is known by its name only. */
bool verify_in_scope(const struct repo_backup *b, const struct verify_opts *o);
/* Is b one whose word counts: trusted, or with --untrusted any whose seal can be read? */
bool verify_vouched(const struct repo_backup *b, const struct verify_opts *o);
/* The newest of a series that is complete and not bad, whoever signed it; or NULL. */
const struct repo_backup *verify_newest_complete(const struct repo_list *l, const char *series);

#endif
