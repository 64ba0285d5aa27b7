/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_FILES_H
#define RESTORE_FILES_H

struct err;
struct manifest_member;
struct restore_job_ctx;
struct restore_load;
struct restore_parent;

/*
 * A member of whole entries: what is wanted of it is made beneath the target, files with
 * their content compared with their digests.  Damage is a finding; -1 when the work
 * cannot go on.
 */
int restore_files(const struct restore_job_ctx *ctx, struct restore_load *l,
    struct restore_parent *p, const struct manifest_member *m, struct err *e);

#endif
