/* SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <string.h>

#include "core/clock.h"
#include "store/holding.h"
#include "store/priv.h"

static bool
in_series(const struct repo_backup *b, const struct repo_pick *pick)
{
	return pick->series == NULL || strcmp(b->seal.series, pick->series) == 0;
}

static int
acceptable(const struct repo_backup *b, const struct repo_pick *pick, struct err *e)
{
	if (b->state == REPO_BAD) {
		return err_set(e, ERR_CORRUPT, "%s: bad seal: %s", b->name, b->why->msg);
	}
	if (b->state == REPO_TRUSTED || pick->accept_unsigned)
		return 0;
	if (b->state == REPO_UNSIGNED)
		return err_set(e, ERR_TRUST, "%s is not signed", b->name);
	return err_set(e, ERR_TRUST, "%s is not trusted: %s", b->name, b->why->msg);
}

static bool
before_or_at(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec <= b.tv_nsec;
}

/* ---- the newest ---- */

/*
 * The newest good seal is not the answer when a newer one is there that is not
 * good: whoever spoils the seal of last night may not thereby choose what is
 * restored.  So the newest is found first, and judged then.
 */
struct newest {
	const struct repo_list *l;
	const struct repo_pick *pick;
	const struct timespec *as_of; /* none that is younger; NULL: of any time */
	const struct repo_backup *older_than; /* none but of its series; NULL: all */
	bool complete; /* no other one */
};

static bool
is_candidate(const struct newest *q, const struct repo_backup *b)
{
	if (b->state == REPO_BAD || !in_series(b, q->pick))
		return false;
	if (q->older_than != NULL &&
	    (strcmp(b->seal.series, q->older_than->seal.series) != 0 ||
		b->seal.sequence >= q->older_than->seal.sequence))
		return false;
	if (q->as_of != NULL && !before_or_at(b->seal.created, *q->as_of))
		return false;
	return !q->complete || b->seal.unreadable == 0;
}

static int
newest_of_one_series(const struct newest *q, const struct repo_backup **out, struct err *e)
{
	const struct repo_backup *best = NULL;

	for (size_t i = 0; i < q->l->n; i++) {
		const struct repo_backup *b = &q->l->backups[i];

		if (!is_candidate(q, b))
			continue;
		if (best != NULL && strcmp(best->seal.series, b->seal.series) != 0)
			return err_set(e, ERR_USAGE,
			    "there are several series (%s, %s): name one with --series",
			    best->seal.series, b->seal.series);
		best = b; /* they come by sequence */
	}
	*out = best;
	return 0;
}

/* The sequence of a bad seal, as far as a good one of the series holds it; else the greatest. */
static uint64_t
sequence_of_bad(const struct newest *q, const char *series, const char *name)
{
	const struct seal_hold *h;

	for (size_t i = 0; i < q->l->n; i++) {
		const struct repo_backup *b = &q->l->backups[i];

		if (b->state != REPO_TRUSTED || strcmp(b->seal.series, series) != 0)
			continue;
		if ((h = holding_find(&b->seal, name)) != NULL)
			return h->sequence;
	}
	return UINT64_MAX;
}

/* With as-of: a later backup of the series stands between, so that seq was made after the time. */
static bool
is_after_time(const struct newest *q, const struct repo_backup *best, uint64_t seq)
{
	for (size_t i = 0; q->as_of != NULL && i < q->l->n; i++) {
		const struct seal *s = &q->l->backups[i].seal;

		if (q->l->backups[i].state != REPO_BAD &&
		    strcmp(s->series, best->seal.series) == 0 &&
		    s->sequence > best->seal.sequence && s->sequence < seq)
			return true;
	}
	return false;
}

/* A bad seal's series is known by its name only. */
static bool
named_for(const char *name, const char *series)
{
	size_t len = series != NULL ? strlen(series) : 0;

	return series == NULL || (strncmp(name, series, len) == 0 && name[len] == '-');
}

/*
 * A seal that cannot be read might be the newest of the series.  Its name tells
 * the series, as backup makes names; what a later good seal holds is older.
 */
static int
check_no_bad_one_is_newer(const struct newest *q, const struct repo_backup *best, struct err *e)
{
	const char *series = best->seal.series;

	for (size_t i = 0; i < q->l->n; i++) {
		const struct repo_backup *b = &q->l->backups[i];
		uint64_t seq;

		if (b->state != REPO_BAD || !named_for(b->name, series))
			continue;
		seq = sequence_of_bad(q, series, b->name);
		if (seq <= best->seal.sequence || is_after_time(q, best, seq))
			continue;
		return err_set(e, ERR_CORRUPT,
		    "%s may be newer than %s, and its seal is bad (%s): name the backup that you "
		    "want",
		    b->name, best->name, b->why->msg);
	}
	return 0;
}

/* "; it has a, b and more" */
static void
put_series(const struct repo_list *l, struct buf *text)
{
	const char *before = NULL; /* they come by series */
	int n = 0;

	for (size_t i = 0; i < l->n && n <= 3; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (b->state == REPO_BAD || (before != NULL && strcmp(before, b->seal.series) == 0))
			continue;
		before = b->seal.series;
		if (n == 3)
			buf_puts(text, " and more");
		else
			buf_printf(text, "%s%s", n == 0 ? "; it has " : ", ", before);
		n++;
	}
}

