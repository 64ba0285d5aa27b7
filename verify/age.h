/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_AGE_H
#define VERIFY_AGE_H

#include <time.h>

struct repo_list;
struct verify_opts;
struct verify_report;

/* What the times of a series' backups tell. */
struct verify_age_of {
	const struct repo_list *list;
	const struct verify_opts *opts;
	const char *series;
};

/* Report a newest complete backup that is older than --max-age, or of the future; or none. */
void verify_age(const struct verify_age_of *of, time_t now, struct verify_report *r);
/* Note each backup that is of an earlier time than the one before it. */
void verify_age_order(const struct verify_age_of *of, struct verify_report *r);

#endif
