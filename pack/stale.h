/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_STALE_H
#define PACK_STALE_H

struct buf;
struct err;
struct job;
struct reuse;

/*
 * A member was read again, and is not what it was, though its stat key is: tell which of its files
 * changed without a trace, by the older section and the text of the new one.
 */
int stale_tell(const struct reuse *r, struct job *j, const struct buf *text, struct err *e);

#endif
