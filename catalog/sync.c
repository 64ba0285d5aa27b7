/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/index.h"
#include "catalog/open.h"
#include "catalog/verification.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "store/repo.h"

/* What of a list belongs into a catalog: pointers into it, by series, then sequence. */
struct accepted {
	struct place {
		const struct seal *seal;
	} * v;
	size_t n;
};

struct candidate {
	const struct repo_backup *b;
};

static int
by_series(const void *pa, const void *pb)
{
	const struct repo_backup *a = ((const struct candidate *)pa)->b;
	const struct repo_backup *b = ((const struct candidate *)pb)->b;
	int order = strcmp(a->seal.series, b->seal.series);

	if (order != 0)
		return order;
	if (a->seal.sequence != b->seal.sequence)
		return a->seal.sequence < b->seal.sequence ? -1 : 1;
	/* Of two that claim one place the trusted one stays, then the first by name. */
	if (a->state != b->state)
		return a->state == REPO_TRUSTED ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool
same_place(const struct seal *a, const struct seal *b)
{
	return a->sequence == b->sequence && strcmp(a->series, b->series) == 0;
}

static void
take_each_place_once(const struct candidate *v, size_t n, struct accepted *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct seal *s = &v[i].b->seal;

		if (s->sequence < 1 || s->sequence > INT64_MAX ||
		    (out->n > 0 && same_place(out->v[out->n - 1].seal, s)))
			log_verbose("%s: its sequence %llu is another's or out of bounds; left out",
			    s->name, (unsigned long long)s->sequence);
		else
			out->v[out->n++].seal = s;
	}
}

static int
accept_all(const struct repo_list *l, struct accepted *out, struct err *e)
{
	struct candidate *v = calloc(l->n + 1, sizeof(*v));
	size_t n = 0;

	out->v = calloc(l->n + 1, sizeof(*out->v));
	out->n = 0;
	if (v == NULL || out->v == NULL) {
		free(v);
		return err_nomem(e);
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->backups[i].state == REPO_TRUSTED || l->backups[i].state == REPO_UNSIGNED)
			v[n++].b = &l->backups[i];
	qsort(v, n, sizeof(*v), by_series);
	take_each_place_once(v, n, out);
	free(v);
	return 0;
}

static bool
is_same(const struct catalog_backup *b, const struct seal *s)
{
	return b->sequence == s->sequence && strcmp(b->series_name, s->series) == 0 &&
	    strcmp(b->name, s->name) == 0 && memcmp(b->digest, s->text_digest, SHA256_LEN) == 0;
}

/*
 * 1: the catalog has these backups and no other; 0: it lacks some that come after all
 * that it has of their series; 2: else. -1.
 */
enum agreement { BEHIND = 0, AGREES = 1, DIFFERS = 2 };

static int
agreement(struct catalog *c, const struct accepted *a, struct err *e)
{
	size_t i = 0;
	bool behind = false;

	if (catalog_db_load(c, e) != 0)
		return -1;
	for (size_t k = 0; k < a->n; k++) {
		const struct seal *s = a->v[k].seal;

		if (i < c->n_backups && is_same(&c->backups[i], s)) {
			i++;
			continue;
		}
		if (i < c->n_backups && strcmp(c->backups[i].series_name, s->series) == 0)
			return DIFFERS;
		behind = true;
	}
	return i < c->n_backups ? DIFFERS : behind ? BEHIND : AGREES;
}

static bool
has(const struct catalog *c, const struct seal *s)
{
	for (size_t i = 0; i < c->n_backups; i++)
		if (is_same(&c->backups[i], s))
			return true;
	return false;
}

/* c is empty or BEHIND: index what it lacks. */
static int
index_missing(struct catalog *c, struct repo *r, const struct accepted *a, struct err *e)
{
	for (size_t i = 0; i < a->n; i++) {
		if (stop_check(e) != 0 || catalog_db_load(c, e) != 0)
			return -1;
		if (!has(c, a->v[i].seal) && catalog_index_lenient(c, r, a->v[i].seal, e) != 0)
			return -1;
	}
	return 0;
}

static int
rebuild(struct repo *r, const struct accepted *a, struct err *e)
{
	struct catalog *new = NULL, *old = NULL;
	struct err why = {0};

	/* Writable, so that what a crash left is rolled back and its history can be read. */
	if (catalog_open_file(&old, r, true, &why) != 0 && why.kind == ERR_UNSUPPORTED) {
		if (e != NULL)
			*e = why;
		return -1;
	}
	if (old != NULL)
		old->guarded = true;
	if (catalog_open_new(&new, r, e) != 0) {
		catalog_close(old);
		return -1;
	}
	if (index_missing(new, r, a, e) != 0 || catalog_verification_copy(new, old, e) != 0) {
		catalog_close(old);
		catalog_open_discard(new, r);
		return -1;
	}
	catalog_close(old);
	return catalog_open_publish(new, r, e);
}