static const struct repo_backup *
first_bad(const struct repo_list *l, const char *series)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->backups[i].state == REPO_BAD && named_for(l->backups[i].name, series))
			return &l->backups[i];
	return NULL;
}

int
repo_find_none(const struct repo_list *l, const char *series, struct err *e)
{
	const struct repo_backup *bad = first_bad(l, series);
	struct buf text = {0};

	if (bad != NULL)
		return err_set(e, bad->why->kind == ERR_SYS ? ERR_SYS : ERR_CORRUPT,
		    "no backup%s%s has a seal that can be read: %s: %s",
		    series != NULL ? " of series " : "", series != NULL ? series : "", bad->name,
		    bad->why->msg);
	buf_puts(&text, "no backup");
	if (series != NULL) {
		buf_printf(&text, " of series %s", series);
		put_series(l, &text);
	}
	if (l->n == 0 && l->n_unsealed > 0)
		buf_printf(&text,
		    "; %zu archive%s without a seal, %s%s (manifest import makes backups of such)",
		    l->n_unsealed, l->n_unsealed == 1 ? "" : "s", l->unsealed[0],
		    l->n_unsealed == 1 ? "" : " and on");
	(void)err_set(e, ERR_NOTFOUND, "%s", text.failed ? "no backup" : buf_str(&text));
	buf_done(&text);
	return -1;
}

static bool
has_any(const struct newest *q)
{
	for (size_t i = 0; i < q->l->n; i++)
		if (q->l->backups[i].state != REPO_BAD && in_series(&q->l->backups[i], q->pick))
			return true;
	return false;
}

static int
find_newest(const struct newest *q, const struct repo_backup **out, struct err *e)
{
	const struct repo_backup *best = NULL;
	char when[64];

	if (newest_of_one_series(q, &best, e) < 0)
		return -1;
	if (best != NULL) {
		if (check_no_bad_one_is_newer(q, best, e) < 0 || acceptable(best, q->pick, e) < 0)
			return -1;
		*out = best;
		return 0;
	}
	const char *series = q->pick->series, *of = series != NULL ? " of series " : "";
	if (!has_any(q))
		return repo_find_none(q->l, series, e);
	series = series != NULL ? series : "";
	if (q->older_than != NULL)
		return err_set(e, ERR_NOTFOUND, "no backup is older than %s", q->older_than->name);
	if (q->as_of == NULL)
		return err_set(e, ERR_NOTFOUND, "no complete backup%s%s", of, series);
	clock_table(q->as_of->tv_sec, when);
	return err_set(e, ERR_NOTFOUND, "no backup%s%s is as old as %s", of, series, when);
}

int
repo_find_as_of(const struct repo_list *l, const struct repo_pick *pick, struct timespec t,
    const struct repo_backup **out, struct err *e)
{
	return find_newest(&(struct newest){.l = l, .pick = pick, .as_of = &t}, out, e);
}

int
repo_find_older(const struct repo_list *l, const struct repo_pick *pick,
    const struct timespec *as_of, const struct repo_backup *older_than,
    const struct repo_backup **out, struct err *e)
{
	return find_newest(
	    &(struct newest){.l = l, .pick = pick, .as_of = as_of, .older_than = older_than}, out,
	    e);
}

/* ---- by name ---- */

static int
none_of_that_name(const struct repo_list *l, const char *which, struct err *e)
{
	for (size_t i = 0; i < l->n_unsealed; i++)
		if (strncmp(l->unsealed[i], which, strlen(which)) == 0)
			return err_set(e, ERR_NOTFOUND,
			    "%s has no seal (manifest import adopts such archives)",
			    l->unsealed[i]);
	return err_set(e, ERR_NOTFOUND, "no backup is named, or begins with, \"%s\"", which);
}

static int
find_by_name(const struct repo_list *l, const struct repo_pick *pick, const char *which,
    const struct repo_backup **out, struct err *e)
{
	const struct repo_backup *found = NULL, *other = NULL;
	size_t len = strlen(which);

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		/* What series a bad seal belongs to, nobody knows. */
		if (strncmp(b->name, which, len) != 0 ||
		    (b->state != REPO_BAD && !in_series(b, pick)))
			continue;
		if (b->name[len] == '\0') {
			*out = b;
			return 0;
		}
		other = found;
		found = b;
	}
	if (found == NULL)
		return none_of_that_name(l, which, e);
	if (other != NULL)
		return err_set(
		    e, ERR_USAGE, "\"%s\" may be %s or %s", which, other->name, found->name);
	*out = found;
	return 0;
}

int
repo_find(const struct repo_list *l, const struct repo_pick *pick, const char *which,
    const struct repo_backup **out, struct err *e)
{
	const struct repo_backup *b = NULL;

	if (strcmp(which, "latest") == 0)
		return find_newest(
		    &(struct newest){.l = l, .pick = pick, .complete = true}, out, e);
	if (which[0] == '\0')
		return err_set(e, ERR_USAGE, "a backup's name may not be empty");
	if (find_by_name(l, pick, which, &b, e) < 0)
		return -1;
	assert(b != NULL);
	if (acceptable(b, pick, e) < 0)
		return -1;
	*out = b;
	return 0;
}
