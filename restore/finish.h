/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_FINISH_H
#define RESTORE_FINISH_H

struct err;
struct restore_job_ctx;
struct restore_load;

/*
 * What comes last: hard links, because what they link to may be written by another worker,
 * then the directories' facts, because making things in a directory moves its time
 * and needs more rights than it may have.  Children come before parents.  Both are
 * read from the manifest's sections again, so that no more is kept in memory than a byte
 * for each member (mark.h).
 */
int restore_finish(const struct restore_job_ctx *ctx, struct restore_load *l, struct err *e);

#endif
