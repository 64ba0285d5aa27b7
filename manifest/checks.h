/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_CHECKS_H
#define MANIFEST_CHECKS_H

#include <stdbool.h>

#include "catalog/catalog.h"

struct buf;
struct json;
struct repo_backup;

/* What verify has left in the catalog of one backup: a note, and no proof. */
struct checks {
	bool checked; /* at all: */
	struct catalog_verification last;
	bool read; /* at level standard or deep: */
	struct catalog_verification last_read;
};

/* c NULL: nothing is known.  What cannot be read is told by log_verbose, and not known. */
struct checks checks_of(struct catalog *c, const struct repo_backup *b);
/* Append "deep 3d ago: FAILED, quick 2h ago" or "never". */
void checks_put(const struct checks *h, struct buf *out);
/* Members "verified" and "read", each an object or null. */
void checks_json(const struct checks *h, struct json *j);

#endif
