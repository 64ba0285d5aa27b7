/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_DRILL_DIR_H
#define RESTORE_DRILL_DIR_H

struct err;

/*
 * A directory of our own, for a while: PARENT/tarseal-drill-XXXXXX, which only we may enter.  What
 * is in it goes in the end, and where a run was killed, with the next one: the file lock in it is
 * locked as long as its run lives, and of a directory that has one which nobody holds, all goes.
 */
struct drill_dir {
	const char *parent; /* borrowed */
	int parent_fd, fd, lock_fd; /* -1: not open */
	char name[32];
	char *path; /* of the directory */
};

/* Makes it, and removes what runs that were killed left.  drill_dir_remove in every case. */
int drill_dir_make(struct drill_dir *s, const char *parent, struct err *e);
/* All-zero is harmless.  -1: something is left, and *e says why. */
int drill_dir_remove(struct drill_dir *s, struct err *e);

#endif
