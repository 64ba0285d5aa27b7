/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_PRIV_H
#define STORE_PRIV_H

#include <stdbool.h>
#include <sys/stat.h>

#include "store/repo.h"

/* What the files of this room share, and nobody else uses. */

struct repo {
	char *dir;
	int fd;
	int lock_fd; /* -1: not locked */
};

#define REPO_PARTS 3
#define REPO_LOCK ".lock"

/* name.c */
struct repo_file {
	bool is_new; /* ".NAME.PART.new", ".NAME.hold.new" */
	bool is_gone; /* ".NAME.seal.gone" */
	bool is_hold; /* "NAME.hold": no part */
	enum repo_part part;
	char name[SEAL_NAME_MAX + 1];
};
/* Is file the name of a backup's part, finished or in progress, or of its marker? */
bool repo_file_parse(const char *file, struct repo_file *out);
/* ".NAME.PART.new" */
#define REPO_FILE_MAX (SEAL_NAME_MAX + 32)
void repo_new_name(enum repo_part part, const char *name, char out[REPO_FILE_MAX]);
void repo_final_name(enum repo_part part, const char *name, char out[REPO_FILE_MAX]);
void repo_gone_name(const char *name, char out[REPO_FILE_MAX]);
void repo_hold_name(const char *name, char out[REPO_FILE_MAX]);
void repo_hold_new_name(const char *name, char out[REPO_FILE_MAX]);

/* repo.c */
/*
 * errno says why file could not be made, or opened for writing, in the repository: that, with
 * what an operator needs to know to mend it.  ERR_SYS.
 */
int repo_make_error(const struct repo *r, const char *file, struct err *e);
int repo_need_lock(const struct repo *r, struct err *e);
/* fsync of the directory: the names. */
int repo_sync(const struct repo *r, struct err *e);
/* 1: a regular file; 0: nothing; -1 with an error: it is something else, or cannot be looked at. */
int repo_look(const struct repo *r, const char *file, struct stat *st, struct err *e);
/*
 * Put a file with this in it in place of file, or where nothing is: written and synced as new,
 * renamed, durable.  A regular file that is called new, left by a run that was cut short, goes
 * first.  Owner and access are those of like, as far as may be: what root writes here is still for
 * the backup job, as somebody else, to read.  On failure file is as it was.
 */
int repo_replace(const struct repo *r, const char *new, const char *file, const struct stat *like,
    const void *data, size_t len, struct err *e);
/* each_name() of the directory; an error, fn's too, says which repository. */
int repo_each_name(const struct repo *r, int (*fn)(void *ctx, const char *file, struct err *e),
    void *ctx, struct err *e);

/* move.c: rename that never replaces, in three ways, the first that the file system knows. */
enum repo_move { REPO_MOVE_RENAMEAT2, REPO_MOVE_LINK, REPO_MOVE_CHECKED };
int repo_move(int dirfd, const char *from, const char *to, enum repo_move first, struct err *e);
/* The second half of a commit: everything to its final name, the seal last. */
int repo_move_in(const struct repo *r, const char *name, struct err *e);

/* hold.c.  What cannot be looked at is on hold. */
bool repo_is_on_hold(const struct repo *r, const char *name);

/* prune.c: what recovery makes of .NAME.seal.gone, if there is one. */
int repo_recover_gone(const struct repo *r, const char *name, struct err *e);

#endif
