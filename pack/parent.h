/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_PARENT_H
#define PACK_PARENT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/*
 * The directory beneath the source that was opened last: siblings follow one another, so most
 * files need no look-up but that of their own name.
 */
struct parent {
	int rootfd; /* borrowed */
	int dirfd; /* -1: none */
	struct buf dir; /* its path */
};

void parent_init(struct parent *p, int rootfd);
void parent_done(struct parent *p);
/*
 * Open the directory that holds path (clean; "" is the source) as p->dirfd, for *at calls only;
 * *base is the name there.  0, or -1 and errno.
 */
int parent_open(struct parent *p, const char *path, size_t len, const char **base);

#endif
