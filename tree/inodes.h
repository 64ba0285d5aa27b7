/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_INODES_H
#define TREE_INODES_H

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Files with several names, by inode: what is remembered from one name to the next.  A file goes
 * when its last name was seen, so that only those with names still to come take memory.  All-zero
 * is empty.
 */
struct inode {
	uint64_t dev, ino;
	uint64_t origin; /* the caller's */
	const char *reason; /* the caller's, and static */
	uint32_t what; /* the caller's */
	uint32_t left; /* names still to come; 0: the place is free */
};

struct inodes {
	struct inode *table;
	size_t cap; /* a power of two, or 0 */
	size_t n;
};

void inodes_done(struct inodes *t);
/* NULL: not known.  Lives until the next inodes_put() or inodes_seen(). */
struct inode *inodes_find(const struct inodes *t, uint64_t dev, uint64_t ino);
/* One that is not known, whose left is not 0. */
int inodes_put(struct inodes *t, const struct inode *f, struct err *e);
/* One more of its names was seen. */
void inodes_seen(struct inodes *t, struct inode *f);

#endif
