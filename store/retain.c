/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/retain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "core/num.h"
#include "store/repo.h"

/* ---- the rules as text ---- */

#define RULES 5

static const char *const words[RULES] = {
    "keep-last=", "keep-daily=", "keep-weekly=", "keep-monthly=", "keep-yearly="};

static uint64_t *
rule(struct retain_policy *p, size_t i)
{
	uint64_t *const rules[RULES] = {&p->last, &p->daily, &p->weekly, &p->monthly, &p->yearly};

	return rules[i];
}

bool
retain_policy_is_set(const struct retain_policy *p)
{
	return p->last > 0 || p->daily > 0 || p->weekly > 0 || p->monthly > 0 || p->yearly > 0;
}

void
retain_policy_put(const struct retain_policy *p, struct buf *out)
{
	struct retain_policy copy = *p;
	const char *space = "";

	for (size_t i = 0; i < RULES; i++) {
		uint64_t n = *rule(&copy, i);

		if (n == 0)
			continue;
		buf_printf(out, "%s%s%" PRIu64, space, words[i], n);
		space = " ";
	}
}

int
retain_policy_parse(struct retain_policy *p, const char *text, struct err *e)
{
	struct retain_policy got = {0};
	const char *at = text != NULL ? text : "";

	for (size_t i = 0; i < RULES && *at != '\0'; i++) {
		size_t word = strlen(words[i]), len;

		if (strncmp(at, words[i], word) != 0)
			continue;
		len = strcspn(at + word, " ");
		if (num_u64(at + word, len, UINT64_MAX, rule(&got, i)) < 0 || *rule(&got, i) == 0)
			break;
		at += word + len;
		if (*at == ' ' && at[1] != '\0')
			at++;
	}
	if (*at != '\0')
		return err_set(e, ERR_CORRUPT, "not a policy of retention: \"%s\"", text);
	*p = got;
	return 0;
}

/* ---- the decision ---- */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/*
 * The day, week, month, or year of t in our zone, as a number that no other one has.  A week is
 * told by its Monday, so that one that lies in two years is one.  All times that are too far away
 * for a calendar share a period of their own.
 */
static int64_t
period_of(int64_t t, enum retain_why kind)
{
	time_t when = (time_t)t;
	struct tm tm;
	int64_t day;

	if (localtime_r(&when, &tm) == NULL)
		return INT64_MAX;
	if (kind == RETAIN_YEARLY)
		return tm.tm_year;
	if (kind == RETAIN_MONTHLY)
		return tm.tm_year * INT64_C(12) + tm.tm_mon;
	/* The date as such: hours and offsets, which move, are left out. */
	struct tm date = {.tm_year = tm.tm_year, .tm_mon = tm.tm_mon, .tm_mday = tm.tm_mday};
	day = floor_div(timegm(&date), 86400);
	return kind == RETAIN_DAILY ? day : day - (tm.tm_wday + 6) % 7;
}

/*
 * Has a later one the place of this period?  Looked for from the nearest on, because that is where
 * it is unless the clock jumped; and only among those that the rule keeps, which are few.
 */
static bool
is_taken(const struct retain_item *items, size_t n, size_t at, enum retain_why kind)
{
	for (size_t i = at + 1; i < n; i++)
		if ((items[i].why & kind) != 0 && items[i].period == items[at].period)
			return true;
	return false;
}

/* The newest complete one of each of the first `count` periods, from the newest on. */
static void
keep_periods(struct retain_item *items, size_t n, enum retain_why kind, uint64_t count)
{
	for (size_t i = n; count > 0 && i-- > 0;) {
		struct retain_item *it = &items[i];

		if (!it->complete)
			continue;
		it->period = period_of(it->created, kind);
		if (is_taken(items, n, i, kind))
			continue;
		it->why |= kind;
		count--;
	}
}

static void
keep_last(struct retain_item *items, size_t n, uint64_t count)
{
	for (size_t i = n; count > 0 && i-- > 0;) {
		if (!items[i].complete)
			continue;
		items[i].why |= RETAIN_LAST;
		count--;
	}
}

/* What stays whatever the rules say. */
static void
keep_anyway(struct retain_item *items, size_t n)
{
	bool complete = false, verified = false;

	for (size_t i = n; i-- > 0;) {
		struct retain_item *it = &items[i];

		if (it->on_hold)
			it->why |= RETAIN_ON_HOLD;
		if (!it->complete) {
			if (!complete)
				it->why |= RETAIN_UNFINISHED;
			continue;
		}
		if (!complete)
			it->why |= RETAIN_NEWEST;
		complete = true;
		if (it->verified && !verified) {
			it->why |= RETAIN_VERIFIED;
			verified = true;
		}
	}
}

