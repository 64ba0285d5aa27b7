/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_FIRSTS_H
#define BACKUP_FIRSTS_H

#include "pack/parent.h"

struct err;
struct job;
struct links;

/*
 * First names of files that have several.  Later names become links to them, so each must surely be
 * in the archive: the planner reads it itself, when its member is not copied.
 */
struct firsts {
	struct parent parent;
	struct links *links; /* borrowed */
};

void firsts_init(struct firsts *f, int source_fd);
void firsts_done(struct firsts *f);
/*
 * Read all of them in j (struct feed's read_firsts; ctx: a struct firsts).  One that is gone, or
 * cannot be read, becomes a note, and the next of its names in j, if there is one, the first.
 */
int firsts_read(void *ctx, struct job *j, struct err *e);

#endif
