/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_AUDIT_RUN_H
#define VERIFY_AUDIT_RUN_H

#include <stdio.h>

#include "cli/cli.h"

struct err;
struct repo;
struct repo_list;
struct trust;
struct verify_opts;
struct verify_picks;

/*
 * verify --source: a live tree against the one backup that is picked.  The set of backups is judged
 * as ever, from the seals; what is wrong with it is told on stderr, and out has the comparison.
 */
struct verify_audit {
	const struct verify_opts *opts;
	const struct repo *repo;
	const struct trust *trust; /* that the list was made with; NULL: none */
	const struct repo_list *list;
	const struct verify_picks *picks;
	FILE *out;
};

enum cli_status verify_audit(const struct verify_audit *a, struct err *e);

#endif
