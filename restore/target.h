/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_TARGET_H
#define RESTORE_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct entry;
struct err;
struct restore_report;

/*
 * The target directory, and making things in it.  Everything is made beneath its
 * descriptor, following no link (core/beneath.h), and only where nothing is.
 *
 * While the restore runs, the target and each directory made in it have mode 0700, so
 * that nobody else can reach in; they get their own modes at the very end.
 */
struct restore_target {
	int fd;
	const char *dir; /* for messages */
	bool made; /* it was not there before */
	bool closed; /* nobody else can reach in */
	mode_t mode; /* what it had before; kept when no entry says better */
	void *acl; /* its default ACL, which nothing that is restored may inherit; NULL: none */
	size_t acl_len; /* 0: restored, by what the backup says or as it was */
};

/*
 * Open the target, or make it (not its parents).  ERR_SYS when it is not a directory, or
 * holds anything but lost+found.  restore_target_close in every case.
 */
int restore_target_open(struct restore_target *t, const char *dir, struct err *e);
/* Would restore_target_open do?  Nothing is changed.  The same errors. */
int restore_target_check(const char *dir, struct err *e);
/* Warns when so many bytes do not fit; they may all the same, if there are holes in them. */
void restore_target_room(const struct restore_target *t, uint64_t bytes);
/* No entry speaks of the target itself: it gets back what it had. */
int restore_target_reopen(const struct restore_target *t, struct err *e);
/* Everything to the disk. */
int restore_target_sync(const struct restore_target *t, struct err *e);
void restore_target_close(struct restore_target *t);

/*
 * The directory of the path last asked for stays open: entries come in the order of
 * the tree.  One for each thread; all zero but for fd -1 to begin with.
 */
struct restore_parent {
	int fd;
	char *path; /* of the directory; NULL: none is open */
	size_t len;
};
/* The directory of path, made when missing; borrowed.  -1 and errno. */
int restore_parent(
    struct restore_parent *p, const struct restore_target *t, const char *path, const char **base);
void restore_parent_done(struct restore_parent *p);

/*
 * A new regular file for writing; -1 and errno.  Its mode is en's already, without set-id
 * bits, where nobody else can reach it and there is nothing that has to come before the
 * mode; else 0600.
 */
int restore_make_file(struct restore_parent *p, const struct restore_target *t, const char *path,
    const struct entry *en);
/* What came of it shall not stay. */
void restore_unmake_file(
    struct restore_parent *p, const struct restore_target *t, const char *path);
/*
 * A directory (facts come later), or symlink, fifo, device with its facts, at path.  1: it is
 * there; 0: it cannot be, which is a finding; -1 when going on makes no sense.
 */
int restore_make_other(struct restore_parent *p, const struct restore_target *t, const char *path,
    const struct entry *en, struct restore_report *r, struct err *e);
/* Why something could not be made: names the usual suspects. */
const char *restore_why(int error);
/* No space, quota, or a broken disk: going on makes no sense, and *e says so. */
bool restore_is_fatal(int error, const char *path, struct err *e);

#endif
