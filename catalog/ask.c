/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "catalog/accept.h"
#include "catalog/catalog.h"
#include "catalog/open.h"
#include "catalog/rebuild.h"
#include "catalog/sync.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "store/repo.h"

/* Which database a query asks: the repository's, or a temporary one. */

/* 0 and *out: the repository's catalog as it stands is the right one. */
static int
open_if_right(struct catalog **out, struct repo *r, const struct catalog_accept *a, struct err *e)
{
	struct catalog *c = NULL;
	int rc;

	if (catalog_open_file(&c, r, false, e) != 0)
		return -1;
	rc = catalog_sync_agrees(c, a, e);
	if (rc == 1) {
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
bring_up_to_date(struct repo *r, const struct catalog_accept *a, struct err *e)
{
	struct repo *mine = NULL;
	struct catalog *c = NULL;
	int rc = -1;

	if (repo_open(&mine, repo_dir(r), e) != 0)
		return -1;
	if (repo_lock(mine, 0, e) == 0 && catalog_open_write(&c, mine, e) == 0)
		rc = catalog_sync_accepted(c, mine, a, e);
	catalog_close(c);
	repo_close(mine);
	return rc;
}

static int
open_temporary(struct catalog **out, struct repo *r, const struct catalog_accept *a, struct err *e)
{
	struct catalog *c = NULL;

	if (catalog_open_temp(&c, e) != 0)
		return -1;
	if (catalog_rebuild_missing(c, r, a, e) != 0) {
		catalog_close(c);
		return -1;
	}
	*out = c;
	return 0;
}

static int
open_accepted(struct catalog **out, struct repo *r, const struct catalog_accept *a, struct err *e)
{
	struct err why = {0};

	if (open_if_right(out, r, a, &why) == 0)
		return 0;
	if (stop_check(e) != 0)
		return -1;
	/* Nothing mends this one but its owner, and until then each question is slow. */
	if (why.kind == ERR_UNSUPPORTED)
		log_note("%s: %s", repo_dir(r), why.msg);
	else
		log_verbose("%s: %s", repo_dir(r), why.msg);
	/* A catalog of nothing is not worth a file in what may not even be a repository. */
	if (a->n == 0 && why.kind == ERR_NOTFOUND)
		return open_temporary(out, r, a, e);
	/* Who waited for it once need not wait again. */
	if (repo_writable(r) && why.kind != ERR_UNSUPPORTED && why.kind != ERR_LOCKED) {
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
	struct catalog_accept a;
	int rc = catalog_accept_list(l, &a, e);

	if (rc == 0)
		rc = open_accepted(out, r, &a, e);
	free(a.v);
	return rc;
}

int
catalog_open_manifests(
    struct catalog **out, struct repo *r, const struct repo_list *l, struct err *e)
{
	struct catalog_accept a;
	int rc = catalog_accept_list(l, &a, e);

	if (rc == 0)
		rc = open_temporary(out, r, &a, e);
	free(a.v);
	return rc;
}
