/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four programs in one, for the image: the name by which it is called says which.
 *
 * Linked without shared libraries each of them is 7 MB, nearly all of it the same libraries.  The
 * Makefile links the programs' own mains, under the names below, with this one.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

int backup_main(int argc, char **argv);
int verify_main(int argc, char **argv);
int restore_main(int argc, char **argv);
int manifest_main(int argc, char **argv);

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} programs[] = {
    {"backup", backup_main},
    {"verify", verify_main},
    {"restore", restore_main},
    {"manifest", manifest_main},
};

int
main(int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "";
	const char *slash = strrchr(name, '/');
	size_t i;

	if (slash != NULL)
		name = slash + 1;
	for (i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (strcmp(name, programs[i].name) == 0)
			return programs[i].main(argc, argv);
	}
	(void)fputs("call this as backup, verify, restore, or manifest\n", stderr);
	return CLI_USAGE;
}
