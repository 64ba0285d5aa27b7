/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/held.h"
#include "backup/older.h"
#include "backup/opts.h"
#include "backup/run_impl.h"

void
sharing_decide(struct run *r)
{
	uint64_t every = r->o->physical_every;

	if (every == 1)
		return;
	r->block = repo_share_block(r->repo);
	r->share =
	    r->block > 0 && held_sequence(&r->list, r->o->series, r->o->is_unsigned) % every != 0;
}

/* Where all members are padded, the archive is too: one that is not was made elsewhere. */
bool
sharing_is_worth_it(const struct run *r)
{
	const struct repo_backup *last = repo_newest(&r->list, r->o->series, r->o->is_unsigned);

	return r->block > 0 && r->o->reuse != OLDER_NONE && last != NULL &&
	    last->state == REPO_TRUSTED && last->seal.archive_size % r->block == 0;
}
