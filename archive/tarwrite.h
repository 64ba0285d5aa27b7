/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ARCHIVE_TARWRITE_H
#define ARCHIVE_TARWRITE_H

#include <stdint.h>

struct buf;
struct entry;
struct err;

/*
 * Headers of the tar stream, by libarchive's pax writer.  The same entry gives the
 * same bytes, whatever was written before.  One thread at a time; the process must
 * run in a UTF-8 locale (cli_init sets C.UTF-8).
 */
struct tar_writer;

#define TAR_BLOCK 512u
#define TAR_END_LEN 1024u /* zero bytes that end the stream: the e member */

int tar_writer_new(struct tar_writer **out, struct err *e);
void tar_writer_free(struct tar_writer *w);
/*
 * Append the header blocks of en (pax header, ustar header, for a sparse file its
 * map).  The caller appends the data and tar_pad() zeros.
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
