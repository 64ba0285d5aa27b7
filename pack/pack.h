/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_PACK_H
#define PACK_PACK_H

struct err;
struct job;
struct packer;

/*
 * The worker: turns a job into packed archive members and manifest sections.  What comes
 * out depends on the job and the tree alone.  A packer serves one thread.
 */

/* rootfd: the source, borrowed. level: of compression. */
int packer_new(struct packer **out, int rootfd, int level, struct err *e);
void packer_free(struct packer *p); /* NULL is harmless */
/*
 * Fill in what came out of j.  Files that are gone or cannot be read are noted and counted;
 * -1 is for want of memory and the like.
 */
int packer_run(struct packer *p, struct job *j, struct err *e);

#endif
