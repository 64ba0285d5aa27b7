/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BARE_DIRS_H
#define RESTORE_BARE_DIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "restore/bare_set.h"
#include "restore/dirs.h"

struct err;

/*
 * The directories of an archive that has no manifest, with their facts, which are set when all that
 * is in them is there.  They are kept in memory: some 250 bytes and the path for each, and what
 * attributes it has.  All-zero is empty.
 */
#define BARE_DIRS_MAX (512u << 20) /* bytes; no archive takes more memory than that */

struct bare_dir {
	struct restore_dir dir; /* en.path is where it goes */
	uint64_t number; /* in the archive, from 1; 0: on the way to something, and not in it */
	bool wanted; /* selected, not only on the way to what is */
};

struct bare_dirs {
	struct bare_dir *v;
	size_t n, cap;
	uint64_t added, size;
	struct bare_set known; /* until they are in order */
	char *parent; /* of what bare_dirs_way() had last */
};

/* en, to be at place.  ERR_UNSUPPORTED beyond BARE_DIRS_MAX. */
int bare_dirs_add(
    struct bare_dirs *d, const struct entry *en, const char *place, bool wanted, struct err *e);
/*
 * The directories on the way to place, should the archive not speak of them: then they are as
 * mkdir(1) makes them.
 */
int bare_dirs_way(struct bare_dirs *d, const char *place, struct err *e);
/* All are added: parents before children, and of each path what came last. */
void bare_dirs_order(struct bare_dirs *d);
/* Those that keep() says no to go. */
void bare_dirs_sift(
    struct bare_dirs *d, bool (*keep)(void *ctx, const struct bare_dir *), void *ctx);
void bare_dirs_done(struct bare_dirs *d);

#endif
