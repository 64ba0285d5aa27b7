/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "backup/held.h"
#include "backup/opts.h"
#include "backup/run_impl.h"
#include "core/err.h"
#include "pack/maker.h"

int
describe_run(struct run *r, struct err *e)
{
	struct seal *s = &r->seal;

	(void)snprintf(s->series, sizeof(s->series), "%s", r->o->series);
	s->created = r->started;
	/* A seal cannot say it: better now than after hours of packing. */
	if (s->created.tv_sec < 0)
		return err_set(
		    e, ERR_SYS, "the clock of this machine is before 1970: set it first");
	if (r->o->run_id != NULL && (s->run_id = strdup(r->o->run_id)) == NULL)
		return err_nomem(e);
	if (maker_fill(s, r->source, (int)r->o->compression, e) != 0)
		return -1;
	if (held_check_numbers(&r->list, s->series, r->o->is_unsigned, e) != 0)
		return -1;
	s->sequence = held_sequence(&r->list, s->series, r->o->is_unsigned);
	return repo_free_name(r->repo, s->series, s->created.tv_sec, s->name, e);
}
