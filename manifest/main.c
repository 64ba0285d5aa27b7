/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"
#include "manifest/cmd.h"

int
main(int argc, char **argv)
{
	cli_init("manifest");
	return cmd_main(argc, argv);
}