void
retain_decide(const struct retain_policy *p, struct retain_item *items, size_t n)
{
	unsigned why = retain_policy_is_set(p) ? 0 : RETAIN_NO_RULE;

	for (size_t i = 0; i < n; i++)
		items[i].why = why;
	keep_last(items, n, p->last);
	keep_periods(items, n, RETAIN_DAILY, p->daily);
	keep_periods(items, n, RETAIN_WEEKLY, p->weekly);
	keep_periods(items, n, RETAIN_MONTHLY, p->monthly);
	keep_periods(items, n, RETAIN_YEARLY, p->yearly);
	keep_anyway(items, n);
}

void
retain_why_put(const struct retain_item *it, struct buf *out)
{
	static const struct {
		enum retain_why why;
		const char *text;
	} reasons[] = {
	    {RETAIN_LAST, "last"},
	    {RETAIN_DAILY, "daily"},
	    {RETAIN_WEEKLY, "weekly"},
	    {RETAIN_MONTHLY, "monthly"},
	    {RETAIN_YEARLY, "yearly"},
	    {RETAIN_NEWEST, "newest complete"},
	    {RETAIN_ON_HOLD, "on hold"},
	    {RETAIN_VERIFIED, "last verified"},
	    {RETAIN_UNFINISHED, "incomplete, and no complete one is newer"},
	    {RETAIN_NO_RULE, "no rule is set"},
	};
	const char *comma = "";

	if (it->why == 0)
		buf_puts(out,
		    it->complete ? "no rule keeps it" : "incomplete, and a complete one is newer");
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if ((it->why & reasons[i].why) == 0)
			continue;
		buf_puts(out, comma);
		buf_puts(out, reasons[i].text);
		comma = ", ";
	}
}

/* ---- of a list ---- */

/* The list comes by sequence, then name, so the one that a sequence belongs to is the last item. */
static void
add(struct retain_set *s, const struct repo_backup *b)
{
	struct retain_item *last = s->n > 0 ? &s->items[s->n - 1] : NULL;
	struct retain_item it = {
	    .backup = b,
	    .sequence = b->seal.sequence,
	    .created = b->seal.created.tv_sec,
	    .complete = b->seal.unreadable == 0,
	    .on_hold = b->on_hold,
	};

	if (last == NULL || last->sequence != it.sequence)
		s->items[s->n++] = it;
	else if (last->backup->state != REPO_TRUSTED && b->state == REPO_TRUSTED)
		*last = it;
}

static int
add_next(struct retain_set *s, const struct seal *next, struct err *e)
{
	if (s->n > 0 && next->sequence <= s->items[s->n - 1].sequence)
		return err_set(e, ERR_CORRUPT,
		    "sequence %" PRIu64 " is not above that of %s, which is %" PRIu64,
		    next->sequence, s->items[s->n - 1].backup->name, s->items[s->n - 1].sequence);
	s->items[s->n++] = (struct retain_item){
	    .sequence = next->sequence,
	    .created = next->created.tv_sec,
	    .complete = next->unreadable == 0,
	};
	return 0;
}

static int
ask_verified(struct retain_set *s, retain_verified_fn verified, void *ctx, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct repo_backup *b = s->items[i].backup;
		int rc;

		if (b == NULL)
			continue;
		if ((rc = verified(ctx, b->seal.text_digest, e)) < 0)
			return err_where(e, "was %s verified?", b->name);
		s->items[i].verified = rc > 0;
	}
	return 0;
}

int
retain_set_make(struct retain_set *out, const struct repo_list *l, const char *series,
    bool accept_unsigned, const struct seal *next, const struct retain_policy *p,
    retain_verified_fn verified, void *ctx, struct err *e)
{
	struct retain_set s = {0};

	if ((s.items = calloc(l->n + 1, sizeof(s.items[0]))) == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < l->n; i++)
		if (repo_counts(&l->backups[i], series, accept_unsigned))
			add(&s, &l->backups[i]);
	if ((next != NULL && add_next(&s, next, e) < 0) ||
	    (verified != NULL && ask_verified(&s, verified, ctx, e) < 0)) {
		retain_set_done(&s);
		return -1;
	}
	retain_decide(p, s.items, s.n);
	*out = s;
	return 0;
}

void
retain_set_done(struct retain_set *s)
{
	free(s->items);
	*s = (struct retain_set){0};
}
