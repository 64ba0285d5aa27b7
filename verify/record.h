/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_RECORD_H
#define VERIFY_RECORD_H

#include <stdbool.h>
#include <time.h>

#include "store/repo.h"

struct verify_report;

/* How a check of a backup ended, for the catalog's history. */
struct verify_result {
	const struct repo_backup *backup;
	int level; /* enum verify_level */
	time_t at;
	bool ok;
};

/*
 * Put results into the repository's catalog, where there is one, and it can be written
 * to without waiting for anybody.  It is only a note to the operator: where it cannot be
 * done, log_verbose says why.
 */
void verify_record(struct repo *r, const struct verify_result *results, size_t n);
/* A note when backups of l are not in the catalog, or that does not answer. */
void verify_catalog_note(struct repo *r, const struct repo_list *l, struct verify_report *report);

#endif
