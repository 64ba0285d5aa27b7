/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_FEED_H
#define PACK_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "pack/job.h"

struct bigfile;
struct err;
struct facts;
struct pipeline;
struct reuse_cursor;
struct source_file;

/*
 * What a planner feeds to the packer.
 *
 * There are two planners: that of backup walks a live tree, that of manifest import goes over
 * what it took out of somebody else's archive.  They have nothing in common but what comes out:
 * one format, one rule for cuts, one order.  So the border runs here: a planner says which
 * entries there are, in order, and this decides what becomes a job; from there on nobody knows
 * who planned it.
 *
 *	backup/plan.c ------+                  +-- workers: pack.c --+
 *	                    +--> feed --> job -+                     +--> writer.c
 *	manifest/import  ---+                  +-- workers: pack.c --+
 *
 * Where the content of a file comes from is told in one of three ways, because three are needed
 * and no more:
 *
 *	by name     (read is NULL) a small file of a live tree: the worker opens it
 *	            beneath the source, so that reading is spread over the workers, too
 *	by value    (read) a small file that the planner has read already, with its
 *	            facts and attributes: a first name of several, which must surely be
 *	            in the archive before others are links to it (read_firsts, once it is
 *	            known that it cannot be copied); and all of an import
 *	by calls    a large file (struct bigfile), of which chunks are read by several
 *	            workers at once, and again when it has changed or turns out to be
 *	            full of holes; those of a live file work on a descriptor
 *
 * An import's planner inflates what a worker then deflates, which takes a tenth of the time, so one
 * planner feeds many workers.  An entry without content may have a read, too, for its attributes.
 * The calls are a table (struct bigfile_ops).
 *
 * A table of calls for small files as well was thought of and dropped: each worker would have to
 * find, open and judge files in two ways, for no more than moving the inflating from one thread
 * to another.
 *
 * What does not move, like the content of an archive, needs none of the judgement of a live file:
 * its facts are the same before and after, so it is never flagged and never passed twice, but for
 * its holes.  What has no ctime and no inode can have no stat key: its facts have ctime_sec
 * INT64_MAX (FACTS_NO_CTIME), which is too fresh for ever.
 */
struct feed {
	struct pipeline *pipeline; /* from writer_pipeline(), borrowed */
	struct reuse_cursor *older; /* what may be copied, borrowed; NULL: nothing */
	/*
	 * Read the items of j that are first names of several and have no read yet; those that
	 * cannot be read become notes.  NULL when none is ever fed.
	 */
	int (*read_firsts)(void *ctx, struct job *j, struct err *e);
	void *ctx;
	struct job *job; /* the member that is being put together; NULL: none */
};

struct feed_entry {
	enum entry_type type;
	const char *path; /* clean, NUL-terminated; behind that of the entry before */
	size_t path_len;
	const char *link; /* SYMLINK: target; HARDLINK: a path that was fed before; else NULL */
	size_t link_len;
	const struct facts *facts; /* of a hard link those of the name that it links to */
	struct source_file *read;
	bool is_first; /* FILE: other names may be links to it */
	int64_t settled; /* ctimes below this count: pack/statkey.h */
};

/*
 * One more entry that shares a member.  Takes en->read, when it succeeds; all else is copied.
 * path may be as long as FEED_PATH_MAX.
 */
#define FEED_PATH_MAX (128u << 10) /* docs/FORMAT.md, "Page" */
int feed_add(struct feed *f, const struct feed_entry *en, struct err *e);
/*
 * Where en begins a new member, submit the one before it, as feed_add() would: read_firsts is
 * through with it then, and what a link should be to may have turned out to be gone.
 */
int feed_cut(struct feed *f, const struct feed_entry *en, struct err *e);
/* Something about a path that has no entry. reason may be NULL. */
int feed_note(struct feed *f, enum job_item_kind kind, const char *path, size_t len,
    const char *reason, struct err *e);
/*
 * A large file that was looked at (bigfile_look()): its header and its chunks.  A reference is
 * taken.
 */
int feed_big(struct feed *f, struct bigfile *b, struct err *e);
/* After the last one: submit what waits.  The pipeline is the caller's to finish. */
int feed_end(struct feed *f, struct err *e);
void feed_done(struct feed *f); /* all-zero is harmless */

#endif
