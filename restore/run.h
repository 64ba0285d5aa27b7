/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_RUN_H
#define RESTORE_RUN_H

#include "cli/cli.h"

struct err;
struct restore_opts;

/* The whole restore.  What it found, or *e. */
enum cli_status restore_run(const struct restore_opts *o, struct err *e);

#endif
