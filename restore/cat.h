/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_CAT_H
#define RESTORE_CAT_H

#include <stddef.h>

struct err;
struct restore_job_ctx;
struct restore_load;

/*
 * The content of the plan's files to standard output, in the order of the backup, holes
 * as zeros.  Each member is proven before a byte of it is written; the digest of a
 * large file as a whole is known only at its end, and is a finding then.
 */
int restore_cat(const struct restore_job_ctx *ctx, struct restore_load *l, struct err *e);
/* Bytes to standard output; the error says what became of that. */
int restore_cat_put(const void *data, size_t len, struct err *e);

#endif
