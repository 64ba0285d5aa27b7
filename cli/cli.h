/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stddef.h>

struct err;
struct opt_common;

/* What all four mains do first and last. */

/*
 * Locale (LC_ALL C.UTF-8 for ctype, C else), umask 077, stdin/stdout/stderr open (on /dev/null
 * else), SIGPIPE ignored, SIGINT and SIGTERM and SIGHUP as stop requests (a second one ends the
 * process at once), RLIMIT_NOFILE raised to its hard limit.
 */
void cli_init(const char *program);
/* After options: log level. */
void cli_apply(const char *program, const struct opt_common *common);

enum cli_status {
	CLI_OK = 0,
	CLI_WRONG = 1, /* done, and something is wrong */
	CLI_USAGE = 2,
	CLI_FAILED = 3,
	CLI_LOCKED = 4,
	CLI_UNTRUSTED = 5,
};
/*
 * The exit status, after printing the error, if e holds one, as one line "PROGRAM: message".
 * status: what a run without error found.  Flushes stdout: a failure there (closed, full) is an
 * error too.
 */
int cli_exit(const char *program, const struct err *e, enum cli_status status);
enum cli_status cli_status_of(const struct err *e);

extern const char tarseal_version[]; /* "0.1.0" */

#endif
