/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_STATS_H
#define MANIFEST_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "manifest/growth.h"

struct catalog;
struct cmd_repo;
struct err;

/* What manifest stats has to tell: from the seals, and where to ask for the rest. */
struct stats {
	const struct cmd_repo *r;
	struct catalog *c;
	struct growth *series;
	size_t n;
	uint64_t top; /* how many largest and most changed files; 0: none */
	/* Of the whole repository. */
	uint64_t backups, archive_bytes, manifest_bytes;
	uint64_t unsealed_bytes, catalog_bytes;
	uint64_t rest_bytes; /* of sealed backups that do not count */
	uint64_t free_bytes;
	int64_t full_in_days; /* -1: not to be seen */
};

/* Print it on stdout, for people and for programs. */
int stats_text(const struct stats *s, struct err *e);
int stats_json(const struct stats *s, struct err *e);

#endif
