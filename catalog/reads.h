/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CATALOG_READS_H
#define CATALOG_READS_H

#include <stddef.h>
#include <time.h>

struct buf;
struct catalog;
struct err;
struct json;
struct repo_backup;

/*
 * How long ago backups were read, which is what a verification at level standard or deep does,
 * whatever it found.  Damage is a matter of its own: a backup in which the last check found
 * something wrong has been read all the same.  It is what the catalog remembers: a note, and no
 * proof.
 *
 * All-zero is none.  Points to the backups that were added.
 */
struct catalog_reads {
	size_t backups, never, failed;
	const struct repo_backup *oldest_never; /* of those never read, the oldest */
	const struct repo_backup *least; /* of those read, the one longest ago; */
	time_t at; /* then */
	const struct repo_backup
	    *first_failed; /* the oldest whose last check found something wrong */
};

int catalog_reads_add(
    struct catalog_reads *r, struct catalog *c, const struct repo_backup *b, struct err *e);
/*
 * Append "All 10 backups were read within the last 9 days" or "3 of 10 backups were never read,
 * the oldest of them NAME", and what was found wrong; nothing when there are no backups.
 */
void catalog_reads_put(const struct catalog_reads *r, time_t now, struct buf *out);
/* The same as an object; r NULL: null. */
void catalog_reads_json(const struct catalog_reads *r, struct json *j, const char *key);

#endif
