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

struct bigfile;
struct err;
struct holes;
struct section_range;

/*
 * Where a large file's facts and content come from.  read is called by several threads at once,
 * the others by one at a time.
 */
struct bigfile_ops {
	/* As of now; 0, or -1 and errno. */
	int (*facts)(struct bigfile *b, struct facts *out);
	/* In place of what *out holds; -1 only where the backup cannot go on. */
	int (*attrs)(struct bigfile *b, struct attrs *out, struct err *e);
	/* Is there reason to look for holes before the first pass?  By b->facts; only a hint. */
	bool (*may_be_sparse)(const struct bigfile *b);
	/* Feed all of the file to *h. */
	int (*scan)(struct bigfile *b, struct holes *h, struct err *e);
	/*
	 * [offset, offset + len).  1: all of it; 0: out is filled up with zeros, and *bad is what
	 * gave an I/O error (len 0: none, the file is shorter); -1: the backup cannot go on.
	 */
	int (*read)(struct bigfile *b, uint64_t offset, uint8_t *out, size_t len,
	    struct section_range *bad, struct err *e);
	void (*close)(struct bigfile *b);
};

/*
 * A large file on its way through the workers, shared by the jobs of its header and
 * chunks, and the facts that its header states.  References are counted; the last one
 * closes it.
 */
struct bigfile {
	atomic_uint refs;
	const struct bigfile_ops *ops;
	int fd; /* of a live file */
	int64_t margin; /* for its ctime: pack/statkey.h */
	void *file; /* of others: what ops work on */
	char *path; /* clean */
	size_t path_len;
	/* Set by bigfile_prepare(), constant while jobs of this pass exist: */
	struct facts facts;
	struct attrs attrs;
	bool sparse;
	struct entry_extent *extents; /* sparse: where data is; not while unchanged */
	size_t n_extents;
	bool has_key; /* for the index: the ctime had settled */
	bool may_match; /* key may be compared with older ones */
	uint8_t key[SHA256_LEN];
	/*
	 * It is in the older backup with this key (match_big()): its members are copied, and
	 * neither attributes nor holes were looked at.  older_plain: of its chunks there.
	 */
	bool unchanged;
	uint64_t older_plain;
};

/* A live file.  Takes fd, also on failure. One reference is the caller's. */
int bigfile_new(
    struct bigfile **out, int fd, int64_t margin, const char *path, size_t path_len, struct err *e);
/* Another one, without a stat key.  file is closed by ops->close, but not after a failure of this.
 */
int bigfile_new_ops(struct bigfile **out, const struct bigfile_ops *ops, void *file,
    const char *path, size_t path_len, struct err *e);
struct bigfile *bigfile_ref(struct bigfile *b);
void bigfile_unref(struct bigfile *b); /* NULL is harmless */

/*
 * Before each pass: take the facts, and the key.  1 when they cannot be had (errno).  And, unless
 * it is unchanged: take the attributes, and where the file may well be sparse, look for holes.
 */
int bigfile_look(struct bigfile *b);
int bigfile_survey(struct bigfile *b, struct err *e);
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
