/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/held.h"
#include "backup/opts.h"
#include "backup/report.h"
#include "backup/run_impl.h"
#include "catalog/catalog.h"
#include "catalog/proven.h"
#include "core/err.h"
#include "core/log.h"
#include "store/holding.h"

void
retention_done(struct retention *t)
{
	retain_set_done(&t->set);
	for (size_t i = 0; i < t->n_gone; i++) {
		free(t->gone[i].why);
		free(t->gone[i].failed);
	}
	free(t->gone);
	*t = (struct retention){0};
}

/* ---- deciding ---- */

struct catalog *
retention_catalog(struct run *r)
{
	const struct repo_backup *newest = repo_newest(&r->list, r->o->series, r->o->is_unsigned);

	if (!r->o->dry_run && newest != NULL && proven_is_behind(r->repo, newest->seal.text_digest))
		run_update_catalog(r, false);
	return proven_open(r->repo);
}

/* next: NULL when the backup is sealed already. */
static int
decide(struct run *r, const struct seal *next, bool accept_unsigned, struct err *e)
{
	struct retention *t = &r->retention;
	struct catalog *c = retain_policy_is_set(&t->policy) ? retention_catalog(r) : NULL;

	retain_set_done(&t->set);
	int rc = retain_set_make(&t->set, &r->list, r->o->series, accept_unsigned, next, &t->policy,
	    proven_backup, c, e);
	catalog_close(c);
	return rc == 0 ? 0 : err_where(e, "retention");
}

static bool
is_in(const struct retain_set *set, const struct repo_backup *b)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i].backup == b)
			return true;
	return false;
}

/*
 * Two with one sequence come about when repositories that were written apart, with
 * the same key, are put together.  A seal can hold one of them.
 */
static void
warn_twins(const struct run *r)
{
	for (size_t i = 0; i < r->list.n; i++) {
		const struct repo_backup *b = &r->list.backups[i];

		if (repo_counts(b, r->seal.series, r->o->is_unsigned) &&
		    !is_in(&r->retention.set, b))
			log_warn("backup %s has the sequence of another one: not held", b->name);
	}
}

static void
tell_each(const struct run *r)
{
	struct buf why = {0};

	for (size_t i = 0; i < r->retention.set.n; i++) {
		const struct retain_item *it = &r->retention.set.items[i];

		buf_clear(&why);
		retain_why_put(it, &why);
		log_verbose("%s %s: %s", it->backup != NULL ? it->backup->name : r->seal.name,
		    it->why != 0 ? "stays" : "goes", buf_str(&why));
	}
	buf_done(&why);
}

int
retention_seal(struct run *r, struct err *e)
{
	r->retention.policy = r->o->keep;
	if (decide(r, &r->seal, r->o->is_unsigned, e) != 0)
		return -1;
	warn_twins(r);
	if (retain_policy_is_set(&r->retention.policy))
		tell_each(r);
	return holding_fill(&r->seal, &r->retention.set, NULL, &r->retention.policy, e);
}

/* ---- removing ---- */

static struct retention_gone *
gone_entry(struct retention *t, const char *name)
{
	struct retention_gone *grown;

	for (size_t i = 0; i < t->n_gone; i++)
		if (strcmp(t->gone[i].name, name) == 0)
			return &t->gone[i];
	grown = reallocarray(t->gone, t->n_gone + 1, sizeof(*grown));
	if (grown == NULL)
		return NULL;
	t->gone = grown;
	grown[t->n_gone] = (struct retention_gone){0};
	(void)snprintf(grown[t->n_gone].name, sizeof(grown->name), "%s", name);
	return &grown[t->n_gone++];
}

/* failed: why it is still there, or NULL.  The last try counts, and what it was for. */
static int
note(struct retention *t, const struct retain_item *it, bool for_room, const char *failed)
{
	struct retention_gone *g = gone_entry(t, it->backup->name);
	struct buf why = {0};

	if (g == NULL)
		return -1;
	t->failures -= g->failed != NULL;
	t->failures += failed != NULL;
	free(g->why);
	free(g->failed);
	retain_why_put(it, &why);
	g->for_room = for_room;
	g->why = buf_check(&why, NULL) == 0 ? strdup(buf_str(&why)) : NULL;
	g->failed = failed != NULL ? strdup(failed) : NULL;
	buf_done(&why);
	return g->why == NULL || (failed != NULL && g->failed == NULL) ? -1 : 0;
}

static bool
failed_before(const struct retention *t, const char *name)
{
	for (size_t i = 0; i < t->n_gone; i++)
		if (t->gone[i].failed != NULL && strcmp(t->gone[i].name, name) == 0)
			return true;
	return false;
}

void
retention_remove(struct run *r, const struct retain_item *it, bool for_room)
{
	const char *name = it->backup->name;
	struct err e = {0};

	if (repo_prune(r->repo, name, &e) == 0)
		report_removed(r->o, name);
	else if (!failed_before(&r->retention, name))
		log_warn("%s (the next run tries again)", e.msg);
	if (note(&r->retention, it, for_room, e.kind != ERR_NONE ? e.msg : NULL) != 0)
		log_warn("%s: the report lacks it: out of memory", name);
}

/* What the newest seal holds never goes, whatever was decided. */
static void
remove_all(struct run *r, const struct seal *newest)
{
	if (!retain_policy_is_set(&r->retention.policy))
		return;
	report_cleaning(r->o, &r->retention.policy);
	for (size_t i = 0; i < r->retention.set.n; i++) {
		const struct retain_item *it = &r->retention.set.items[i];

		if (it->why == 0 && it->backup != NULL &&
		    holding_find(newest, it->backup->name) == NULL)
			retention_remove(r, it, false);
	}
}

void
retention_prune(struct run *r)
{
	remove_all(r, &r->seal);
}

int
retention_resume(struct run *r, const struct repo_backup *b, struct err *e)
{
	struct err why = {0};

	if (repo_newest(&r->list, b->seal.series, r->o->is_unsigned) != b)
		return 0; /* a later run has seen to it */
	if (retain_policy_parse(&r->retention.policy, b->seal.policy, &why) != 0) {
		log_verbose("%s: nothing is removed: %s", b->name, why.msg);
		return 0;
	}
	if (decide(r, NULL, r->o->is_unsigned, e) != 0)
		return -1;
	remove_all(r, &b->seal);
	return 0;
}

/* ---- a dry run ---- */

int
retention_preview(struct run *r, uint64_t unreadable, struct err *e)
{
	bool blind = r->o->key == NULL && r->o->trust == NULL && !r->o->is_unsigned;
	bool accept_unsigned = blind || r->o->is_unsigned;
	struct seal next = {.created = r->started, .unreadable = unreadable};
	struct retention *t = &r->retention;

	t->policy = r->o->keep;
	if (repo_list(r->repo, r->trust, &r->list, e) != 0)
		return -1;
	if (blind) {
		log_note("without --key or --trust nothing is authenticated: "
			 "seals are taken as they are");
		repo_list_unchecked(&r->list);
	}
	(void)snprintf(next.series, sizeof(next.series), "%s", r->o->series);
	if (held_check_numbers(&r->list, next.series, accept_unsigned, e) != 0)
		return -1;
	next.sequence = held_sequence(&r->list, r->o->series, accept_unsigned);
	if (decide(r, &next, accept_unsigned, e) != 0)
		return -1;
	for (size_t i = 0; i < t->set.n; i++)
		if (t->set.items[i].why == 0 && t->set.items[i].backup != NULL &&
		    note(t, &t->set.items[i], false, NULL) != 0)
			return err_nomem(e);
	return 0;
}
