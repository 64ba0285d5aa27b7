/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/member.h"
#include "backup/held.h"
#include "backup/opts.h"
#include "backup/run_impl.h"
#include "cli/cli.h"
#include "core/err.h"

static int
set_string(char **to, const char *s, struct err *e)
{
	*to = strdup(s);
	return *to == NULL ? err_nomem(e) : 0;
}

int
describe_run(struct run *r, struct err *e)
{
	char host[256] = "-", packer[64], tool[64];
	struct seal *s = &r->seal;

	(void)gethostname(host, sizeof(host) - 1);
	member_packer_name((int)r->o->compression, packer);
	(void)snprintf(tool, sizeof(tool), "tarseal %s", tarseal_version);
	(void)snprintf(s->series, sizeof(s->series), "%s", r->o->series);
	s->created = r->started;
	if (s->created.tv_sec <
	    0) /* a seal cannot say it: better now than after hours of packing */
		return err_set(
		    e, ERR_SYS, "the clock of this machine is before 1970: set it first");
	if (r->o->run_id != NULL && set_string(&s->run_id, r->o->run_id, e) != 0)
		return -1;
	if (set_string(&s->source, r->source, e) != 0 || set_string(&s->host, host, e) != 0 ||
	    set_string(&s->tool, tool, e) != 0 || set_string(&s->packer, packer, e) != 0)
		return -1;
	s->sequence = held_sequence(&r->list, s->series, r->o->is_unsigned);
	return repo_free_name(r->repo, s->series, s->created.tv_sec, s->name, e);
}
