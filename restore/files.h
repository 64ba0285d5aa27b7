/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_FILES_H
#define RESTORE_FILES_H

#include <stdint.h>

struct err;
struct manifest_member;
struct restore_job_ctx;
struct restore_load;
struct restore_parent;

/*
 * A member of whole entries: what is wanted of it is made beneath the target, files with
 * their content compared with their digests.  Damage is a finding; -1 when the work
 * cannot go on.  What it leaves for later is marked in *mark, unless that is NULL.
 */
int restore_files(const struct restore_job_ctx *ctx, struct restore_load *l,
    struct restore_parent *p, const struct manifest_member *m, uint8_t *mark, struct err *e);

#endif
