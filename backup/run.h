/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKUP_RUN_H
#define BACKUP_RUN_H

#include "cli/cli.h"

struct backup_opts;
struct err;

/*
 * One backup, from the options to the sealed set and its place in the catalog.  Prints the
 * result.  0 and *status (OK, or WRONG: sealed, but incomplete, or changed with
 * --strict-changed); or -1, and then nothing of this run is left in the repository,
 * except that after a failed commit the next run may find and finish it.
 */
int backup_run(const struct backup_opts *opts, enum cli_status *status, struct err *e);

#endif
