/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_IMPORT_MAKE_H
#define MANIFEST_IMPORT_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/hash.h"
#include "manifest/import_order.h"
#include "store/repo.h"

struct err;
struct key;
struct trust;

/* What all archives of one run share. */
struct import_run {
	struct repo *repo; /* locked, recovered */
	struct repo_list list; /* made again after each backup */
	struct trust *trust;
	struct key *key; /* NULL: unsigned */
	int level;
	unsigned jobs;
	int progress;
	bool remove_original;
};

struct import_made {
	enum import_result {
		IMPORT_MADE,
		IMPORT_DONE_BEFORE, /* a backup of it is there */
		IMPORT_REFUSED, /* it is not whole, or cannot be stored: *e says why */
	} result;
	char backup[SEAL_NAME_MAX + 1]; /* not when refused */
	uint64_t sequence, entries, bytes, archive_size;
	uint8_t digest[SHA256_LEN]; /* of the original */
	bool removed; /* the original */
	bool kept; /* it was to be removed, but its backup does not read back: *e says why */
};

/*
 * One archive: read, packed, sealed, committed, and held by the newest backup of its series; with
 * remove_original read back, and the original removed.  0 with *out; *e is set too when it is
 * IMPORT_REFUSED, and nothing of it is left then, or kept.  -1: it cannot go on.
 */
int import_make(
    struct import_run *r, const struct import_item *it, struct import_made *out, struct err *e);
/* Name, number and sizes of the backup, into *out. */
void import_made_tell(struct import_made *out, const struct seal *s);

#endif
