/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup/held.h"
#include "backup/opts.h"
#include "backup/report.h"
#include "backup/run_impl.h"
#include "backup/space.h"
#include "catalog/catalog.h"
#include "catalog/proven.h"
#include "core/err.h"
#include "core/log.h"
#include "core/num.h"
#include "store/holding.h"

/*
 * Room before the backup is there: what its policy will let go is removed now, the
 * oldest first, and only until the estimate fits.  A backup that may fail must not cost the
 * newest complete one, so that stays whatever the rules say; and so does the newest of all,
 * because it is the one that signs for the others.
 *
 * It goes by rounds, because the space that a removal gives back is measured, not computed: files
 * may share blocks.
 */
struct makeroom {
	struct run *r;
	struct space space;
	bool told;
	/* Of this round: */
	struct retain_set set;
	bool *goes; /* for each item */
	const struct repo_backup *newest, *complete;
};

#define NAMES_TOLD 10

static int
measure(struct run *r, struct space *out, struct err *e)
{
	const struct repo_backup *last = repo_newest(&r->list, r->o->series, r->o->is_unsigned);
	const struct space_opts opts = {
	    .last = last == NULL ? NULL : &last->seal,
	    .source_fd = r->source_fd,
	    .walk = &r->walk,
	    .thorough = r->o->make_room,
	    .shares = r->share && sharing_is_worth_it(r),
	};

	return space_measure(r->repo, &opts, out, e);
}

/* Decide as if the backup were there, and complete. */
static int
decide(struct makeroom *m, struct err *e)
{
	struct run *r = m->r;
	struct seal next = {.created = r->started};
	struct catalog *c = retention_catalog(r);

	(void)snprintf(next.series, sizeof(next.series), "%s", r->o->series);
	next.sequence = m->newest->seal.sequence + 1;
	int rc = retain_set_make(&m->set, &r->list, r->o->series, r->o->is_unsigned, &next,
	    &r->o->keep, proven_backup, c, e);
	catalog_close(c);
	if (rc != 0)
		return -1;
	for (size_t i = 0; i < m->set.n; i++)
		if (m->set.items[i].backup != NULL && m->set.items[i].complete)
			m->complete = m->set.items[i].backup;
	m->goes = calloc(m->set.n + 1, sizeof(*m->goes));
	return m->goes == NULL ? err_nomem(e) : 0;
}

static bool
may_go(const struct makeroom *m, const struct retain_item *it)
{
	return it->why == 0 && it->backup != NULL && it->backup != m->newest &&
	    it->backup != m->complete;
}

/* As many as will do by their sizes, or all.  How many, and whether the newest holds one. */
static size_t
choose(struct makeroom *m, bool *is_held)
{
	uint64_t room = m->space.room;
	size_t n = 0;

	*is_held = false;
	for (size_t i = 0; i < m->set.n && room < m->space.needed; i++) {
		const struct repo_backup *b = m->set.items[i].backup;

		if (!may_go(m, &m->set.items[i]))
			continue;
		m->goes[i] = true;
		*is_held |= holding_find(&m->newest->seal, b->name) != NULL;
		room += b->seal.archive_size + b->seal.manifest_size;
		n++;
	}
	return n;
}

/* The newest must not hold what is removed next. */
static int
seal_anew(const struct makeroom *m, struct err *e)
{
	const struct run *r = m->r;

	if (m->newest->seal.is_signed && r->key == NULL)
		return err_set(e, ERR_USAGE,
		    "%s is signed, and holds what would be removed: that takes --key",
		    m->newest->name);
	return holding_reseal(r->repo, m->newest, &m->set, m->goes, &r->o->keep, r->key, e);
}

/* 1: some were removed; 0: there is nothing more. */
static int
one_round(struct makeroom *m, struct err *e)
{
	struct run *r = m->r;
	size_t failures = r->retention.failures;
	bool is_held;

	m->newest = repo_newest(&r->list, r->o->series, r->o->is_unsigned);
	if (m->newest == NULL)
		return 0;
	if (decide(m, e) != 0)
		return -1;
	if (choose(m, &is_held) == 0)
		return 0;
	if (m->complete != NULL && holding_check_whole(r->repo, m->complete, e) != 0)
		return -1;
	if (is_held && seal_anew(m, e) != 0)
		return -1;
	if (!m->told)
		report_making_room(r->o, &r->o->keep);
	m->told = true;
	for (size_t i = 0; i < m->set.n; i++)
		if (m->goes[i])
			retention_remove(r, &m->set.items[i], true);
	/* What could not be removed would be chosen again, for ever. */
	return r->retention.failures == failures;
}

