/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PACK_JOB_H
#define PACK_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "pack/bigfile.h"
#include "pack/facts.h"
#include "pack/reuse.h"
#include "pack/source.h"
#include "pack/tally.h"
#include "seal/manifest.h"
#include "seal/section.h"

struct err;

/*
 * What travels through the pipeline: the planner fills in what is to be packed,
 * a worker what came out, the writer takes that.  A job is normally one archive
 * member.
 */
enum job_kind {
	JOB_FILES, /* entries that share a member */
	JOB_HEADER, /* of a large file */
	JOB_CHUNK, /* of a large file */
};

/* What a JOB_FILES is made of: entries, and notes on what should have been one. */
enum job_item_kind {
	JOB_ENTRY,
	JOB_VANISHED,
	JOB_UNREADABLE, /* text: why */
	JOB_SKIPPED, /* text: why */
};

struct job_item {
	enum job_item_kind kind;
	enum entry_type type;
	struct facts facts; /* as listed; of a hard link those of its first name */
	size_t path, path_len; /* places in strings; each is NUL-terminated */
	size_t text, text_len; /* link target, or a note's reason */
	struct source_file *read; /* the planner read it (of a FILE content, too); owned */
	bool is_first; /* FILE: other names may be links to it, so it must surely be stored */
};

/* An archive member, packed, and its section. */
struct job_output {
	struct manifest_member
	    m; /* without offset and section; its path is borrowed from the job */
	struct buf packed;
	struct buf section; /* packed; empty: none */
	size_t section_plain;
	bool copied; /* packed is that of an older backup */
	bool as_is; /* to the byte: it stands at older_offset there */
	uint64_t older_offset;
};

struct job {
	enum job_kind kind;
	/* JOB_FILES */
	int64_t settled; /* ctimes below this count: the least of its entries' (pack/statkey.h) */
	uint64_t weight;
	struct buf strings;
	struct job_item *items;
	size_t n_items, cap_items;
	uint64_t read_bytes; /* held in items' read */
	bool has_firsts; /* some item is_first */
	/* JOB_HEADER, JOB_CHUNK */
	struct bigfile *big; /* a reference */
	struct bigfile_chunk chunk;
	bool last; /* of the file */

	/* What the older backup has in its place. */
	enum reuse_how how;
	struct manifest_member old; /* not for REUSE_NOT */

	/* What came out. */
	struct job_output *out;
	size_t n_out;
	struct buf notes; /* section text that found no entry to stand beside */
	struct tally tally;
	/* JOB_CHUNK: the data, for the file's digest, and which pieces of it are not zeros. */
	struct buf plain;
	uint32_t dirty;
	struct section_range bad; /* len 0: none */
	bool was_short; /* the file had less than its facts say */
	bool stale; /* other bytes than under the same key before, and nobody is writing to it */
	/* The file should be unchanged, but this member is not to be had, or differs. */
	bool missed;
};

int job_new(struct job **out, enum job_kind kind, struct err *e);
void job_free(void *job); /* NULL is harmless */
const char *job_path(const struct job *j, const struct job_item *it);
const char *job_text(const struct job *j, const struct job_item *it);
/* One more item, with copies of path and text (NULL: none).  Valid until the next. */
struct job_item *job_add(struct job *j, enum job_item_kind kind, const char *path, size_t path_len,
    const char *text, size_t text_len, struct err *e);
/* The item as it was listed, for its weight and its header; FILE: size as listed. */
void job_entry(const struct job *j, const struct job_item *it, struct entry *en);
/* The first item that is an entry; NULL: there are only notes. */
const struct job_item *job_first(const struct job *j);
/* One more output, all-zero. */
struct job_output *job_output_add(struct job *j, struct err *e);
void job_output_done(struct job_output *o);

#endif
