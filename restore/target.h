/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_TARGET_H
#define RESTORE_TARGET_H

#include <stdbool.h>
#include <stddef.h>

struct entry;
struct err;
struct restore_merge;
struct restore_place;
struct restore_report;

/*
 * The directory that entries are made in.  Everything is made beneath its descriptor, following no
 * link (core/beneath.h), and, unless it is merged into, only where nothing is.  Directories that
 * are made have mode 0700 until the very end, so that nobody else can reach in.
 */
struct restore_target {
	int fd; /* borrowed */
	struct restore_merge *merge; /* NULL: all in it is new, and nobody else can reach in */
	bool folds; /* it takes one spelling of a name for another (spell.h) */
	bool again; /* then: a name may come more than once, and is what it is at last */
};

/* A path into the directory that a restore works in, which no backup of ours has: it is never
 * restored. */
bool restore_is_work(const char *path);

/*
 * The directory of the path last asked for stays open: entries come in the order of
 * the tree.  One for each thread; all zero but for fd -1 to begin with.
 */
struct restore_parent {
	int fd;
	char *path; /* of the directory; NULL: none is open */
	size_t len;
};
/* The directory of path, made when missing; borrowed.  -1 and errno: EEXIST for a path of the work
 * directory. */
int restore_parent(
    struct restore_parent *p, const struct restore_target *t, const char *path, const char **base);
void restore_parent_done(struct restore_parent *p);

/*
 * A new regular file for writing; -1 and errno.  Its mode is en's already, without set-id bits,
 * unless there is something that has to come before the mode: then 0600.
 */
int restore_make_file(const struct restore_place *l, const struct entry *en);
/*
 * A directory (facts come later), or symlink, fifo, device with its facts, at path.  1: it is
 * there; 0: it cannot be, which is a finding; -1 when going on makes no sense.
 */
int restore_make_other(struct restore_parent *p, const struct restore_target *t, const char *path,
    const struct entry *en, struct restore_report *r, struct err *e);
/* Why something could not be made: names the usual suspects. */
const char *restore_why(int error);
/* errno says why path is not made: -1 when going on makes no sense, else a finding, and 0. */
int restore_not_made(struct restore_report *r, const char *path, struct err *e);
/* No space, quota, or a broken disk: going on makes no sense, and *e says so. */
bool restore_is_fatal(int error, const char *path, struct err *e);

#endif
