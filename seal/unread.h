/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_UNREAD_H
#define SEAL_UNREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

struct err;
struct manifest_reader;

/*
 * The paths that an incomplete backup could not read, from the notes in its manifest: what is
 * missing in it there may still be in the source.  When asked for, also those that vanished before
 * they were read, and those that an archive cannot hold.  Bounded: of too many it is only known
 * that there are too many.
 */
struct unread {
	struct buf text; /* paths, each with a NUL behind it */
	const char **paths; /* the same, sorted by strcmp */
	size_t n;
	bool unknown; /* too many, or the manifest is damaged: it may be any path */
};

/* Reads the whole manifest; all-zero *u before.  What is damaged is for others to tell. */
int unread_read(struct unread *u, struct manifest_reader *r, bool all_notes, struct err *e);
void unread_done(struct unread *u);
/* Could the path not be read, or may that be? Also when a directory above it could not. */
bool unread_has(const struct unread *u, const char *path, size_t len);

#endif
