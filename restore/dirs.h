/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_DIRS_H
#define RESTORE_DIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "archive/entry.h"

struct err;
struct manifest_member;
struct restore_load;

/*
 * The directories of one member, with all their facts.  The manifest's lines have most
 * of them; attributes and ACLs stand in the tar headers only, so that a member that has
 * a directory with some is read, once for all of its directories.
 * All-zero is an empty set.
 */
struct restore_dir {
	struct entry en; /* its strings and values are in store */
	bool lost; /* it has attributes or ACLs, and they cannot be read */
	char *store;
};

struct restore_dirs {
	struct restore_dir *v; /* in the order of the backup */
	size_t n, cap;
};

/*
 * What was in d before goes.  Where section or member is damaged, what the other one
 * has; -1 only when the work cannot go on.
 */
int restore_dirs_load(
    struct restore_dirs *d, struct restore_load *l, const struct manifest_member *m, struct err *e);
const struct restore_dir *restore_dirs_find(const struct restore_dirs *d, const char *path);
void restore_dirs_done(struct restore_dirs *d);

#endif
