/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_FINISH_ONE_H
#define RESTORE_FINISH_ONE_H

#include "restore/target.h"

struct err;
struct restore_dir;
struct restore_job_ctx;
struct restore_load;

/* What the last pass does, one thing after the other; a thread's own. */
struct restore_finish_one {
	const struct restore_job_ctx *ctx;
	struct restore_parent parent; /* fd -1 to begin with */
};

/* path becomes a name of what link is in the backup.  -1: stop. */
int restore_finish_link(
    struct restore_finish_one *f, const char *path, const char *link, struct err *e);
/* All facts of a directory, which is at place. */
void restore_finish_dir(
    struct restore_finish_one *f, const struct restore_dir *d, const char *place);

/* The last pass when all of the backup is restored. */
int restore_finish_all(struct restore_finish_one *f, struct restore_load *l, struct err *e);

#endif
