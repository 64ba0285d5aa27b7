/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/growth.h"

#include <string.h>

#include "core/err.h"
#include "core/num.h"
#include "store/repo.h"
#include "store/retain.h"

#define DAY 86400.0
/* What lies closer together says nothing of how many a day there will be. */
#define SPAN_MIN (20 * 3600)

static int64_t
minus(uint64_t a, uint64_t b)
{
	/* Both are below 2^63: a seal says so. */
	return (int64_t)a - (int64_t)b;
}

/* Rules may keep the same backup: this is the most that can stay. */
static uint64_t
keep_max(const struct seal *s)
{
	struct retain_policy p = {0};
	uint64_t sum;

	if (s->policy == NULL || retain_policy_parse(&p, s->policy, NULL) != 0)
		return 0;
	if (__builtin_add_overflow(p.last, p.daily, &sum) ||
	    __builtin_add_overflow(sum, p.weekly, &sum) ||
	    __builtin_add_overflow(sum, p.monthly, &sum) ||
	    __builtin_add_overflow(sum, p.yearly, &sum))
		return 0;
	return sum;
}

/* Complete backups in the order of sequence. */
struct ends {
	const struct repo_backup *first, *before, *last;
	uint64_t n;
};

static void
add(struct growth *g, struct ends *x, const struct repo_backup *b)
{
	const struct seal *s = &b->seal;

	g->backups++;
	g->archive_bytes += s->archive_size;
	g->manifest_bytes += s->manifest_size;
	if (g->oldest == NULL)
		g->oldest = b;
	g->newest = b;
	if (s->unreadable > 0) {
		g->incomplete++;
		return;
	}
	if (x->first == NULL)
		x->first = b;
	x->before = x->last;
	x->last = b;
	x->n++;
}

static void
compare_ends(struct growth *g, const struct ends *x)
{
	const struct seal *first, *before, *last;
	int64_t span;

	if (x->n < 2)
		return;
	first = &x->first->seal;
	before = &x->before->seal;
	last = &x->last->seal;
	g->has_growth = true;
	g->content_last = minus(last->bytes, before->bytes);
	g->archive_last = minus(last->archive_size, before->archive_size);
	g->content_average = minus(last->bytes, first->bytes) / (int64_t)(x->n - 1);
	g->archive_average = minus(last->archive_size, first->archive_size) / (int64_t)(x->n - 1);
	span = (int64_t)last->created.tv_sec - (int64_t)first->created.tv_sec;
	if (span >= SPAN_MIN)
		g->per_day = (double)(x->n - 1) * DAY / (double)span;
}

void
growth_of_series(struct growth *g, const struct repo_list *l, size_t at, bool accept_unsigned)
{
	struct ends x = {0};

	*g = (struct growth){.series = l->backups[at].seal.series, .first = at, .end = at};
	for (; g->end < l->n; g->end++) {
		const struct repo_backup *b = &l->backups[g->end];

		if (strcmp(b->seal.series, g->series) != 0)
			break;
		if (repo_counts(b, NULL, accept_unsigned))
			add(g, &x, b);
		else if (b->state != REPO_BAD)
			g->rest_bytes += b->seal.archive_size + b->seal.manifest_size;
	}
	compare_ends(g, &x);
	if (g->newest != NULL)
		g->keep_max = keep_max(&g->newest->seal);
}

/* ---- looking ahead ---- */

static bool
goes_on(const struct growth *g, time_t now)
{
	if (g->per_day <= 0)
		return false;
	return (double)(now - g->newest->seal.created.tv_sec) < (3 / g->per_day + 1) * DAY;
}

/* What the series takes after so many days, as it would be if all were of the size of the last. */
static double
bytes_after(const struct growth *g, double days)
{
	const struct seal *s = &g->newest->seal;
	double made = days * g->per_day;
	double n = (double)g->backups + made;
	double each =
	    (double)(s->archive_size + s->manifest_size) + made * (double)g->archive_average;

	if (g->keep_max > 0 && n > (double)g->keep_max + 1)
		n = (double)g->keep_max + 1;
	return each > 0 ? n * each : 0;
}

int64_t
growth_full_in_days(const struct growth *g, size_t n, uint64_t free_bytes, time_t now)
{
	for (int64_t day = 1; day <= GROWTH_YEARS * 365; day++) {
		double more = 0;

		for (size_t i = 0; i < n; i++)
			if (goes_on(&g[i], now))
				more += bytes_after(&g[i], (double)day) - bytes_after(&g[i], 0);
		if (more > (double)free_bytes)
			return day;
	}
	return -1;
}

void
growth_put(struct buf *out, int64_t bytes)
{
	char text[16];

	num_human(bytes < 0 ? 0 - (uint64_t)bytes : (uint64_t)bytes, text);
	buf_printf(out, "%s%s", bytes < 0 ? "-" : bytes > 0 ? "+" : "", text);
}
