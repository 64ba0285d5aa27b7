/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_FOREIGN_H
#define ARCHIVE_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include "archive/tarread.h"

struct entry;
struct err;

/*
 * Reading tar streams that other programs made, to take their content over: those of busybox,
 * GNU tar, bsdtar, star, Python, Go, in the formats v7, ustar, GNU and pax.  (Our own streams are
 * read by archive/tarread.c, which takes nothing else.)
 *
 * Names and link targets come as the bytes that they are, made clean ("./a//b/" becomes "a/b",
 * "./" becomes "").  Owners are numeric; names of users are passed over.  Extended attributes and
 * ACLs come in the form that struct entry has, sparse files of all four GNU formats as data and
 * gaps.  Times of access and change, volume labels, and comments are passed over.
 *
 * What would not come back as it was is refused, and the message names the entry, or the place
 * in the stream: a header whose checksum is wrong, an absolute path or one with "..", an entry of a
 * kind that nobody knows, a part of an archive of several volumes, numbers out of range.  An
 * archive must end with two blocks of zeros, and nothing but zeros may follow.
 *
 * Input is not trusted.  Memory stays below 64 MiB whatever comes: names and records of one
 * entry up to FOREIGN_META_MAX, and FOREIGN_EXTENTS_MAX pieces of a sparse file.
 */
#define FOREIGN_META_MAX (4u << 20)
#define FOREIGN_EXTENTS_MAX (1u << 20)
#define FOREIGN_SIZE_MAX (UINT64_C(1) << 44) /* of a sparse file; more does no file system hold */

struct foreign;

int foreign_new(struct foreign **out, tar_feed feed, void *ctx, struct err *e);
void foreign_free(struct foreign *f); /* NULL is harmless */
/*
 * 1: *en is filled in, valid until the next call of this; 0: end of a whole archive; -1.  A hard
 * link's target is clean; whether it exists is the caller's to know.  sparse and extents of *en
 * are never set: see foreign_data().  Data that was not asked for is passed over.
 */
int foreign_next(struct foreign *f, struct entry *en, struct err *e);
/* What of the present entry could not be taken over, for a warning; NULL: nothing. */
const char *foreign_lost(const struct foreign *f);
/*
 * 1: a piece of the current file's data, never empty, and its offset in the file, ascending (what
 * lies between, and up to the size, is zeros), valid until the next call of either; 0: end; -1.
 */
int foreign_data(
    struct foreign *f, const void **data, size_t *len, uint64_t *offset, struct err *e);
/* Bytes of the tar stream that were read so far. */
uint64_t foreign_taken(const struct foreign *f);

#endif
