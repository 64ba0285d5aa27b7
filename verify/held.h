/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_HELD_H
#define VERIFY_HELD_H

#include <time.h>

#include "verify/pick.h"
#include "verify/report.h"

struct err;
struct repo_list;
struct verify_opts;

/*
 * What can be said of a repository from its seals alone, for each series that is asked
 * for: seals that cannot be read, held backups that are missing or are not the ones
 * that were held, backups that nobody holds, and how old the newest is.
 */
void verify_held(const struct repo_list *l, const struct verify_opts *o,
    const struct verify_picks *picks, time_t now, struct verify_report *r);
/* Is a backup missing that the newest of its series holds?  Reports nothing. */
bool verify_held_missing(const struct repo_list *l, const struct verify_opts *o);

#endif
