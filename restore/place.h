/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_PLACE_H
#define RESTORE_PLACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "core/hashes.h"

struct restore_parent;
struct restore_target;

enum restore_overwrite { OVERWRITE_ALWAYS, OVERWRITE_IF_NEWER, OVERWRITE_NEVER };

/* Restoring among what is there: each thing is made in temp_fd, and renamed when it is whole. */
struct restore_merge {
	int temp_fd; /* on the target's file system, for nobody else to look into */
	enum restore_overwrite overwrite; /* decides about all but directories */
	bool force; /* replace what is locked, too */
	atomic_ullong number; /* of the next thing */
	atomic_ullong kept, replaced; /* things that were there */
	/*
	 * Where two spellings are one name (spell.h): what this restore made, by inode, so that of
	 * two names of the backup that are one there the second does not replace the first in
	 * silence, even where the file system shows neither spelling, or both come at one time.
	 */
	bool folds;
	pthread_mutex_t lock; /* of made; needed where folds is set */
	struct hashes made;
};

/* May what is there, and st of it, go for something of that time? */
bool place_may_replace(
    enum restore_overwrite o, const struct stat *st, const struct timespec *mtime);

/*
 * Where something that is no directory is made: *at calls with dirfd and base.  All else follows
 * from whether the target is merged into: if not, that is its place already.
 */
struct restore_place {
	int dirfd; /* borrowed */
	const char *base; /* may be temp: the struct stays where it is */
	char temp[24];
};

/*
 * For path, made with directories on the way to it; mtime is what it is to have.  1; 0: what is
 * there stays, which is counted; -1 and errno: EBUSY when what is there is locked.
 */
int restore_place_begin(struct restore_place *l, struct restore_parent *p,
    const struct restore_target *t, const char *path, const struct timespec *mtime);
/* It is whole: it gets its name.  -1 and errno, and it is gone. */
int restore_place_end(struct restore_place *l, struct restore_parent *p,
    const struct restore_target *t, const char *path);
/* What came of it shall not stay. */
void restore_place_drop(struct restore_place *l, struct restore_parent *p,
    const struct restore_target *t, const char *path);
/* A directory, or what can be none has gone: mode 0700 when it is new.  -1 and errno. */
int restore_place_dir(struct restore_parent *p, const struct restore_target *t, const char *path,
    const struct timespec *mtime);

#endif
