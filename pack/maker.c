/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/member.h"
#include "cli/cli.h"
#include "core/err.h"
#include "seal/seal.h"

static int
set_string(char **to, const char *s, struct err *e)
{
	free(*to);
	*to = strdup(s);
	return *to == NULL ? err_nomem(e) : 0;
}

int
maker_fill(struct seal *s, const char *source, int level, struct err *e)
{
	char host[256] = "-", packer[64], tool[64];

	(void)gethostname(host, sizeof(host) - 1);
	member_packer_name(level, packer);
	(void)snprintf(tool, sizeof(tool), "tarseal %s", tarseal_version);
	if (set_string(&s->source, source, e) != 0 || set_string(&s->host, host, e) != 0 ||
	    set_string(&s->tool, tool, e) != 0)
		return -1;
	return set_string(&s->packer, packer, e);
}
