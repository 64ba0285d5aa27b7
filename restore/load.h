/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_LOAD_H
#define RESTORE_LOAD_H

#include <stdbool.h>

#include "core/buf.h"
#include "seal/manifest.h"

struct err;
struct repo;
struct seal;

/*
 * Reading parts of one sealed backup, each proven by the digest above it before it is
 * used.  One thread at a time; each worker has its own.
 */
struct restore_load;

int restore_load_open(
    struct restore_load **out, const struct repo *r, const struct seal *s, struct err *e);
void restore_load_close(struct restore_load *l); /* NULL is harmless */
/* The index of members: for seeking and going on. */
struct manifest_reader *restore_load_index(struct restore_load *l);
/*
 * The plain bytes of a member, or the text of its section; valid until the next call of the
 * same function.  NULL with *e; ERR_CORRUPT when it is damaged.
 */
const struct buf *restore_load_member(
    struct restore_load *l, const struct manifest_member *m, struct err *e);
const struct buf *restore_load_section(
    struct restore_load *l, const struct manifest_member *m, struct err *e);
/* What restore_load_member gave last becomes the caller's, in *out, whose own memory is used next.
 */
void restore_load_take(struct restore_load *l, struct buf *out);
/* Is e damage, or a part of the disk that cannot be read?  Else going on makes no sense. */
bool restore_load_lost(const struct err *e);

#endif
