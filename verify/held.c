/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/held.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "seal/key.h"
#include "store/holding.h"
#include "store/repo.h"
#include "verify/age.h"
#include "verify/opts.h"
#include "verify/rollback.h"

struct held {
	const struct repo_list *list;
	const struct trust *trust;
	const struct verify_opts *opts;
	const struct verify_picks *picks;
	struct verify_anchor *anchor; /* NULL: none */
	time_t now;
	struct verify_report *report;
	const char *series;
	const struct repo_backup *newest; /* whose word counts; NULL: none */
};

static void
tell_bad_seal(const struct held *h, const struct repo_backup *b)
{
	if (b->why->kind == ERR_SYS)
		verify_report_put(h->report, VERIFY_DAMAGE, "seal-bad",
		    "%s: its seal cannot be read: %s", b->name, b->why->msg);
	else
		verify_report_put(
		    h->report, VERIFY_TRUST, "seal-bad", "%s: bad seal: %s", b->name, b->why->msg);
}

/*
 * A seal with a wrong form cannot have been signed so: it proves nothing, as one
 * with a wrong signature.  One that the disk does not give back is damage.
 */
static void
tell_bad_seals(const struct held *h)
{
	for (size_t i = 0; i < h->list->n; i++) {
		const struct repo_backup *b = &h->list->backups[i];

		if (b->state == REPO_BAD && verify_in_scope(b, h->opts))
			tell_bad_seal(h, b);
	}
}

static bool
counts(const struct held *h, const struct repo_backup *b)
{
	return verify_vouched(b, h->opts);
}

static bool
of_series(const struct held *h, const struct repo_backup *b)
{
	return b->state != REPO_BAD && strcmp(b->seal.series, h->series) == 0;
}

/*
 * What the newest vouches for, with a signature that does not count.  It was held when it
 * had a good one, so a missing or wrong one was put there since; but a key may be taken
 * out of the trust file for good reasons, with backups left that it signed.
 */
