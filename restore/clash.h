/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_CLASH_H
#define RESTORE_CLASH_H

#include <stdbool.h>

#include "core/hashes.h"

struct err;

/*
 * Where names lose their first components, two things may come to have one: then one would take
 * the other's place.  Directories do not clash with each other, they are merged.  The order does
 * not matter.  All-zero is empty.
 */
struct clash {
	struct hashes paths, files, dirs;
};

/*
 * place is the end of path.  ERR_USAGE when it, or a directory on the way to it, is what another
 * path has become, and not both are directories.  The same path may come again.
 */
int clash_add(struct clash *c, const char *path, const char *place, bool is_dir, struct err *e);
void clash_done(struct clash *c);

#endif
