/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_STATUS_H
#define RESTORE_STATUS_H

#include "cli/cli.h"

struct err;
struct restore_opts;

/* --status: in which state a target is.  CLI_WRONG when a restore into it was cut short, or is
 * going on. */
enum cli_status status_show(const struct restore_opts *o, struct err *e);

#endif
