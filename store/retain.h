/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_RETAIN_H
#define STORE_RETAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/hash.h"

struct err;
struct repo_backup;
struct repo_list;
struct seal;

/*
 * Which backups of one series stay, and why.  Decided from seals, hold markers and the
 * verification history alone; nothing is removed here (repo_prune in store/repo.h does that).
 *
 * Order is the sequence, never a name or a time.  "The newest of each of the last N days" goes
 * over complete backups from the highest sequence down, puts each into the day (ISO week, month,
 * year) of its creation in the zone of this process (core/clock.h), and keeps the first one seen
 * of each of the first N days that it meets; so a clock that ran backwards and a day of 23 or 25
 * hours cost nobody a place.
 *
 * Beside the rules there stay: the newest complete backup; those on hold; the newest complete one
 * that was verified (an ok result at level standard or deep as the last one known), because those
 * after it may turn out bad; incomplete ones that are newer than every complete one.  An incomplete
 * one never takes a place of a rule.  Without any rule everything stays.
 */
struct retain_policy {
	uint64_t last, daily, weekly, monthly, yearly; /* 0: no such rule */
};

bool retain_policy_is_set(const struct retain_policy *p);
/* Append "keep-last=10 keep-daily=7", in the order above, as it stands in a seal; "" without. */
void retain_policy_put(const struct retain_policy *p, struct buf *out);
/* The way back; NULL is "".  ERR_CORRUPT: something that retain_policy_put() does not write. */
int retain_policy_parse(struct retain_policy *p, const char *text, struct err *e);

enum retain_why {
	RETAIN_LAST = 1,
	RETAIN_DAILY = 2,
	RETAIN_WEEKLY = 4,
	RETAIN_MONTHLY = 8,
	RETAIN_YEARLY = 16,
	RETAIN_NEWEST = 32, /* the newest complete one */
	RETAIN_ON_HOLD = 64,
	RETAIN_VERIFIED = 128, /* the newest one that was verified */
	RETAIN_UNFINISHED = 256, /* incomplete, and no complete one is newer */
	RETAIN_NO_RULE = 512, /* there is no rule at all */
};

struct retain_item {
	const struct repo_backup *backup; /* in the list; NULL: the one that is being made */
	uint64_t sequence;
	int64_t created; /* seconds, UTC */
	bool complete, on_hold, verified;
	unsigned why; /* of enum retain_why; 0: it goes */
	int64_t period; /* retain_decide()'s own */
};

/* The decision itself: sets why of each.  items are by sequence, ascending, each once. */
void retain_decide(const struct retain_policy *p, struct retain_item *items, size_t n);
/*
 * Append "last, daily, on hold", or, of one that goes, "no rule keeps it" or "incomplete, and a
 * complete one is newer".
 */
void retain_why_put(const struct retain_item *it, struct buf *out);

struct retain_set {
	struct retain_item *items; /* by sequence */
	size_t n;
};

/* Of the backup whose seal's signed text has this digest: 1 verified, 0 not, -1. */
typedef int (*retain_verified_fn)(void *ctx, const uint8_t digest[SHA256_LEN], struct err *e);

/*
 * Decide for the backups of l that are of the series and count (repo_counts() in store/repo.h:
 * trusted, or unsigned where that is accepted); of two with one sequence the trusted one, then the
 * first by name, and the other is left alone.  next: the seal of the backup that is being made
 * (sequence, above all others; created, unreadable), or NULL.  verified may be NULL: nothing is.
 * Points into l.
 */
int retain_set_make(struct retain_set *out, const struct repo_list *l, const char *series,
    bool accept_unsigned, const struct seal *next, const struct retain_policy *p,
    retain_verified_fn verified, void *ctx, struct err *e);
void retain_set_done(struct retain_set *s);

#endif
