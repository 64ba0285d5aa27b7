/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_IMPORT_SPOOL_H
#define MANIFEST_IMPORT_SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct repo;

/*
 * The content of an archive's files, put where any part of it can be read again.
 *
 * Files stand in the archive in any order, and are packed in ours, so each must be at hand when
 * its turn comes; a gzip stream can only be read from its start.  So the content is written down
 * once, in blocks that are packed each by itself, quickly: it takes about as much room as the
 * archive (a gzip bomb stays as small as it came), not as much as the files would.  Blocks of
 * zeros take none.
 *
 * The files have no name, and go with the process.  A block that is not as it was written, by its
 * CRC, is an error: a disk that fails is not packed into a backup.
 */
struct import_spool;

/* Below repo, for the backup that will be called name. Both live longer. */
int import_spool_new(
    struct import_spool **out, const struct repo *repo, const char *name, struct err *e);
void import_spool_free(struct import_spool *s); /* NULL is harmless */

/* Where the next byte will be. */
uint64_t import_spool_pos(const struct import_spool *s);
int import_spool_put(struct import_spool *s, const void *data, size_t len, struct err *e);
int import_spool_zeros(struct import_spool *s, uint64_t len, struct err *e);
/* All is put: now it can be read. */
int import_spool_finish(struct import_spool *s, struct err *e);
/* Bytes on the volume. */
uint64_t import_spool_size(const struct import_spool *s);

/* A reader serves one thread; it remembers the last block. */
struct import_reader;
int import_reader_new(struct import_reader **out, const struct import_spool *s, struct err *e);
void import_reader_free(struct import_reader *r);
int import_reader_get(struct import_reader *r, uint64_t pos, void *out, size_t len, struct err *e);

#endif
