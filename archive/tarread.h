/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_TARREAD_H
#define ARCHIVE_TARREAD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct entry;
struct err;

/*
 * Reading a slice of a tar stream that tar_write_header() made, from a source that
 * hands out plain bytes piece by piece.  A slice starts at a header and ends behind
 * an entry, or behind the two zero blocks that end an archive.
 *
 * Input is not trusted: a header that the writer would not have written gives
 * ERR_CORRUPT, and says where in bytes from the slice's start.  Paths are made clean
 * ("./a/" becomes "a", "./" becomes ""); those that cannot be (absolute, "..", empty
 * components, NUL) are ERR_CORRUPT.  Memory stays below 8 MiB whatever comes.
 */
struct tar_reader;

/* Next piece, valid until the next call; 0 bytes at the end; -1 with *e. */
typedef ssize_t (*tar_feed)(void *ctx, const void **data, struct err *e);

int tar_reader_new(struct tar_reader **out, tar_feed feed, void *ctx, struct err *e);
/* For a slice in memory, which must outlive the reader. */
int tar_reader_new_mem(struct tar_reader **out, const void *data, size_t len, struct err *e);
void tar_reader_free(struct tar_reader *r); /* NULL is harmless */
/*
 * 1: *en is filled in, valid until the next call of this; 0: end; -1.  Data that was
 * not asked for is passed over.  After -1 the reader is of no more use but for freeing.
 */
int tar_read_next(struct tar_reader *r, struct entry *en, struct err *e);
/*
 * 1: a piece of the current file's data, never empty, and its file offset (gaps are
 * holes), valid until the next call of either; 0: end of it; -1.
 */
int tar_read_data(
    struct tar_reader *r, const void **data, size_t *len, uint64_t *offset, struct err *e);

#endif
