/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_COPY_H
#define MANIFEST_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/json.h"
#include "store/repo.h"

struct err;
struct trust;

/*
 * manifest copy in its parts: what has to be done (copy_plan.c), one backup on its way
 * (copy_one.c), what is said about it (copy_report.c).  cmd_copy.c puts them together.
 */
enum copy_state {
	COPY_TODO, /* not there */
	COPY_SEAL_TODO, /* there under a seal that the source's one replaces */
	COPY_PRESENT,
	COPY_DONE,
	COPY_SEAL_DONE,
	COPY_GONE, /* pruned at the source since it was listed */
	COPY_DAMAGED, /* at the source */
	COPY_CONFLICT, /* something there stands in its way */
	COPY_UNTRUSTED, /* not signed, or not by a trusted key */
	COPY_BAD, /* its seal cannot be read */
};
#define COPY_STATES 10

struct copy_item {
	const struct repo_backup *backup; /* of the source's list */
	enum copy_state state;
	uint64_t size; /* of archive and manifest; 0 when they are not to be copied */
	bool other_history; /* COPY_CONFLICT with a backup there that is another one */
	bool hold; /* on hold at the source, and not there */
	struct buf why; /* of the last four states; "" else */
};

struct copy_plan {
	struct copy_item *items; /* in the order of the source's list: by series and sequence */
	size_t n;
};

/* ---- what has to be done ---- */

/*
 * Compare the source's list with that of to.  wanted: a flag for each of from->backups.
 * authenticated: only REPO_TRUSTED backups count, here and there; else all that are not
 * REPO_BAD.  Looks at names and sizes in to; changes nothing.  Points into from.
 */
int copy_plan_make(struct copy_plan *out, const struct repo_list *from, const bool *wanted,
    const struct repo *to, const struct repo_list *there, bool authenticated, struct err *e);
void copy_plan_done(struct copy_plan *p);
/* Bytes and backups that are to be copied. */
uint64_t copy_plan_bytes(const struct copy_plan *p, uint64_t *backups);
/* ERR_SYS, naming both figures, when to has not the space for that. */
int copy_plan_space(const struct copy_plan *p, const struct repo *to, struct err *e);

/* How many backups are not there, or not the ones, that b holds, if b is the newest of its series
 * there; else 0. */
size_t copy_held_missing(
    const struct repo_list *there, const struct repo_backup *b, bool authenticated);
bool copy_counts(const struct repo_backup *b, bool authenticated);

/* ---- one backup ---- */

struct copy_way {
	const struct repo *from;
	struct repo *to; /* locked */
	const struct trust *trust; /* NULL: nothing is authenticated */
	void *room; /* COPY_ROOM bytes */
};
#define COPY_ROOM (1u << 20)

/*
 * Carry it out: item->state COPY_TODO or COPY_SEAL_TODO becomes one of the others, and why says
 * what is wrong with the source.  -1 only when the job cannot go on: what to does not take, a
 * stop.  Nothing half done stays in to in any case.
 */
int copy_one(const struct copy_way *w, struct copy_item *item, struct err *e);

/*
 * Put it on hold there as it is here, with the same reason, where item->hold asks for that and the
 * backup is there.  item->hold says then whether that was done.
 */
int copy_hold(const struct copy_way *w, struct copy_item *item, struct err *e);

/* ---- what is said ---- */

struct copy_report {
	const char *dest;
	bool is_json, is_quiet, dry_run;
	struct json json;
	uint64_t n[COPY_STATES], bytes; /* bytes: copied, or to be */
	uint64_t began_ns;
	struct buf told; /* the last reason, not to be told for each backup of a series */
};

void copy_report_begin(struct copy_report *r, bool authenticated);
void copy_report_item(struct copy_report *r, struct copy_item *item);
struct copy_end {
	uint64_t free_bytes; /* in a dry run */
	uint64_t missing; /* backups that the newest seals there hold, and that are not there */
	int status; /* what the program will exit with */
};
/* failed: an error cut it short. */
void copy_report_end(struct copy_report *r, const struct copy_end *end, bool failed);

#endif