static void
check_signature(const struct held *h, const struct repo_backup *b)
{
	bool known =
	    b->state == REPO_UNSIGNED || (h->trust != NULL && trust_has(h->trust, b->seal.key_id));

	if (counts(h, b) || b->state == REPO_BAD || h->picks->picked[b - h->list->backups])
		return;
	if (known)
		verify_report_put(h->report, VERIFY_TRUST, "held-untrusted",
		    "series %s: %s is what %s holds, but its signature was %s", h->series, b->name,
		    h->newest->name, b->state == REPO_UNSIGNED ? "taken away" : "changed");
	else
		verify_report_put(h->report, VERIFY_NOTE, "held-untrusted",
		    "series %s: %s is what %s holds, but its own key is not trusted", h->series,
		    b->name, h->newest->name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
has_name(const char (*names)[SEAL_NAME_MAX + 1], size_t n, const char *name)
{
	return n > 0 && bsearch(name, names, n, sizeof(names[0]), by_name) != NULL;
}

static void
tell_missing(const struct held *h, const char *name)
{
	const struct repo_list *l = h->list;
	bool gone = has_name((const char(*)[SEAL_NAME_MAX + 1]) l->gone, l->n_gone, name),
	     unsealed =
		 has_name((const char(*)[SEAL_NAME_MAX + 1]) l->unsealed, l->n_unsealed, name);

	verify_report_put(h->report, VERIFY_TRUST, "held-missing",
	    "series %s: %s%s is %s, and %s holds it", h->series, unsealed ? "the seal of " : "",
	    name, gone ? "being removed" : "missing", h->newest->name);
}

static void
check_holds(const struct held *h)
{
	const struct seal *s = &h->newest->seal;

	for (size_t i = 0; i < s->n_holds; i++) {
		const struct seal_hold *hold = &s->holds[i];
		const struct repo_backup *b = repo_find_name(h->list, hold->name);

		if (b == NULL)
			tell_missing(h, hold->name);
		else if (b->state != REPO_BAD &&
		    memcmp(b->seal.text_digest, hold->digest, SHA256_LEN) != 0)
			verify_report_put(h->report, VERIFY_TRUST, "held-differs",
			    "series %s: %s is not the one that %s holds: it was exchanged",
			    h->series, hold->name, s->name);
		else
			check_signature(h, b);
	}
}

/* Backups of the series that count, and that the newest holds no longer. */
struct dropped {
	size_t n;
	const struct repo_backup *first, *last;
};

static void
check_stranger(const struct held *h, const struct repo_backup *b, struct dropped *dropped)
{
	const char *newest = h->newest->name;
	const struct seal_hold *hold = holding_at(&h->newest->seal, b->seal.sequence);
	const char *other = b->seal.sequence == h->newest->seal.sequence ? newest
	    : hold != NULL						 ? hold->name
									 : NULL;

	if (other != NULL && counts(h, b))
		verify_report_put(h->report, VERIFY_TRUST, "sequence-twice",
		    "series %s: %s and %s have the same sequence number %" PRIu64, h->series,
		    b->name, other, b->seal.sequence);
	else if (counts(h, b)) {
		if (dropped->n++ == 0)
			dropped->first = b;
		dropped->last = b;
	} else if (!h->picks->picked[b - h->list->backups])
		verify_report_put(h->report, h->opts->untrusted ? VERIFY_NOTE : VERIFY_TRUST,
		    "not-held", "series %s: %s is %s, and %s does not hold it", h->series, b->name,
		    b->state == REPO_UNSIGNED ? "not signed" : "not signed by a trusted key",
		    newest);
}

/* In one line: a copy that keeps all may have hundreds of them. */
static void
tell_dropped(const struct held *h, const struct dropped *d)
{
	if (d->n == 1)
		verify_report_put(h->report, VERIFY_NOTE, "not-held",
		    "series %s: %s is not held by %s any more (a pruning that was cut short, or a "
		    "copy that keeps more?)",
		    h->series, d->first->name, h->newest->name);
	else if (d->n > 1)
		verify_report_put(h->report, VERIFY_NOTE, "not-held",
		    "series %s: %zu backups from %s to %s are not held by %s any more (a pruning "
		    "that was cut short, or a copy that keeps more?)",
		    h->series, d->n, d->first->name, d->last->name, h->newest->name);
}

static void
check_others(const struct held *h)
{
	struct dropped dropped = {0};

	for (size_t i = 0; i < h->list->n; i++) {
		const struct repo_backup *b = &h->list->backups[i];

		if (of_series(h, b) && b != h->newest &&
		    holding_find(&h->newest->seal, b->name) == NULL)
			check_stranger(h, b, &dropped);
	}
	tell_dropped(h, &dropped);
}

static void
find_newest(struct held *h)
{
	h->newest = NULL;
	for (size_t i = 0; i < h->list->n; i++)
		if (of_series(h, &h->list->backups[i]) && counts(h, &h->list->backups[i]) &&
		    (h->newest == NULL ||
			h->list->backups[i].seal.sequence > h->newest->seal.sequence))
			h->newest = &h->list->backups[i];
}

/* A stranger that is picked is told with its check, and a bad seal's series by its name only. */
static bool
has_strangers(const struct held *h)
{
	const struct verify_opts scope = {.series = h->series};

	for (size_t i = 0; i < h->list->n; i++) {
		const struct repo_backup *b = &h->list->backups[i];

		if (verify_in_scope(b, &scope) && b->state != REPO_TRUSTED &&
		    (b->state == REPO_BAD || h->newest == NULL ||
			holding_find(&h->newest->seal, b->name) == NULL))
			return true;
	}
	return false;
}

static void
check_series(struct held *h)
{
	const struct verify_age_of of = {.list = h->list, .opts = h->opts, .series = h->series};
	uint64_t before = h->report->found[VERIFY_TRUST];

	find_newest(h);
	if (h->newest != NULL) {
		check_holds(h);
		check_others(h);
	}
	verify_age_order(&of, h->report);
	if (h->anchor != NULL) {
		const struct verify_series s = {.name = h->series,
		    .newest = h->newest,
		    .clean = h->report->found[VERIFY_TRUST] == before && !has_strangers(h)};

		verify_rollback_series(h->anchor, h->list, &s, h->now, h->report);
	}
	if (h->opts->max_age > 0)
		verify_age(&of, h->now, h->report);
	else if (verify_newest_complete(h->list, h->series) == NULL)
		verify_report_put(h->report, VERIFY_DAMAGE, "incomplete",
		    "series %s: there is no complete backup", h->series);
}

/* Go to the next series from *at on; false: there is none. */
static bool
next_series(struct held *h, size_t *at)
{
	for (; *at < h->list->n; (*at)++) {
		const struct repo_backup *b = &h->list->backups[*at];

		if (b->state == REPO_BAD || !verify_in_scope(b, h->opts) ||
		    (h->series != NULL && strcmp(h->series, b->seal.series) == 0))
			continue;
		h->series = b->seal.series;
		return true;
	}
	return false;
}

bool
verify_held_missing(const struct repo_list *l, const struct verify_opts *o)
{
	struct held h = {.list = l, .opts = o};

	for (size_t at = 0; next_series(&h, &at);) {
		find_newest(&h);
		for (size_t i = 0; h.newest != NULL && i < h.newest->seal.n_holds; i++)
			if (repo_find_name(l, h.newest->seal.holds[i].name) == NULL)
				return true;
	}
	return false;
}

/* That one of ours has lost its seal is told with what holds it. */
static bool
is_held(const struct repo_list *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->backups[i].state != REPO_BAD &&
		    holding_find(&l->backups[i].seal, name) != NULL)
			return true;
	return false;
}

static void
tell_unsealed(const struct held *h)
{
	const struct repo_list *l = h->list;
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < l->n_unsealed; i++)
		if (!is_held(l, l->unsealed[i]) && !repo_was_imported(l, l->unsealed[i]) &&
		    n++ == 0)
			first = l->unsealed[i];
	if (n > 0)
		verify_report_put(h->report, VERIFY_NOTE, "unsealed",
		    "%zu archive%s without a seal, %s%s, cannot be checked (manifest import adopts "
		    "%s)",
		    n, n == 1 ? "" : "s", first, n == 1 ? "" : " and on", n == 1 ? "it" : "them");
}

static void
tell_gone(const struct held *h)
{
	const struct repo_list *l = h->list;

	if (l->n_gone > 0)
		verify_report_put(h->report, VERIFY_NOTE, "pruning",
		    "%zu backup%s, %s%s, %s being removed; if that was cut short, the next backup "
		    "finishes it",
		    l->n_gone, l->n_gone == 1 ? "" : "s", l->gone[0],
		    l->n_gone == 1 ? "" : " and on", l->n_gone == 1 ? "is" : "are");
}

void
verify_held(const struct verify_held_set *set, time_t now, struct verify_report *r)
{
	struct held h = {.list = set->list,
	    .trust = set->trust,
	    .opts = set->opts,
	    .picks = set->picks,
	    .anchor = set->anchor,
	    .now = now,
	    .report = r};

	tell_bad_seals(&h);
	for (size_t at = 0; next_series(&h, &at);)
		check_series(&h);
	if (h.anchor != NULL)
		verify_rollback_vanished(h.anchor, h.list, h.opts, r);
	tell_unsealed(&h);
	tell_gone(&h);
}
