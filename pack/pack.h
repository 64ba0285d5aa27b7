/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_PACK_H
#define PACK_PACK_H

#include <stddef.h>

struct err;
struct job;
struct packer;
struct reuse;

/*
 * The worker: turns a job into packed archive members and manifest sections.  What comes
 * out depends on the job and the tree alone.  A packer serves one thread.
 */

struct packer_opts {
	int rootfd; /* the source, borrowed */
	const struct reuse *older; /* what jobs may be copied from, borrowed; NULL: nothing */
	int level; /* of compression */
	unsigned workers; /* there are of it */
	size_t block; /* members are made multiples of it; 0: as they come */
};

int packer_new(struct packer **out, const struct packer_opts *opts, struct err *e);
void packer_free(struct packer *p); /* NULL is harmless */
/*
 * Fill in what came out of j.  Files that are gone or cannot be read are noted and counted;
 * -1 is for want of memory and the like.
 */
int packer_run(struct packer *p, struct job *j, struct err *e);

#endif
