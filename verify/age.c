/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/age.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "store/repo.h"
#include "verify/opts.h"
#include "verify/pick.h"
#include "verify/report.h"

static bool
belongs(const struct verify_age_of *of, const struct repo_backup *b)
{
	return b->state != REPO_BAD && strcmp(b->seal.series, of->series) == 0 &&
	    verify_vouched(b, of->opts);
}

/* A time that went back is a clock's fault mostly, but as-of and age go by it. */
void
verify_age_order(const struct verify_age_of *of, struct verify_report *r)
{
	const struct repo_backup *before = NULL;
	char then[64], now[64];

	for (size_t i = 0; i < of->list->n; i++) {
		const struct repo_backup *b = &of->list->backups[i];

		if (!belongs(of, b))
			continue;
		if (before != NULL && b->seal.created.tv_sec < before->seal.created.tv_sec) {
			clock_table(before->seal.created.tv_sec, then);
			clock_table(b->seal.created.tv_sec, now);
			verify_report_put(r, VERIFY_NOTE, "clock-back",
			    "series %s: %s comes after %s (%s) and is of %s: a clock was set back",
			    of->series, b->name, before->name, then, now);
		}
		before = b;
	}
}

/* In the largest unit that tells it exactly, and in more than one of it. */
static void
put_duration(uint64_t seconds, char out[32])
{
	static const struct {
		uint64_t seconds;
		char letter;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (i < 3 && (seconds % units[i].seconds != 0 || seconds / units[i].seconds < 2))
		i++;
	(void)snprintf(out, 32, "%" PRIu64 "%c", seconds / units[i].seconds, units[i].letter);
}

static const struct repo_backup *
newest_complete(const struct verify_age_of *of)
{
	const struct repo_backup *newest = NULL;

	for (size_t i = 0; i < of->list->n; i++) {
		const struct repo_backup *b = &of->list->backups[i];

		if (belongs(of, b) && b->seal.unreadable == 0)
			newest = b;
	}
	return newest;
}

/* A clock that runs ahead would hide age for ever: an hour of it is forgiven. */
void
verify_age(const struct verify_age_of *of, time_t now, struct verify_report *r)
{
	const struct repo_backup *b = newest_complete(of);
	char created[64], limit[32];
	time_t age;

	if (b == NULL) {
		verify_report_put(r, VERIFY_DAMAGE, "too-old",
		    "series %s: there is no complete backup that counts", of->series);
		return;
	}
	age = now - b->seal.created.tv_sec;
	clock_table(b->seal.created.tv_sec, created);
	put_duration(of->opts->max_age, limit);
	if (age < -3600)
		verify_report_put(r, VERIFY_DAMAGE, "too-old",
		    "series %s: the newest complete backup, %s, is from the future: it is of %s, "
		    "and one of the clocks is wrong",
		    of->series, b->name, created);
	else if (age > 0 && (uint64_t)age > of->opts->max_age)
		verify_report_put(r, VERIFY_DAMAGE, "too-old",
		    "series %s: the newest complete backup, %s, is older than %s: it is of %s",
		    of->series, b->name, limit, created);
}
