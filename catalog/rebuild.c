/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/rebuild.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/accept.h"
#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "catalog/index.h"
#include "catalog/open.h"
#include "catalog/verification.h"
#include "core/err.h"
#include "core/stop.h"

static bool
has(const struct catalog *c, const struct seal *s)
{
	for (size_t i = 0; i < c->n_backups; i++)
		if (memcmp(c->backups[i].digest, s->text_digest, SHA256_LEN) == 0)
			return true;
	return false;
}

int
catalog_rebuild_missing(
    struct catalog *c, struct repo *r, const struct catalog_accept *a, struct err *e)
{
	for (size_t i = 0; i < a->n; i++) {
		if (stop_check(e) != 0 || catalog_backups_load(c, e) != 0)
			return -1;
		if (!has(c, a->v[i].seal) && catalog_index_lenient(c, r, a->v[i].seal, e) != 0)
			return -1;
	}
	return 0;
}

int
catalog_rebuild_all(struct repo *r, const struct catalog_accept *a, struct err *e)
{
	struct catalog *new = NULL, *old = NULL;
	struct err why = {0};

	/* Writable, so that what a crash left is rolled back and its history can be read. */
	if (catalog_open_file(&old, r, true, &why) != 0 && why.kind == ERR_UNSUPPORTED)
		return err_pass(e, &why);
	if (old != NULL)
		old->guarded = true;
	if (catalog_open_new(&new, r, e) != 0) {
		catalog_close(old);
		return -1;
	}
	if (catalog_rebuild_missing(new, r, a, e) != 0 ||
	    catalog_verification_copy(new, old, e) != 0) {
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
	struct catalog_accept a;
	int rc = catalog_accept_list(l, &a, e);

	if (rc == 0)
		rc = catalog_rebuild_all(r, &a, e);
	free(a.v);
	return rc;
}
