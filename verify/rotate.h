/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_ROTATE_H
#define VERIFY_ROTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "catalog/reads.h"
#include "verify/pick.h"

struct err;
struct json;
struct verify_opts;
struct verify_report;

/*
 * Backups in turn (--oldest, --budget): first those whose last check at the level that is asked
 * for, or a higher one, is longest ago.  So all are read in so many nights, at the price of a few
 * in each.
 *
 * It goes by what the catalog remembers, whoever can write to the repository can make that lie, and
 * then some wait longer than others: that is why it is told when each was read last, and why a
 * check without these options is unaffected.
 */
struct verify_turn {
	const struct repo_backup *backup;
	bool checked; /* at that level, at: */
	time_t at;
};

struct verify_rotation {
	const struct verify_opts *opts;
	struct verify_turn *turns; /* owned; the next one first */
	size_t n;
	size_t done; /* of them, in this run */
	uint64_t work; /* of those: bytes, or at level quick backups */
	uint64_t ns; /* that took */
	const struct repo_backup *over; /* the first, when it took more than all of the budget */
	size_t left_out; /* not signed by a trusted key: what is found there cannot be noted */
	const struct repo_backup *first_left_out;
	bool has_reads;
	struct catalog_reads reads; /* at the end */
};

/* Is it asked for? */
bool verify_rotates(const struct verify_opts *o);
/*
 * Put those of picks in order.  In *picks stay those that are checked for certain.  ERR_SYS and
 * ERR_LOCKED when results could not be noted: then the next run would look at the same again.
 */
int verify_rotation_make(struct verify_rotation *rot, struct repo *r, const struct repo_list *l,
    const struct verify_opts *o, struct verify_picks *picks, struct err *e);
void verify_rotation_done(struct verify_rotation *rot); /* all-zero is harmless */
/* The next one, when there is one and it fits; NULL. */
const struct repo_backup *verify_rotation_next(const struct verify_rotation *rot);
/* It took so long.  pruned: it was removed meanwhile, so that there was nothing to do. */
void verify_rotation_took(struct verify_rotation *rot, uint64_t ns, bool pruned);
/* What is left out of it. */
void verify_rotation_tell(const struct verify_rotation *rot, struct verify_report *r);
/* After all is noted: when was each read? */
void verify_rotation_end(struct verify_rotation *rot, struct repo *r);
/* Is there something in it that even --quiet tells? */
bool verify_rotation_failed(const struct verify_rotation *rot);
/* The sum of it, in lines or as a member "rotation". */
void verify_rotation_text(const struct verify_rotation *rot, FILE *out);
void verify_rotation_json(const struct verify_rotation *rot, struct json *j);

/* ---- for tests ---- */

/* Never checked before checked, then the longest ago; among equals the oldest backup. */
void verify_rotation_sort(struct verify_turn *turns, size_t n);

#endif
