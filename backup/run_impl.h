/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_RUN_IMPL_H
#define BACKUP_RUN_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "backup/plan.h"
#include "backup/retention.h"
#include "core/buf.h"
#include "seal/seal.h"
#include "store/repo.h"
#include "tree/walk.h"

/* Between run.c, prepare.c, describe.c, retention.c and makeroom.c only. */

struct run {
	const struct backup_opts *o;
	struct exclude *exclude;
	struct walk_opts walk;
	int source_fd;
	char *source; /* its real path */
	struct key *key; /* NULL: unsigned */
	struct trust *trust;
	struct repo *repo;
	struct repo_list list;
	struct timespec started;
	struct seal seal;
	struct buf archive, manifest; /* paths, for messages */
	struct reuse *older; /* what may be copied; NULL: nothing */
	size_t block; /* that members are aligned to; 0: none */
	bool share; /* copied members share their blocks with the older archive */
	struct writer *writer;
	struct plan_result planned;
	struct retention retention;
};

/* The source open, what to leave out; the keys, and the repository, if one was given; its lock,
 * what an earlier run left, and its backups. */
int prepare_source(struct run *r, struct err *e);
int prepare_repo(struct run *r, struct err *e);
int prepare_lock(struct run *r, struct err *e);

/* Series, name, sequence, times, and who and where: what is known of the seal beforehand. */
int describe_run(struct run *r, struct err *e);

/*
 * Can the new archive share blocks with the last one, and is it to do so?  One in --physical-every
 * is written without, so that not all nights hang on one physical copy.
 */
void sharing_decide(struct run *r);
/* If it does, will it have most of them, as far as seals tell? */
bool sharing_is_worth_it(const struct run *r);

/*
 * Make the catalog agree with the seals.  A failure is told as a warning, when it matters.
 */
void run_update_catalog(struct run *r, bool matters);

/* The catalog to ask what verify found, up to date where it can be; NULL: none. */
struct catalog *retention_catalog(struct run *r);
/*
 * Decide what stays beside r->seal, whose backup is written, and put that into it.
 * From then on r->list must stand.
 */
int retention_seal(struct run *r, struct err *e);
/* The seal is durable: remove what goes.  What cannot be removed is told. */
void retention_prune(struct run *r);
/*
 * Do the same for a backup that an earlier run sealed: that one may not have come so far.  Only
 * what the seal does not hold goes, and only when it is the newest.
 */
int retention_resume(struct run *r, const struct repo_backup *b, struct err *e);
/* What a run would remove, for --dry-run; unreadable: paths. */
int retention_preview(struct run *r, uint64_t unreadable, struct err *e);
/* Remove one backup, and note it. */
void retention_remove(struct run *r, const struct retain_item *it, bool for_room);

/*
 * Is there room for the backup?  With --make-room it is made: r->list is then another one.
 */
int makeroom_run(struct run *r, struct err *e);
/*
 * The backup failed with *e, and has left nothing: when that was for want of space, and --make-room
 * finds something more that may go, 1, and *e is clear.  -1: nothing can be done; *e is the error.
 */
int makeroom_again(struct run *r, struct err *e);

#endif
