/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/proven.h"
#include "core/buf.h"
#include "core/err.h"
#include "manifest/prune.h"
#include "store/holding.h"

void
prune_done(struct prune *p)
{
	for (size_t i = 0; p->errors != NULL && i < p->set.n; i++)
		free(p->errors[i]);
	free(p->errors);
	free(p->fates);
	free(p->goes);
	retain_set_done(&p->set);
}

/* ---- the series ---- */

static bool
counts(const struct prune *p, const struct repo_backup *b)
{
	return repo_counts(b, p->repo->opts->series, p->is_unsigned);
}

static int
several(const struct prune *p, struct err *e)
{
	const struct repo_list *l = &p->repo->list;
	const char *last = NULL;
	struct buf names = {0};

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (!counts(p, b) || (last != NULL && strcmp(last, b->seal.series) == 0))
			continue;
		buf_printf(&names, "%s%s", last != NULL ? ", " : "", b->seal.series);
		last = b->seal.series;
	}
	(void)err_set(e, ERR_USAGE,
	    "there are several series, and each has rules of its own: "
	    "name one with --series (%s)",
	    buf_str(&names));
	buf_done(&names);
	return -1;
}

static int
nothing_counts(const struct prune *p, struct err *e)
{
	const struct cmd_repo_opts *o = p->repo->opts;

	return err_set(e, ERR_NOTFOUND, "%s: no backup%s%s %s", o->repo,
	    o->series != NULL ? " of the series " : "", o->series != NULL ? o->series : "",
	    p->is_unsigned ? "that is unsigned or trusted" : "that is signed by a trusted key");
}

static int
find_newest(struct prune *p, struct err *e)
{
	const struct repo_list *l = &p->repo->list;

	if ((p->newest = repo_newest(l, p->repo->opts->series, p->is_unsigned)) == NULL)
		return nothing_counts(p, e);
	for (size_t i = 0; i < l->n; i++)
		if (counts(p, &l->backups[i]) &&
		    strcmp(l->backups[i].seal.series, p->newest->seal.series) != 0)
			return several(p, e);
	return 0;
}

/* ---- the rules ---- */

static int
find_policy(struct prune *p, struct err *e)
{
	if (retain_policy_is_set(&p->policy))
		return 0;
	p->policy_of_seal = true;
	if (p->newest->seal.policy == NULL)
		return err_set(e, ERR_USAGE,
		    "by which rules? %s, the newest, was made without: --keep-last N and the like",
		    p->newest->name);
	if (retain_policy_parse(&p->policy, p->newest->seal.policy, e) != 0) {
		(void)err_where(e, "%s", p->newest->name);
		return err_where(e, "by which rules? (--keep-last N and the like)");
	}
	return 0;
}

/* ---- what goes ---- */

static int
allocate(struct prune *p, struct err *e)
{
	p->fates = calloc(p->set.n, sizeof(*p->fates));
	p->errors = calloc(p->set.n, sizeof(*p->errors));
	p->goes = calloc(p->set.n, sizeof(*p->goes));
	if (p->fates == NULL || p->errors == NULL || p->goes == NULL)
		return err_nomem(e);
	return 0;
}

static void
decide_fates(struct prune *p)
{
	for (size_t i = 0; i < p->set.n; i++) {
		const struct retain_item *it = &p->set.items[i];
		bool is_held = holding_find(&p->newest->seal, it->backup->name) != NULL;

		if (it->why != 0)
			continue;
		if (is_held && !p->can_seal) {
			p->fates[i] = PRUNE_HELD;
			p->n_held++;
			continue;
		}
		p->fates[i] = PRUNE_REMOVE;
		p->goes[i] = true;
		p->n_remove++;
		p->needs_seal |= is_held;
	}
}

/* A seal alone is no backup, and should not let others go. */
static int
check_newest(const struct prune *p, struct err *e)
{
	const struct repo_backup *complete = NULL;

	for (size_t i = 0; i < p->set.n; i++)
		if (p->set.items[i].complete)
			complete = p->set.items[i].backup;
	if (p->n_remove + p->n_held == 0 || complete == NULL)
		return 0;
	return holding_check_whole(p->repo->repo, complete, e);
}

int
prune_rules(struct prune *p, struct err *e)
{
	return find_newest(p, e) != 0 || find_policy(p, e) != 0 ? -1 : 0;
}

int
prune_plan(struct prune *p, struct err *e)
{
	p->can_seal = p->key != NULL || (p->is_unsigned && !p->newest->seal.is_signed);
	struct catalog *c = proven_open(p->repo->repo);
	int rc = retain_set_make(&p->set, &p->repo->list, p->newest->seal.series, p->is_unsigned,
	    NULL, &p->policy, proven_backup, c, e);
	catalog_close(c);
	if (rc != 0 || allocate(p, e) != 0)
		return -1;
	decide_fates(p);
	return check_newest(p, e);
}
