/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_BIGFILE_H
#define PACK_BIGFILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "core/hash.h"
#include "pack/attrs.h"
#include "pack/facts.h"

struct err;

/*
 * A large file on its way through the workers: one open descriptor, shared by
 * the jobs of its header and chunks, and the facts that its header states.
 * References are counted; the last one closes it.
 */
struct bigfile {
	atomic_uint refs;
	int fd;
	char *path; /* clean */
	size_t path_len;
	/* Set by bigfile_prepare(), constant while jobs of this pass exist: */
	struct facts facts;
	struct attrs attrs;
	bool sparse;
	struct entry_extent *extents; /* sparse: where data is */
	size_t n_extents;
	bool has_key;
	uint8_t key[SHA256_LEN];
};

/* Takes fd, also on failure. One reference is the caller's. */
int bigfile_new(struct bigfile **out, int fd, const char *path, size_t path_len, struct err *e);
struct bigfile *bigfile_ref(struct bigfile *b);
void bigfile_unref(struct bigfile *b); /* NULL is harmless */

/*
 * Before each pass: take facts and attributes, and where a good part of the file is not
 * allocated, look for holes.  1 when the facts cannot be had (errno); -1.
 */
int bigfile_prepare(struct bigfile *b, struct err *e);
/* After a pass that found more holes than it should: the next one is sparse.  Takes extents. */
void bigfile_make_sparse(struct bigfile *b, struct entry_extent *extents, size_t n);
/* The entry as this pass stores it. */
void bigfile_entry(const struct bigfile *b, struct entry *en);

/* A piece of the file that makes one archive member. */
struct bigfile_chunk {
	uint64_t offset; /* in the file; a multiple of CUT_CHUNK */
	size_t extent; /* sparse: the first extent that reaches into it */
	bool last; /* padding follows its data */
};
/* The chunk at or after *c (offset and extent; start with zeros) that holds data; false: none. */
bool bigfile_next_chunk(const struct bigfile *b, struct bigfile_chunk *c);
/*
 * The i-th run of data in chunk c, from 0: false when there is none.  One, for a file that is not
 * sparse.
 */
bool bigfile_chunk_run(
    const struct bigfile *b, const struct bigfile_chunk *c, size_t i, struct entry_extent *run);

#endif
