/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_IMPORT_PLAN_H
#define MANIFEST_IMPORT_PLAN_H

struct err;
struct import_names;
struct import_spool;
struct pipeline;

/*
 * The planner of an import: feeds what names and spool hold to the packer (pack/feed.h), small
 * files by value, large ones by calls.  Does not finish the pipeline; spool must outlive it.
 */
int import_plan(struct pipeline *p, struct import_names *names, const struct import_spool *spool,
    struct err *e);

#endif