static int
round_and_look(struct makeroom *m, struct err *e)
{
	struct run *r = m->r;
	int rc = one_round(m, e);

	retain_set_done(&m->set);
	free(m->goes);
	m->goes = NULL;
	m->complete = NULL;
	if (rc < 0)
		return -1;
	/* Also after a failure: a backup whose seal is gone already is none any more. */
	repo_list_done(&r->list);
	return repo_list(r->repo, r->trust, &r->list, e) == 0 ? rc : -1;
}

static int
refuse(const struct run *r, const struct err *why, struct err *e)
{
	const struct retention *t = &r->retention;
	struct buf names = {0};
	size_t n = 0;

	for (size_t i = 0; i < t->n_gone; i++) {
		if (t->gone[i].failed == NULL && n++ < NAMES_TOLD)
			buf_printf(&names, "%s%s", n == 1 ? "" : ", ", t->gone[i].name);
	}
	if (n > NAMES_TOLD)
		buf_printf(&names, ", and %zu more", n - NAMES_TOLD);
	(void)err_set(e, why->kind, "%s; --make-room %s%s", why->msg,
	    n == 0 ? "found nothing that may go" : "removed ", buf_str(&names));
	buf_done(&names);
	return -1;
}

/* Until it fits, or there is nothing more. */
static int
rounds(struct makeroom *m, struct err *e)
{
	struct space *s = &m->space;
	int rc = 1;

	while (rc == 1 && space_is_short(s)) {
		rc = round_and_look(m, e);
		if (rc == 1 && repo_settled_space(m->r->repo, s->needed, &s->room, e) != 0)
			rc = -1;
	}
	return rc < 0 ? err_where(e, "--make-room") : 0;
}

/*
 * One that was to be written without sharing blocks, and would not fit.  To refuse it were to
 * refuse each one from now on, for its number stays the same.
 */
static int
share_instead(struct makeroom *m, struct err *e)
{
	struct run *r = m->r;
	char has[16], wants[16];

	if (!space_is_short(&m->space) || r->share || !sharing_is_worth_it(r))
		return 0;
	num_human(m->space.room, has);
	num_human(m->space.needed, wants);
	log_warn("%s: no space for a copy of its own: %s is free, about %s is needed; the backup "
		 "shares blocks with the last one instead",
	    repo_dir(r->repo), has, wants);
	r->share = true;
	return measure(r, &m->space, e);
}

int
makeroom_run(struct run *r, struct err *e)
{
	struct makeroom m = {.r = r};
	struct err why = {0};

	if (measure(r, &m.space, e) != 0)
		return -1;
	if ((r->o->make_room && rounds(&m, e) != 0) || share_instead(&m, e) != 0)
		return -1;
	if (!r->o->make_room)
		return space_judge(r->repo, &m.space, e);
	return space_judge(r->repo, &m.space, &why) == 0 ? 0 : refuse(r, &why, e);
}

/*
 * How much is needed nobody knows: the estimate was wrong, and the backup was not yet whole.  Half
 * as much again as there was, so that not many attempts are made, and not too many backups go.
 */
int
makeroom_again(struct run *r, struct err *e)
{
	struct makeroom m = {.r = r};
	size_t before = r->retention.n_gone;
	struct err why = {0};

	if (!r->o->make_room || !err_is_no_space(e))
		return -1;
	retain_set_done(&r->retention.set);
	if (repo_settled_space(r->repo, UINT64_MAX, &m.space.room, &why) != 0)
		return -1;
	m.space.needed = m.space.room + m.space.room / 2 + 1;
	if (rounds(&m, &why) != 0) {
		log_warn("%s", why.msg);
		return -1;
	}
	if (r->retention.n_gone == before) {
		why = *e;
		return refuse(r, &why, e);
	}
	log_note("the volume was full: with what is free now the backup begins again");
	err_clear(e);
	return 1;
}
