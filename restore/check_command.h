/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RESTORE_CHECK_COMMAND_H
#define RESTORE_CHECK_COMMAND_H

#include <stddef.h>

struct err;

/*
 * Run a command of the user's by /bin/sh in the directory dirfd: no input, its output on our
 * standard error, umask 077.  Nothing of what it has started is left afterwards, in whatever
 * process group or session.
 *
 * 1: it succeeded; 0: it did not, and why says how it ended; -1: it could not be run, or a stop was
 * asked for, which ends it too.
 */
int check_command(const char *command, int dirfd, char *why, size_t why_size, struct err *e);

#endif
