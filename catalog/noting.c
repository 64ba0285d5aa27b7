/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/noting.h"

#include "catalog/catalog.h"
#include "core/err.h"
#include "store/repo.h"

/*
 * Looked at first without the right to write: one that is open for writing would be made or
 * replaced.
 */
static int
is_there(struct repo *r, struct err *e)
{
	struct catalog *c = NULL;
	int rc = catalog_open_history(&c, r, e);

	catalog_close(c);
	return rc;
}

int
catalog_open_noting(struct catalog **out, struct repo *r, uint64_t wait_seconds, struct err *e)
{
	if (!repo_writable(r))
		return err_set(e, ERR_SYS, "the repository cannot be written to");
	if (is_there(r, e) < 0 || repo_lock(r, wait_seconds, e) < 0)
		return -1;
	if (catalog_open_write(out, r, e) == 0)
		return 0;
	repo_unlock(r);
	return -1;
}

void
catalog_close_noting(struct catalog *c, struct repo *r)
{
	catalog_close(c);
	repo_unlock(r);
}
