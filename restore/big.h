/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_BIG_H
#define RESTORE_BIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "core/hash.h"

struct err;
struct manifest_member;
struct section_line;

/*
 * A large file on its way back: its header, and where the data of each chunk belongs.
 * The header is taken apart once; chunks then are only bytes.
 */
struct restore_big {
	struct entry en; /* strings point into plain, or are owned by it */
	struct buf header; /* the member that en was read from */
	struct tar_reader *tar; /* keeps en alive */
	struct sha256 hash; /* of the content so far, holes too */
	uint64_t hashed;
	uint64_t stored; /* bytes of its data that came so far */
};

/* Takes the content of plain over.  ERR_CORRUPT when it is not one header of a large file. */
int restore_big_new(struct restore_big **out, struct buf *plain, struct err *e);
void restore_big_free(struct restore_big *b); /* NULL is harmless */

/*
 * The pieces of a chunk's plain bytes, one after the other, each with its place in the
 * file.  ERR_CORRUPT when the chunk has not the length that its place asks for.
 */
struct restore_pieces {
	const struct restore_big *big;
	const uint8_t *data; /* what is left of the chunk */
	uint64_t from, to; /* file offsets between which the chunk lies */
	size_t next; /* extent */
};
int restore_pieces_begin(struct restore_pieces *p, const struct restore_big *b,
    const struct manifest_member *m, const struct buf *plain, struct err *e);
/* false at the end. */
bool restore_pieces_next(
    struct restore_pieces *p, uint64_t *offset, const uint8_t **data, size_t *len);
/* Chunks in order: the digest of the content goes on, with zeros for what was left out. */
int restore_big_hash(
    struct restore_big *b, const struct manifest_member *m, const struct buf *plain, struct err *e);
/* Has all its data come? */
bool restore_big_whole(const struct restore_big *b);
/* The digest of the whole; b is of no more use for hashing. */
int restore_big_digest(struct restore_big *b, uint8_t out[SHA256_LEN], struct err *e);

#endif
