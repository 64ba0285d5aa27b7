/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_LINKS_H
#define BACKUP_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "pack/facts.h"

struct err;

/*
 * Files with several names: which name holds the data.  A file is put in when
 * its data is surely in the archive, and goes when all of its names were
 * seen, so that the table holds only files with names still to come.
 */
struct links;

struct links_file {
	struct facts facts; /* of the first name, as stored; without blocks */
	size_t path_len;
	const char *path; /* clean, NUL-terminated */
};

int links_new(struct links **out, struct err *e);
void links_free(struct links *l); /* NULL is harmless */
/* The first name of a regular file whose facts.nlink is over 1. */
int links_add(
    struct links *l, const struct facts *facts, const char *path, size_t len, struct err *e);
/*
 * The file (dev, ino), or NULL when no first name of it is known.  Valid until the next
 * links_find or links_add, or until links_seen drops it.
 */
const struct links_file *links_find(struct links *l, uint64_t dev, uint64_t ino);
/* What was read of f in the end. */
void links_update(struct links *l, const struct links_file *f, const struct facts *facts);
/* That name was stored as a link to f. */
void links_seen(struct links *l, const struct links_file *f);
/* f is another file by now: its inode was given away; or it is not in the archive after all. */
void links_drop(struct links *l, const struct links_file *f);
/*
 * The data of f is stored under another of its names, one that was seen (links_seen()) as a link to
 * the first.  f is not valid any more.
 */
int links_move(
    struct links *l, const struct links_file *f, const char *path, size_t len, struct err *e);
size_t links_count(const struct links *l);

#endif
