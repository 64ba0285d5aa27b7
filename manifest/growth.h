/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MANIFEST_GROWTH_H
#define MANIFEST_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "core/buf.h"

struct repo_list;
struct repo_backup;

/*
 * How a series of backups grows, from its seals alone, and when its volume will be full if it
 * goes on like that.
 */
struct growth {
	const char *series; /* the list's */
	size_t first, end; /* its backups in the list; those that do not count are among them */
	uint64_t backups, incomplete; /* that count */
	const struct repo_backup *oldest, *newest; /* that count, by sequence */
	uint64_t archive_bytes, manifest_bytes; /* of all that count */
	uint64_t rest_bytes; /* of what does not count, as far as its seal can be read */
	/* Between complete backups: against the one before, and on average. */
	bool has_growth; /* there are two of them */
	int64_t content_last, content_average;
	int64_t archive_last, archive_average;
	/* How many a day, over all complete ones; 0: not to be told, they lie within a few hours.
	 */
	double per_day;
	/* At most so many stay by the policy of the newest; 0: all do. */
	uint64_t keep_max;
};

/*
 * The series that starts at number at of l (as repo_list() sorts).  Of what counts, see
 * repo_counts().  *g->end is where the next one starts.
 */
void growth_of_series(struct growth *g, const struct repo_list *l, size_t at, bool accept_unsigned);

/*
 * In how many days more than free bytes are needed beside what is there, should each series go on
 * as it did: as many backups a day, each as much larger as on average, and no more of them kept
 * than its policy says, but for one while the next is made.  A series that has stopped (now is more
 * than three intervals and a day behind its newest) grows no more.  -1: not within GROWTH_YEARS
 * years, or nothing is known.
 */
#define GROWTH_YEARS 10
int64_t growth_full_in_days(const struct growth *g, size_t n, uint64_t free_bytes, time_t now);

/* "+1.2M", "-3", "0": a difference for people. */
void growth_put(struct buf *out, int64_t bytes);

#endif
