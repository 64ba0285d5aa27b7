/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_DIRS_H
#define RESTORE_DIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/entry.h"
#include "core/buf.h"

struct err;
struct manifest_member;
struct restore_load;

/*
 * The directories of one member, with all the facts that are still to be set, and its hard
 * links.  The manifest's lines have most of them; attributes and ACLs stand in the tar headers
 * only, so that a member that has a directory with some is read again, once for all of its
 * directories, unless its mark (mark.h) says that none needs it.
 * All-zero is an empty set.
 */
struct restore_dir {
	struct entry en; /* its strings and values are in store */
	bool lost; /* it has attributes or ACLs, and they cannot be read */
	char *store;
};

/* All of en to dir, on memory of its own, in place of what it was; how much that takes. */
int restore_dir_own(struct restore_dir *dir, const struct entry *en, struct err *e);
size_t restore_dir_size(const struct entry *en);

struct restore_dirs {
	struct restore_dir *v; /* in the order of the backup */
	size_t n, cap;
	struct buf links; /* in that order, too: path, NUL, what it is a name of, NUL */
};

/*
 * What was in d before goes.  Where section or member is damaged, what the other one
 * has; -1 only when the work cannot go on.  mark is m's, or 0.
 */
int restore_dirs_load(struct restore_dirs *d, struct restore_load *l,
    const struct manifest_member *m, uint8_t mark, struct err *e);
const struct restore_dir *restore_dirs_find(const struct restore_dirs *d, const char *path);
void restore_dirs_done(struct restore_dirs *d);

#endif
