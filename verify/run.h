/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VERIFY_RUN_H
#define VERIFY_RUN_H

#include <stdio.h>

#include "cli/cli.h"

struct err;
struct verify_opts;

/*
 * All that verify does, reported to out.  The status tells what was found; *e is set
 * when it could not be done, or not to the end.
 */
enum cli_status verify_run(const struct verify_opts *o, FILE *out, struct err *e);

#endif
