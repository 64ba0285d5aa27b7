/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_HOLDING_H
#define STORE_HOLDING_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct key;
struct repo;
struct repo_backup;
struct repo_list;
struct retain_policy;
struct retain_set;
struct seal;
struct seal_hold;

/*
 * The set of backups that the newest seal of a series signs for, as retention decided it.
 * A backup that goes must be out of the newest seal before it is removed, so that a set that
 * lacks one is never the work of a pruning.
 */

/*
 * The holds of s become all of set but s itself (and the one that has no backup yet) and those that
 * go: goes[i] for each item, or with NULL those that no rule keeps.  Its policy becomes *p.
 */
int holding_fill(struct seal *s, const struct retain_set *set, const bool *goes,
    const struct retain_policy *p, struct err *e);
/*
 * What s holds under that name, or with that sequence; NULL: nothing.  In a list only the newest
 * of a series has its holds.
 */
const struct seal_hold *holding_find(const struct seal *s, const char *name);
const struct seal_hold *holding_at(const struct seal *s, uint64_t sequence);
/*
 * Warn of each backup that newest holds and that is not in l, or another one.  Before newest is
 * followed by another seal, because after that nobody can tell that there was more.
 */
void holding_warn_gone(const struct repo_list *l, const struct repo_backup *newest);
/*
 * Are archive and manifest of b there, with the sealed sizes?  Asked of the newest complete backup
 * before others are removed on the strength of it.  ERR_CORRUPT: which is not, and that nothing was
 * removed.
 */
int holding_check_whole(const struct repo *r, const struct repo_backup *b, struct err *e);
/*
 * Seal the newest backup of a series anew with what holding_fill() gives.  newest is as it was
 * listed; ERR_CORRUPT when its seal is another one by now.  The lock is held.  e is not NULL.
 */
int holding_reseal(struct repo *r, const struct repo_backup *newest, const struct retain_set *set,
    const bool *goes, const struct retain_policy *p, const struct key *key, struct err *e);

#endif
