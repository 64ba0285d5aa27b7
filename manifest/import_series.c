/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_series.h"

#include <string.h>

#include "core/err.h"
#include "core/log.h"
#include "manifest/import_make.h"
#include "manifest/import_order.h"
#include "seal/seal.h"
#include "store/holding.h"
#include "store/repo.h"

/* ---- who is there ---- */

static bool
counts(const struct import_run *r, const struct repo_backup *b, const char *series)
{
	return repo_counts(b, series, r->key == NULL);
}

/* The newest backup of the series, whether it counts or not; NULL: none. */
static const struct repo_backup *
newest_of(const struct repo_list *l, const char *series)
{
	const struct repo_backup *newest = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];
		if (b->state != REPO_BAD && strcmp(b->seal.series, series) == 0 &&
		    (newest == NULL || b->seal.sequence > newest->seal.sequence))
			newest = b;
	}
	return newest;
}

int
import_series_ok(const struct import_run *r, const char *series, struct err *e)
{
	const struct repo_backup *newest = newest_of(&r->list, series);

	if (newest == NULL)
		return 0;
	if (r->key == NULL && newest->seal.is_signed)
		return err_set(e, ERR_TRUST,
		    "backup %s is signed: --unsigned cannot add to series %s (--key FILE)",
		    newest->name, series);
	if (counts(r, newest, series))
		return 0;
	return err_set(e, ERR_TRUST,
	    "backup %s, the newest of series %s, %s: it cannot be sealed anew to hold others "
	    "(--trust FILE names further keys)",
	    newest->name, series,
	    newest->state == REPO_UNSIGNED ? "is not signed"
					   : "is not signed by a key that is trusted");
}

int
import_series_reload(struct import_run *r, struct err *e)
{
	repo_list_done(&r->list);
	return repo_list(r->repo, r->trust, &r->list, e);
}

/* ---- held ---- */

int
import_series_fill(const struct import_run *r, struct seal *s, struct err *e)
{
	const struct repo_list *l = &r->list;

	for (size_t i = 0; i < l->n; i++) {
		const struct repo_backup *b = &l->backups[i];
		if (counts(r, b, s->series) && b->seal.sequence < s->sequence &&
		    holding_at(s, b->seal.sequence) == NULL && seal_add_hold(s, &b->seal, e) != 0)
			return -1;
	}
	return 0;
}

/* How many imported ones s lacks; they are added to it. */
static int
add_missing(const struct import_run *r, struct seal *s, size_t *n, struct err *e)
{
	*n = 0;
	for (size_t i = 0; i < r->list.n; i++) {
		const struct repo_backup *b = &r->list.backups[i];
		if (!counts(r, b, s->series) || b->seal.sequence >= s->sequence ||
		    !import_order_made(b) || holding_at(s, b->seal.sequence) != NULL)
			continue;
		if (seal_add_hold(s, &b->seal, e) != 0)
			return -1;
		(*n)++;
	}
	return 0;
}

int
import_series_hold(struct import_run *r, const char *series, struct err *e)
{
	const struct repo_backup *newest = newest_of(&r->list, series);
	struct repo_backup whole = {0};
	size_t n = 0;

	if (newest == NULL || !counts(r, newest, series))
		return 0;
	if (repo_read_seal(r->repo, newest->name, r->trust, &whole, e) != 0)
		return -1;
	int rc = whole.state == REPO_BAD
	    ? err_set(e, ERR_CORRUPT, "backup %s: %s", newest->name, whole.why->msg)
	    : add_missing(r, &whole.seal, &n, e);
	if (rc == 0 && n > 0 && (rc = repo_reseal(r->repo, &whole.seal, r->key, e)) == 0)
		log_verbose("backup %s is sealed anew: it holds %zu more", newest->name, n);
	repo_backup_done(&whole);
	return rc != 0 || n == 0 ? rc : import_series_reload(r, e);
}
