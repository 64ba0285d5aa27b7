/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_SOURCE_H
#define PACK_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/buf.h"
#include "pack/attrs.h"
#include "pack/facts.h"
#include "seal/section.h"

struct err;

/*
 * Reading files that somebody may be writing to: docs/ARCHITECTURE.md, "Live
 * sources".
 */
#define SOURCE_TRIES 3

enum source_result {
	SOURCE_OK,
	SOURCE_VANISHED, /* gone, or no regular file any more */
	SOURCE_UNREADABLE, /* errno says why */
	SOURCE_FAILED, /* errno is a shortage of ours: the run fails, or it would blame the file */
};

/* What an errno of an open or a look-up says of a file that was listed. */
enum source_result source_failure(int error);
/*
 * Open name in dirfd for reading: never follows a link, never waits (a fifo put there),
 * leaves atime alone where it may.  With SOURCE_OK *fd is a regular file and *now
 * its facts; else *fd is -1.
 */
enum source_result source_open(int dirfd, const char *name, int *fd, struct facts *now);

/*
 * Read [offset, offset + len) into out.  What the file no longer has, and from an
 * I/O error on, is zeros: the tar header has promised so many bytes.  *bad is
 * then the range that gave the error, else its len is 0.  true when all of it was there.
 */
extern ssize_t (*source_pread)(int fd, void *data, size_t len, off_t offset); /* for tests */
bool source_read_range(
    int fd, uint64_t offset, uint8_t *out, size_t len, struct section_range *bad);

/* A file that fits in memory.  All-zero is empty; the buffers are used again. */
struct source_file {
	struct facts facts; /* before the read that is kept; size: what is kept */
	struct buf data;
	struct attrs attrs;
	bool changed, grew;
	struct section_range bad; /* len 0: none */
};
void source_file_done(struct source_file *f);
/*
 * Read fd, opened now, whole, with all tries.  A file over max bytes is read up to its size
 * when it was listed, and counts as changed.  1: not even its facts could be
 * read (errno); -1 when memory lacks.
 */
int source_read(struct source_file *f, int fd, const struct facts *now, const struct facts *listed,
    size_t max, struct err *e);

#endif
