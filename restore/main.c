/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"
#include "core/err.h"
#include "restore/opts.h"
#include "restore/run.h"

int
main(int argc, char **argv)
{
	struct restore_opts o;
	enum cli_status status = CLI_OK;
	struct err e = {0};

	cli_init("restore");
	if (restore_opts_parse(&o, argc, argv, &e) == 0) {
		cli_apply("restore", &o.common);
		status = restore_run(&o, &e);
	}
	restore_opts_done(&o);
	return cli_exit("restore", &e, status);
}
