/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BIGFILE_H
#define RESTORE_BIGFILE_H

struct buf;
struct err;
struct manifest_member;
struct restore_job_ctx;
struct restore_load;
struct restore_parent;

/*
 * A large file that is being written: made by one thread, filled by many, hashed and judged
 * by one that sees its chunks in order.  Each holds a share; when the last one is
 * dropped, a file that was not found good is removed.  Damage is a finding.
 */
struct restore_bigfile;

/*
 * m is its header; l is used for it only now.  1: the file is there, with its length; 0: it cannot
 * be made, a finding says so; -1.
 */
int restore_bigfile_new(struct restore_bigfile **out, const struct restore_job_ctx *ctx,
    struct restore_load *l, struct restore_parent *parent, const struct manifest_member *m,
    const char *place, struct err *e);
struct restore_bigfile *restore_bigfile_share(struct restore_bigfile *f);
void restore_bigfile_drop(struct restore_bigfile *f); /* NULL is harmless */
const char *restore_bigfile_path(const struct restore_bigfile *f); /* in the backup */

/* Write a chunk; any thread.  Its plain bytes become those of keep, for the hash. */
int restore_bigfile_write(struct restore_bigfile *f, struct restore_load *l,
    const struct manifest_member *m, struct buf *keep, struct err *e);
/* Chunks in order. */
int restore_bigfile_hash(struct restore_bigfile *f, const struct manifest_member *m,
    const struct buf *plain, struct err *e);
/* After the last chunk, m: its content is compared, and it gets its facts. */
int restore_bigfile_end(struct restore_bigfile *f, struct restore_load *l,
    const struct manifest_member *m, struct err *e);

#endif
