/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_BIGFILE_H
#define VERIFY_BIGFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "core/hash.h"
#include "verify/job.h"

struct err;
struct tar_reader;

/*
 * A large file, whose header and chunks pass by as members of their own: its content's
 * digest goes on from chunk to chunk, with zeros for holes, and is held against the
 * manifest's line at the last one.  Jobs come in order; damaged ones too.
 * All-zero is ready for use.
 */
struct verify_bigfile {
	bool open; /* between a header and the last chunk */
	bool broken; /* a part was damaged: nothing more can be said */
	char *path;
	struct buf header; /* entry lives in here, and in reader */
	struct tar_reader *reader;
	struct entry entry;
	struct sha256 hash;
	struct sha256 plain; /* of the chunk at hand */
	uint64_t pos; /* in the file: hashed up to here */
	size_t extent; /* sparse: the one that pos lies in or before */
	struct verify_finds *finds; /* of the job at hand */
};

/* job: of kind HEADER or CHUNK, its plain bytes unpacked unless damaged.  -1: memory, stop. */
int verify_bigfile_take(struct verify_bigfile *b, struct verify_job *job, struct err *e);
/* Another kind of member, or the end: a file that is open has lost its last chunk. */
void verify_bigfile_close(struct verify_bigfile *b, struct verify_finds *finds);
void verify_bigfile_done(struct verify_bigfile *b);

#endif
