/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_DIFF_H
#define MANIFEST_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "store/side.h"

struct err;

/*
 * What differs between two sealed backups, from their manifests alone.  Both are merged in the
 * order of paths; sections that both have are stepped over unread, so the work is that of what
 * changed.
 *
 * A hard link counts with the content of its target: when that changed, so did the link.
 */
enum diff_kind {
	DIFF_ADDED,
	DIFF_REMOVED,
	DIFF_CHANGED, /* other content, or another type */
	DIFF_FACTS, /* the same content, other facts */
};

enum diff_what {
	DIFF_TYPE = 1, /* then nothing else is told */
	DIFF_CONTENT = 2, /* of files */
	DIFF_MODE = 4,
	DIFF_OWNER = 8,
	DIFF_MTIME = 16,
	DIFF_XATTRS = 32, /* with ACLs */
	DIFF_LINK =
	    64, /* another target; or what was a hard link is none any more, or the reverse */
	DIFF_DEVICE = 128,
};

/* How an entry is in one of the two. */
struct diff_entry {
	const struct section_line *line; /* NULL: not there */
	const struct targets_content
	    *content; /* files and hard links; NULL: not known, or no file */
};

struct diff_item {
	enum diff_kind kind;
	unsigned what; /* of enum diff_what; 0 for added and removed */
	struct diff_entry before, after;
};

/* Borrowed until it returns.  0 to go on, 1 to stop without error, -1 with *e. */
typedef int (*diff_fn)(void *ctx, const struct diff_item *d, struct err *e);

/* Of regular files; hard links are not counted again. */
struct diff_total {
	uint64_t n; /* entries of every type */
	uint64_t before, after; /* bytes */
};

struct diff_totals {
	struct diff_total kinds[4]; /* by enum diff_kind */
	uint64_t same; /* entries */
	/* Entries of one that stand where the other is damaged, or could not be read when it was
	 * made: not compared, not told. */
	uint64_t unknown;
};

struct diff_opts {
	bool limited; /* the sides are limited to a path */
	bool content_only; /* DIFF_FACTS are the same */
};

/* Both sides fresh from side_open().  fn may be NULL: totals only. */
int diff_run(struct side *a, struct side *b, const struct diff_opts *o, diff_fn fn, void *ctx,
    struct diff_totals *totals, struct err *e);

/* The entry where it is: after, or, of what was removed, before. */
const struct section_line *diff_line(const struct diff_item *d);
/* "added", "removed", "changed", "facts" */
const char *diff_kind_name(enum diff_kind kind);
/* The name of one bit: "content", "mode", ...; bits ascend from 1 until NULL comes. */
const char *diff_what_name(unsigned bit);

#endif
