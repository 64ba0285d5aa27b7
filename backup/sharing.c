/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/held.h"
#include "backup/opts.h"
#include "backup/run_impl.h"
#include "core/log.h"

void
sharing_decide(struct run *r)
{
	uint64_t every = r->o->physical_every;

	if (every == 1)
		return;
	r->block = repo_share_block(r->repo);
	if (r->block == 0)
		return;
	r->share = held_sequence(&r->list, r->o->series, r->o->is_unsigned) % every != 0;
	if (!r->share)
		log_verbose("written without sharing blocks, as one backup in %llu is",
		    (unsigned long long)every);
}
