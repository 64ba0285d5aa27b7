/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_WRITER_H
#define PACK_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pack/tally.h"

struct bigfile;
struct err;
struct pipeline;
struct reuse;
struct reuse_cursor;
struct seal;

/*
 * The ordered end of the pipeline: takes packed jobs and appends to archive and
 * manifest.  The content of a large file comes together here, so here is decided
 * whether it must be passed again: because it changed, or because it turned out to
 * have holes.  Then both files are cut back to its header.
 */
struct writer;

struct writer_opts {
	int archive_fd, manifest_fd; /* empty, borrowed */
	const char *archive_path, *manifest_path; /* for messages */
	const char *name; /* of the backup */
	int source_fd; /* the source directory */
	const struct reuse *older; /* what may be copied; NULL: nothing */
	/*
	 * Members are made multiples of so many bytes, that of the file system in which files can
	 * share them (0: as they come); and tonight copied ones are shared, not written.
	 */
	size_t block;
	bool share;
	int level; /* of compression */
	unsigned jobs; /* worker threads */
};

/* *opts is copied; what it points to must outlive the writer. */
int writer_new(struct writer **out, const struct writer_opts *opts, struct err *e);
void writer_free(struct writer *w); /* NULL is harmless */
/* A pipeline whose jobs are struct job and end up here.  To be finished before the writer is. */
int writer_pipeline(struct writer *w, struct pipeline **out, struct err *e);
/*
 * Submit the header and the chunks of a large file that was surveyed; older, at or before its path,
 * finds those that may be copied (NULL: none).
 */
int writer_submit_big(
    struct pipeline *p, struct bigfile *b, struct reuse_cursor *older, struct err *e);
/* The same for one that is unchanged: its members as older, which stands before them, has them. */
int writer_submit_unchanged(
    struct pipeline *p, struct bigfile *b, struct reuse_cursor *older, struct err *e);
/*
 * After the pipeline: the end of the archive and the manifest.  Fills in the sizes, digests,
 * index root, entries, bytes, unreadable, changed, and needs of *s.  Nothing is synced here.
 */
int writer_finish(struct writer *w, struct seal *s, struct err *e);
/* What was stored. Constant once the pipeline is finished. */
const struct tally *writer_tally(const struct writer *w);
/*
 * Members of the archive but its end, how many were copied, and their packed bytes; how many of
 * these share their blocks with the older archive.
 */
struct writer_members {
	uint64_t n, copied, copied_bytes, shared_bytes;
};
struct writer_members writer_members(const struct writer *w);

#endif
