/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_TARWRITE_H
#define ARCHIVE_TARWRITE_H

#include <stdint.h>

struct buf;
struct entry;
struct err;

/*
 * Headers of the tar stream: POSIX pax, as FORMAT.md, "Headers", has it.  A header
 * is a function of its entry alone: the same bytes in any process, whatever was
 * written before, with any library versions.  One thread at a time.
 */
struct tar_writer;

#define TAR_BLOCK 512u
#define TAR_END_LEN 1024u /* zero bytes that end the stream: the e member */
/* All that does not fit in a ustar header (names, attributes, ACLs) of one entry, in bytes. */
#define TAR_PAX_MAX (1u << 20)
/* Extents in a sparse map, the closing one with them: cut_hole_unit() gives half as many. */
#define TAR_EXTENTS_MAX 65537u

int tar_writer_new(struct tar_writer **out, struct err *e);
void tar_writer_free(struct tar_writer *w); /* NULL is harmless */
/*
 * Append the header blocks of en (pax header, ustar header, for a sparse file its
 * map): a multiple of TAR_BLOCK.  The caller appends the data and tar_pad() zeros.
 * ERR_UNSUPPORTED when en has more than TAR_PAX_MAX, or is no entry that tar can hold (a path that
 * is not clean, a link without a target, extents out of order or, but for the last one, not of
 * whole blocks, attributes unsorted, an ACL that no kernel would give); out is as it was then.
 */
int tar_write_header(struct tar_writer *w, const struct entry *en, struct buf *out, struct err *e);
/* Zeros that follow len bytes of data. */
static inline uint32_t
tar_pad(uint64_t len)
{
	return (uint32_t)(-len & (TAR_BLOCK - 1));
}
/* Bytes of data that follow the header: the size, or for a sparse file the sum of its extents. */
uint64_t tar_data_len(const struct entry *en);

#endif
