/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/pick.h"

#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "verify/opts.h"
#include "verify/rotate.h"

bool
verify_in_scope(const struct repo_backup *b, const struct verify_opts *o)
{
	size_t len;

	if (o->series == NULL)
		return true;
	if (b->state != REPO_BAD)
		return strcmp(b->seal.series, o->series) == 0;
	len = strlen(o->series);
	return strncmp(b->name, o->series, len) == 0 && b->name[len] == '-';
}

bool
verify_vouched(const struct repo_backup *b, const struct verify_opts *o)
{
	return b->state == REPO_TRUSTED || (o->untrusted && b->state != REPO_BAD);
}

const struct repo_backup *
verify_newest_complete(const struct repo_list *l, const char *series)
{
	const struct repo_backup *newest = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];

		if (b->state != REPO_BAD && b->seal.unreadable == 0 &&
		    strcmp(b->seal.series, series) == 0)
			newest = b; /* they come by sequence */
	}
	return newest;
}

static void
pick_latest(const struct repo_list *l, const struct verify_opts *o, struct verify_picks *p)
{
	const char *series = NULL; /* they come by series */

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i], *newest;

		if (b->state == REPO_BAD || !verify_in_scope(b, o) ||
		    (series != NULL && strcmp(series, b->seal.series) == 0))
			continue;
		series = b->seal.series;
		newest = verify_newest_complete(l, series);
		if (newest != NULL)
			p->picked[newest - l->backups] = true;
	}
}

static int
pick_names(
    const struct repo_list *l, const struct verify_opts *o, struct verify_picks *p, struct err *e)
{
	/* Whether its signature counts is for the report. */
	const struct repo_pick any = {.series = o->series, .accept_unsigned = true};
	const struct repo_backup *b;

	for (size_t i = 0; i < o->backups.n; i++) {
		struct err why = {0};

		if (strcmp(o->backups.items[i], "latest") == 0)
			pick_latest(l, o, p);
		else if (repo_find(l, &any, o->backups.items[i], &b, &why) == 0)
			p->picked[b - l->backups] = true;
		else if (why.kind == ERR_NOTFOUND) {
			(void)err_pass(e, &why);
			return err_where(e, "repository %s", o->repo);
		} else if (why.kind != ERR_CORRUPT) /* bad seals are reported anyhow */
			return err_pass(e, &why);
	}
	return 0;
}

static int
none(const struct repo_list *l, const struct verify_opts *o, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (verify_in_scope(&l->backups[i], o))
			return 0; /* bad or incomplete ones only: there is something to tell */
	(void)repo_find_none(l, o->series, e);
	return err_where(e, "repository %s", o->repo);
}

int
verify_pick(const struct repo_list *l, const struct verify_opts *o, bool expected,
    struct verify_picks *out, struct err *e)
{
	struct verify_picks p = {.n = l->n};
	int rc = 0;

	if ((p.picked = calloc(l->n + 1, sizeof(*p.picked))) == NULL)
		return err_nomem(e);
	if (o->backups.n > 0)
		rc = pick_names(l, o, &p, e);
	else if (o->all || verify_rotates(o))
		for (size_t i = 0; i < l->n; i++)
			p.picked[i] =
			    l->backups[i].state != REPO_BAD && verify_in_scope(&l->backups[i], o);
	else
		pick_latest(l, o, &p);
	if (rc == 0 && !expected)
		rc = none(l, o, e);
	if (rc == 0)
		*out = p;
	else
		verify_picks_done(&p);
	return rc;
}

void
verify_picks_done(struct verify_picks *p)
{
	free(p->picked);
	*p = (struct verify_picks){0};
}
