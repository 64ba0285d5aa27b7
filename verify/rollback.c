/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/rollback.h"

#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "store/holding.h"
#include "store/repo.h"
#include "verify/anchor.h"
#include "verify/opts.h"
#include "verify/report.h"

enum verdict {
	LATER, /* or the same */
	GONE, /* no trusted backup is left */
	OLDER, /* the newest one is older than the one seen */
	OTHER, /* another backup has its sequence number */
};

static bool
is_seen(const struct repo_backup *b, const struct verify_anchor_line *seen)
{
	return strcmp(b->name, seen->name) == 0 &&
	    memcmp(b->seal.archive_digest, seen->archive_digest, SHA256_LEN) == 0;
}

static bool
is_ours(const struct repo_backup *b, const struct verify_anchor_line *seen)
{
	return b->state == REPO_TRUSTED && strcmp(b->seal.series, seen->series) == 0;
}

/* The trusted backup with the sequence number of the one seen; that one, when there are two. */
static const struct repo_backup *
with_number(const struct repo_list *l, const struct verify_anchor_line *seen)
{
	const struct repo_backup *found = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (!is_ours(b, seen) || b->seal.sequence != seen->sequence)
			continue;
		if (is_seen(b, seen))
			return b;
		found = b;
	}
	return found;
}

/*
 * The digest of a hold is no witness: the backup may have been sealed anew after it was
 * seen.  Whether what it names is there is told by the held set.
 */
static enum verdict
judge(const struct repo_list *l, const struct repo_backup *newest,
    const struct verify_anchor_line *seen, const char **other)
{
	const struct repo_backup *b;
	const struct seal_hold *h;

	if (newest == NULL)
		return GONE;
	if ((b = with_number(l, seen)) != NULL) {
		*other = b->name;
		return is_seen(b, seen) ? LATER : OTHER;
	}
	*other = newest->name;
	if (newest->seal.sequence < seen->sequence)
		return OLDER;
	if ((h = holding_at(&newest->seal, seen->sequence)) == NULL)
		return LATER;
	*other = h->name;
	return strcmp(h->name, seen->name) == 0 ? LATER : OTHER;
}

static const struct repo_backup *
newest_of(const struct repo_list *l, const struct verify_anchor_line *seen)
{
	const struct repo_backup *newest = NULL;

	for (size_t i = 0; i < l->n; i++)
		if (is_ours(&l->backups[i], seen))
			newest = &l->backups[i]; /* they come by sequence */
	return newest;
}

/* What became of the one seen: it may still be there, with a seal that proves nothing. */
static const char *
fate(const struct repo_list *l, const struct verify_anchor_line *seen)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (strcmp(b->name, seen->name) != 0)
			continue;
		if (b->state == REPO_BAD)
			return b->why->kind == ERR_SYS ? "its seal cannot be read now"
						       : "its seal is bad now";
		if (b->state != REPO_TRUSTED)
			return "its seal is not trusted now";
		return "it is something else now";
	}
	return "it was removed, or the repository was rolled back";
}

static void
tell(const struct repo_list *l, const struct verify_anchor_line *seen, enum verdict v,
    const char *other, struct verify_report *r)
{
	char when[64];

	clock_table(seen->seen, when);
	if (v == GONE)
		verify_report_put(r, VERIFY_TRUST, "anchor-gone",
		    "series %s: no trusted backup is here, and %s was seen on %s: %s", seen->series,
		    seen->name, when, fate(l, seen));
	else if (v == OLDER)
		verify_report_put(r, VERIFY_TRUST, "anchor-older",
		    "series %s: a newer backup than %s, %s, was seen on %s: %s", seen->series,
		    other, seen->name, when, fate(l, seen));
	else if (strcmp(other, seen->name) == 0)
		verify_report_put(r, VERIFY_TRUST, "anchor-differs",
		    "series %s: %s is not the backup that was seen under this name on %s: it was "
		    "exchanged",
		    seen->series, seen->name, when);
	else
		verify_report_put(r, VERIFY_TRUST, "anchor-differs",
		    "series %s: %s is number %" PRIu64
		    ", but %s was when it was seen on %s: it was "
		    "exchanged, or removed and the number used again",
		    seen->series, other, seen->sequence, seen->name, when);
}

static void
tell_way_out(
    const struct verify_anchor *a, const struct verify_anchor_line *seen, struct verify_report *r)
{
	verify_report_put(r, VERIFY_NOTE, "anchor-kept",
	    "series %s: once you know why, remove the line of %s from %s to accept what is here "
	    "now",
	    seen->series, seen->series, a->file);
}

static void
keep(struct verify_anchor_line *seen, const struct verify_series *s, struct verify_report *r)
{
	if (seen != NULL) {
		seen->state = VERIFY_ANCHOR_KEPT;
		verify_report_put(r, VERIFY_NOTE, "anchor-kept",
		    "series %s: the anchor stays at %s, for what was found", s->name, seen->name);
	} else if (s->newest != NULL)
		verify_report_put(r, VERIFY_NOTE, "anchor-kept",
		    "series %s: not put into the anchor, for what was found", s->name);
}

void
verify_rollback_series(struct verify_anchor *a, const struct repo_list *l,
    const struct verify_series *s, time_t now, struct verify_report *r)
{
	struct verify_anchor_line *seen = verify_anchor_find(a, s->name);
	const char *other = NULL;
	enum verdict v = seen != NULL ? judge(l, s->newest, seen, &other) : LATER;

	if (v != LATER) {
		seen->state = VERIFY_ANCHOR_BROKEN;
		tell(l, seen, v, other, r);
		tell_way_out(a, seen, r);
	} else if (!s->clean || s->newest == NULL) {
		keep(seen, s, r);
	} else {
		verify_anchor_see(a, &s->newest->seal, now);
		if (seen == NULL && !a->is_new)
			verify_report_put(r, VERIFY_NOTE, "anchor-new",
			    "series %s: new in the anchor, with %s", s->name, s->newest->name);
	}
}

static bool
asked_for(const struct verify_anchor_line *seen, const struct verify_opts *o)
{
	return o->series == NULL || strcmp(o->series, seen->series) == 0;
}

void
verify_rollback_vanished(struct verify_anchor *a, const struct repo_list *l,
    const struct verify_opts *o, struct verify_report *r)
{
	for (size_t i = 0; i < a->n; i++) {
		struct verify_anchor_line *seen = &a->lines[i];

		if (!asked_for(seen, o) || seen->state != VERIFY_ANCHOR_UNASKED)
			continue;
		seen->state = VERIFY_ANCHOR_BROKEN;
		tell(l, seen, GONE, NULL, r);
		tell_way_out(a, seen, r);
	}
}

bool
verify_rollback_doubts(
    const struct verify_anchor *a, const struct repo_list *l, const struct verify_opts *o)
{
	const char *other;

	for (size_t i = 0; i < a->n; i++)
		if (asked_for(&a->lines[i], o) &&
		    judge(l, newest_of(l, &a->lines[i]), &a->lines[i], &other) != LATER)
			return true;
	return false;
}

bool
verify_rollback_expects(const struct verify_anchor *a, const struct verify_opts *o)
{
	for (size_t i = 0; i < a->n; i++)
		if (asked_for(&a->lines[i], o))
			return true;
	return false;
}
