/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_INTO_H
#define RESTORE_INTO_H

#include <stdbool.h>
#include <stdint.h>

#include "restore/place.h"
#include "restore/target.h"
#include "restore/work.h"

struct err;
struct repo;
struct restore_opts;
struct restore_report;
struct seal;

/*
 * A restore into a directory, by one of three ways:
 *
 *	stage	beside what is there, whose place it takes when all is on the disk (swap.h)
 *	merge	among what is there, one thing after the other (place.h)
 *	wipe	as stage, but what is there goes first, once every packed byte is proven
 *
 * A run that is cut short is finished or undone by the next one.
 */
enum into_mode { INTO_AUTO, INTO_STAGE, INTO_MERGE, INTO_WIPE };

struct into {
	const struct restore_opts *o;
	enum into_mode mode;
	int fd; /* the target; -1: it is not there */
	bool made; /* by us */
	bool empty; /* nothing was there but lost+found */
	struct work work;
	struct restore_merge merge;
	struct restore_target target; /* from into_begin on */
};

/* What the restore is of. */
struct into_what {
	const struct repo *repo;
	const struct seal *seal;
	bool everything;
	bool tops; /* or else whole names at its top */
	bool alone; /* from the archive alone (bare.h): of seal there may be only the name, */
	bool proven; /* and whether all of it was read and is sound, is known already */
	uint64_t bytes, entries;
};

/* AUTO: what it means for all of a backup, or for paths of it. */
enum into_mode into_mode_of(const struct restore_opts *o, bool everything);
const char *into_mode_word(enum into_mode m);

/*
 * Open the target, or make it (not its parents); finish or undo what was cut short there, and look
 * whether this restore may be, before anything is touched: its errors say what to do.  With
 * --dry-run nothing is made or finished.  into_close in every case.
 */
int into_open(
    struct into *i, const struct restore_opts *o, const struct into_what *what, struct err *e);
/* From here on i->target is where to restore to. */
int into_begin(struct into *i, const struct into_what *what, struct err *e);
/*
 * Where there is something to lose, what takes its place has to be all there.  A damaged backup in
 * place of data that may be better is for a person to decide: ERR_CORRUPT when something is lost
 * of the backup of that name, unless --force takes what there is.
 */
int into_judge(
    const struct into *i, const struct restore_report *r, const char *backup, struct err *e);
/* All is restored: onto the disk, and in its place. */
int into_commit(struct into *i, struct err *e);
/* Into the report: how it was done, and what became of what was there. */
void into_tell(const struct into *i, struct restore_report *r);
/*
 * After a failure: nothing of it stays, but what was merged, and *e says as well what is true of
 * the target.  -1.
 */
int into_failed(struct into *i, struct err *e);
void into_close(struct into *i); /* all-zero is harmless */

/* restore --recover. */
int into_recover(const char *dir, struct err *e);

#endif