int
catalog_rebuild(struct repo *r, const struct repo_list *l, struct err *e)
{
	struct accepted a;
	int rc = accept_all(l, &a, e);

	if (rc == 0)
		rc = rebuild(r, &a, e);
	free(a.v);
	return rc;
}

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
rebuild_under(struct catalog *c, struct repo *r, const struct accepted *a, struct err *e)
{
	struct catalog *fresh = NULL;

	if (rebuild(r, a, e) != 0 || catalog_open_file(&fresh, r, true, e) != 0)
		return -1;
	become(c, fresh);
	return 0;
}

/* Has a manifest come back that could not be read when it was indexed? */
static bool
any_came_back(const struct catalog *c, struct repo *r, const struct accepted *a)
{
	/* In step: a has the same backups, and maybe more at the end of a series. */
	for (size_t i = 0, k = 0; i < c->n_backups && k < a->n; k++) {
		if (!is_same(&c->backups[i], a->v[k].seal))
			continue;
		if (!c->backups[i++].readable && catalog_index_readable(r, a->v[k].seal))
			return true;
	}
	return false;
}

static int
sync_accepted(struct catalog *c, struct repo *r, const struct accepted *a, struct err *e)
{
	struct err why = {0};
	int rc = agreement(c, a, &why);

	if (rc >= 0 && rc != DIFFERS && any_came_back(c, r, a))
		rc = DIFFERS;
	if (rc == AGREES)
		return 0;
	if (rc == BEHIND && index_missing(c, r, a, &why) == 0)
		return 0;
	if (rc == DIFFERS || why.kind == ERR_CORRUPT) {
		log_verbose("%s: the catalog is built anew%s%s", repo_dir(r),
		    why.kind == ERR_CORRUPT ? ": " : "", why.msg);
		return rebuild_under(c, r, a, e);
	}
	if (e != NULL)
		*e = why;
	return -1;
}

int
catalog_sync(struct catalog *c, struct repo *r, const struct repo_list *l, struct err *e)
{
	struct accepted a;
	int rc = accept_all(l, &a, e);

	if (rc == 0)
		rc = sync_accepted(c, r, &a, e);
	free(a.v);
	return rc;
}

/* ---- for queries ---- */

/* 0 and *out: the repository's catalog as it stands is the right one. */
static int
open_if_right(struct catalog **out, struct repo *r, const struct accepted *a, struct err *e)
{
	struct catalog *c = NULL;
	int rc;

	if (catalog_open_file(&c, r, false, e) != 0)
		return -1;
	rc = agreement(c, a, e);
	if (rc == AGREES) {
		*out = c;
		return 0;
	}
	catalog_close(c);
	return rc < 0 ? -1 : err_set(e, ERR_CORRUPT, "the catalog is not up to date");
}

/*
 * Under a lock of its own, which goes with the handle: a query that somebody reads page by
 * page must not keep the night's backup out.
 */
static int
bring_up_to_date(struct repo *r, const struct accepted *a, struct err *e)
{
	struct repo *mine = NULL;
	struct catalog *c = NULL;
	int rc = -1;

	if (repo_open(&mine, repo_dir(r), e) != 0)
		return -1;
	if (repo_lock(mine, 0, e) == 0 && catalog_open_write(&c, mine, e) == 0)
		rc = sync_accepted(c, mine, a, e);
	catalog_close(c);
	repo_close(mine);
	return rc;
}

static int
open_temporary(struct catalog **out, struct repo *r, const struct accepted *a, struct err *e)
{
	struct catalog *c = NULL;

	if (catalog_open_temp(&c, e) != 0)
		return -1;
	if (index_missing(c, r, a, e) != 0) {
		catalog_close(c);
		return -1;
	}
	*out = c;
	return 0;
}

static int
open_accepted(struct catalog **out, struct repo *r, const struct accepted *a, struct err *e)
{
	struct err why = {0};

	if (open_if_right(out, r, a, &why) == 0)
		return 0;
	if (stop_check(e) != 0)
		return -1;
	log_verbose("%s: %s", repo_dir(r), why.msg);
	if (repo_writable(r) && why.kind != ERR_UNSUPPORTED) {
		err_clear(&why);
		if (bring_up_to_date(r, a, &why) == 0 && open_if_right(out, r, a, &why) == 0)
			return 0;
		if (stop_check(e) != 0)
			return -1;
		log_verbose("%s: %s", repo_dir(r), why.msg);
	}
	log_verbose("%s: asking the manifests themselves", repo_dir(r));
	return open_temporary(out, r, a, e);
}

int
catalog_open_query(struct catalog **out, struct repo *r, const struct repo_list *l, struct err *e)
{
	struct accepted a;
	int rc = accept_all(l, &a, e);

	if (rc == 0)
		rc = open_accepted(out, r, &a, e);
	free(a.v);
	return rc;
}

int
catalog_open_manifests(
    struct catalog **out, struct repo *r, const struct repo_list *l, struct err *e)
{
	struct accepted a;
	int rc = accept_all(l, &a, e);

	if (rc == 0)
		rc = open_temporary(out, r, &a, e);
	free(a.v);
	return rc;
}
