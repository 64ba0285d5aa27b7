/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "cli/cli.h"
#include "core/err.h"
#include "verify/opts.h"
#include "verify/run.h"

int
main(int argc, char **argv)
{
	struct verify_opts o;
	enum cli_status status = CLI_OK;
	struct err e = {0};

	cli_init("verify");
	if (verify_opts_parse(&o, argc, argv, &e) == 0) {
		cli_apply("verify", &o.common);
		status = verify_run(&o, stdout, &e);
	}
	verify_opts_done(&o);
	return cli_exit("verify", &e, status);
}
