/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_SWAP_H
#define RESTORE_SWAP_H

#include <stdbool.h>

struct err;
struct work;

/*
 * How what is new takes the place of what was there, a name at the top of the target after the
 *other by rename(2).  lost+found stays where it is.
 *
 *	WORK_STAGING  swap_in sets WORK_OUT when all of new/ is on the disk
 *	WORK_OUT      names of the target go to old/; should one not go, all come back
 *	WORK_IN       names of new/ go to the target, which gets the owner, mode, attributes and
 *time of new/ WORK_DONE     old/ goes, then the work directory
 *
 * From WORK_OUT on a run that was cut short can be finished without the backup.
 */
int swap_in(struct work *w, struct err *e);
/* WORK_WIPING: what was there goes for good. */
int swap_wipe(struct work *w, struct err *e);
/* WORK_STAGING, WORK_MERGING: what has not its place goes, and with it the work directory. */
int swap_give_up(struct work *w, struct err *e);

/*
 * Finish or undo what a run that was cut short left, and say so.  Afterwards the state is
 * WORK_NONE, or WORK_WIPING, which only a restore of everything ends.
 */
int swap_recover(struct work *w, struct err *e);

#endif
