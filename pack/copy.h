/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_COPY_H
#define PACK_COPY_H

struct err;
struct job;
struct job_output;
struct reuse;

/*
 * Older members in the place of new ones.  1: copied; 0: cannot be had, which is told in the job's
 * tally: pack it; -1.
 */
/* The whole of a JOB_FILES that was not touched: member, section, and what is counted. */
int copy_files(const struct reuse *r, struct job *j, struct err *e);
/*
 * The packed bytes of j->old into o; its key, section, path and entries are the caller's.  path is
 * that of the file or of the first of them, for the message.
 */
int copy_member(
    const struct reuse *r, struct job *j, struct job_output *o, const char *path, struct err *e);

#endif
