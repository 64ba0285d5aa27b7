/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/opts.h"
#include "backup/run.h"
#include "cli/cli.h"
#include "core/err.h"

int
main(int argc, char **argv)
{
	enum cli_status status = CLI_OK;
	struct backup_opts opts;
	struct err e = {0};

	cli_init("backup");
	if (backup_opts_parse(&opts, argc, argv, &e) == 0) {
		cli_apply("backup", &opts.common);
		(void)backup_run(&opts, &status, &e);
	}
	backup_opts_done(&opts);
	return cli_exit("backup", &e, status);
}
