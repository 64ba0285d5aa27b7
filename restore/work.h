/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_WORK_H
#define RESTORE_WORK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "seal/seal.h"

struct err;

/*
 * The directory that a restore works in, at the top of its target, for nobody else to look into:
 *
 *	lock    held while a restore is at work; whoever has it may read and change the rest
 *	state   what is going on: replaced by a rename, and on the disk before what it tells begins
 *	new/    what is restored and has not its place yet
 *	old/    what was there, until all that is new has its place
 *
 * Where a run was cut short its state says what the next one has to do (swap.h).
 */
enum work_state {
	WORK_NONE, /* no restore is going on */
	WORK_STAGING, /* new/ grows; the rest of the target is as it was */
	WORK_MERGING, /* new/ has what is not whole yet; what is whole has its place */
	WORK_WIPING, /* what was there goes, or is gone, and new/ grows */
	WORK_OUT, /* new/ is whole and on the disk; what was there goes to old/ */
	WORK_IN, /* old/ has all that was there; what is new goes to its place */
	WORK_DONE, /* all is in its place; old/ goes */
	WORK_STATES,
};

struct work {
	int target_fd; /* borrowed */
	const char *target; /* its name, for messages */
	int fd; /* -1: there is no such directory */
	int lock_fd;
	int new_fd, old_fd; /* -1: not open */
	enum work_state state;
	uint64_t moved_out; /* names that were at the top, by this run */
	char backup[SEAL_NAME_MAX + 1];
	time_t began;
	bool whole; /* new/ is to be all that is there, not only names among others */
	struct timespec
	    root_time; /* that the target is to have in the end; until WORK_OUT, what it had */
};

/* The state's word in its file and in reports. */
const char *work_word(enum work_state s);

/*
 * What is there, locked; WORK_NONE when nothing is.  A directory without a state was being made or
 * removed: WORK_STAGING.  ERR_LOCKED: another restore is at work there.  ERR_SYS also when it is
 * not of our user's making: somebody else could tell us what to do.  work_close in every case.
 */
int work_open(struct work *w, int target_fd, const char *target, struct err *e);
void work_close(struct work *w);
/* The same without the lock, for --status: *busy when somebody has it. */
int work_look(struct work *w, int target_fd, const char *target, bool *busy, struct err *e);

/*
 * Make it where there is none, or go on in the one there is, which is empty.  What w->whole says
 * goes into the state.
 */
int work_begin(struct work *w, enum work_state s, const char *backup, struct err *e);
/* Durable when it returns. */
int work_set(struct work *w, enum work_state s, struct err *e);
/* Open new/ or old/, made when missing, of mode 0700 (but on FAT) and without ACLs. */
int work_open_new(struct work *w, struct err *e);
int work_open_old(struct work *w, struct err *e);
/* new/ and old/ with all that is in them go. */
int work_clear(struct work *w, struct err *e);
/* The directory itself, which has been cleared, goes: WORK_NONE. */
int work_end(struct work *w, struct err *e);

#endif
