/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_WALK_H
#define TREE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pack/facts.h"

struct err;
struct exclude;

/*
 * A sorted walk through a directory tree, in the order of docs/FORMAT.md: a
 * directory, then all that is below it, then its next sibling; names bytewise.
 *
 * It keeps one descriptor and one sorted list of names a level, and of the limit on descriptors
 * no more than half: deeper directories are noted as unreadable.  No link is
 * ever followed: each directory is opened from its parent's descriptor, and
 * what the open descriptor says is what counts.  Names that come and go meanwhile are seen or
 * not; nothing is seen twice.
 */
struct walk;

struct walk_opts {
	const struct exclude *exclude; /* NULL: nothing */
	/*
	 * Do not enter directories on another file system (they come, empty).  Only
	 * directories are compared: an overlay gives files other device numbers.
	 */
	bool one_file_system;
	/* A directory that must not be met (the repository), or has_forbidden false. */
	bool has_forbidden;
	uint64_t forbidden_dev, forbidden_ino;
};

enum walk_kind {
	WALK_ENTRY, /* facts, and link of a symlink */
	WALK_EXCLUDED, /* by a pattern */
	WALK_VANISHED, /* listed, and gone */
	WALK_UNREADABLE, /* reason: no facts to be had, or after its entry, a directory not listed
			  */
	WALK_SKIPPED, /* reason: a kind that an archive cannot hold */
};

/* All of it is valid until the next call. */
struct walk_item {
	enum walk_kind kind;
	const char *path; /* clean, NUL-terminated; "" is the source */
	size_t path_len;
	const char *reason;
	struct facts facts;
	const char *link;
	size_t link_len;
	int dirfd; /* the directory that holds it, and its name there; the source: itself and "." */
	const char *name;
};

/* Of the directory rootfd, which is borrowed.  *opts, too, must live as long. */
int walk_new(struct walk **out, int rootfd, const struct walk_opts *opts, struct err *e);
void walk_free(struct walk *w); /* NULL is harmless */
/*
 * 1: *item; 0: the end; -1: the source itself cannot be listed, memory or descriptors lack, the
 * forbidden directory was met (ERR_USAGE), or a stop was asked for.
 */
int walk_next(struct walk *w, struct walk_item *item, struct err *e);

#endif
