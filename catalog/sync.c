/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/sync.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/accept.h"
#include "catalog/amend.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/index.h"
#include "catalog/open.h"
#include "catalog/rebuild.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "store/repo.h"

static bool
is_same(const struct catalog_backup *b, const struct seal *s)
{
	return b->sequence == s->sequence && strcmp(b->series_name, s->series) == 0 &&
	    strcmp(b->name, s->name) == 0 && memcmp(b->digest, s->text_digest, SHA256_LEN) == 0;
}

int
catalog_sync_agrees(struct catalog *c, const struct catalog_accept *a, struct err *e)
{
	if (c->version != CATALOG_DB_VERSION)
		return 0;
	if (catalog_backups_load(c, e) != 0)
		return -1;
	if (c->n_backups != a->n)
		return 0;
	for (size_t i = 0; i < a->n; i++)
		if (!is_same(&c->backups[i], a->v[i].seal))
			return 0;
	return 1;
}

/* ---- what has to be done ---- */

struct step {
	struct catalog_backup b;
	const struct seal *reseal; /* sealed anew as this; NULL: it goes */
};

struct plan {
	struct step *steps;
	size_t n;
	const char *missing; /* the last series of which something is to be indexed */
	const char *anew; /* why all has to be built anew; NULL: it need not be */
};

static int
place_order(const struct catalog_backup *b, const struct seal *s)
{
	int order = strcmp(b->series_name, s->series);

	if (order == 0)
		order = (b->sequence > s->sequence) - (b->sequence < s->sequence);
	return order;
}

static void
add_step(struct plan *p, const struct catalog_backup *b, const struct seal *reseal)
{
	p->steps[p->n++] = (struct step){.b = *b, .reseal = reseal};
}

/* b and s have the same place. */
static int
plan_pair(struct plan *p, struct catalog *c, struct repo *r, const struct catalog_backup *b,
    const struct seal *s, struct err *e)
{
	bool same = is_same(b, s);
	int reseal = same ? 0 : catalog_amend_is_reseal(c, b, s, e);

	if (reseal < 0)
		return -1;
	if (!same && reseal == 0) {
		add_step(p, b, NULL);
		p->missing = s->series;
		return 0;
	}
	if (reseal == 1)
		add_step(p, b, s);
	if (p->missing != NULL && strcmp(p->missing, s->series) == 0)
		p->anew = "a backup came in between";
	else if (!b->readable && catalog_index_readable(r, s))
		p->anew = "a manifest came back";
	return 0;
}

/* Both lists are by series, then sequence. */
static int
make_plan(struct plan *p, struct catalog *c, struct repo *r, const struct catalog_accept *a,
    struct err *e)
{
	size_t i = 0, k = 0;

	if (c->version != CATALOG_DB_VERSION) {
		p->anew = "it is of an older version";
		return 0;
	}
	if (catalog_backups_load(c, e) != 0)
		return -1;
	p->steps = calloc(c->n_backups + 1, sizeof(*p->steps));
	if (p->steps == NULL)
		return err_nomem(e);
	while (p->anew == NULL && (i < c->n_backups || k < a->n)) {
		const struct catalog_backup *b = i < c->n_backups ? &c->backups[i] : NULL;
		const struct seal *s = k < a->n ? a->v[k].seal : NULL;
		int order = b == NULL ? 1 : s == NULL ? -1 : place_order(b, s);

		if (order < 0)
			add_step(p, b, NULL);
		else if (order > 0)
			p->missing = s->series;
		else if (plan_pair(p, c, r, b, s, e) != 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

static int
do_step(struct catalog *c, const struct step *step, struct err *e)
{
	if (stop_check(e) != 0)
		return -1;
	if (step->reseal != NULL) {
		log_verbose("%s: was sealed anew; the catalog takes that over", step->b.name);
		return catalog_amend_reseal(c, &step->b, step->reseal, e);
	}
	log_verbose("%s: is gone; it leaves the catalog", step->b.name);
	return catalog_amend_remove(c, &step->b, e);
}

/* ---- built anew ---- */

/* Take over what other has, so that callers' pointers to c stay good; other is gone. */
static void
become(struct catalog *c, struct catalog *other)
{
	struct catalog tmp = *c;

	*c = *other;
	*other = tmp;
	catalog_db_moved(c);
	catalog_db_moved(other);
	catalog_close(other);
}

static int
rebuild_under(struct catalog *c, struct repo *r, const struct catalog_accept *a, struct err *e)
{
	struct catalog *fresh = NULL;

	if (catalog_rebuild_all(r, a, e) != 0 || catalog_open_file(&fresh, r, true, e) != 0)
		return -1;
	become(c, fresh);
	return 0;
}

static int
follow(struct plan *p, struct catalog *c, struct repo *r, const struct catalog_accept *a,
    struct err *e)
{
	if (make_plan(p, c, r, a, e) != 0)
		return -1;
	for (size_t i = 0; p->anew == NULL && i < p->n; i++)
		if (do_step(c, &p->steps[i], e) != 0)
			return -1;
	if (p->anew == NULL && p->missing != NULL)
		return catalog_rebuild_missing(c, r, a, e);
	return 0;
}

int
catalog_sync_accepted(
    struct catalog *c, struct repo *r, const struct catalog_accept *a, struct err *e)
{
	struct plan p = {0};
	struct err why = {0};
	int rc = follow(&p, c, r, a, &why);

	free(p.steps);
	if (rc != 0 && why.kind == ERR_CORRUPT)
		p.anew = why.msg;
	if (p.anew != NULL) {
		log_verbose("%s: the catalog is built anew: %s", repo_dir(r), p.anew);
		return rebuild_under(c, r, a, e);
	}
	return rc == 0 ? 0 : err_pass(e, &why);
}

int
catalog_sync(struct catalog *c, struct repo *r, const struct repo_list *l, struct err *e)
{
	struct catalog_accept a;
	int rc = catalog_accept_list(l, &a, e);

	if (rc == 0)
		rc = catalog_sync_accepted(c, r, &a, e);
	free(a.v);
	return rc;
}

int
catalog_update(struct repo *r, const struct repo_list *l, struct err *e)
{
	struct catalog *c = NULL;
	int rc = catalog_open_write(&c, r, e);

	if (rc == 0)
		rc = catalog_sync(c, r, l, e);
	catalog_close(c);
	return rc;
}
