/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stddef.h>

struct err;
struct opt_common;

/* What all four mains do first and last. */

/*
 * Locale (LC_ALL C.UTF-8 for ctype, C else), umask 077, stdin/stdout/stderr open (on /dev/null
 * else; a closed stdout so that writing to it fails, and cli_exit tells), SIGPIPE and
 * SIGXFSZ ignored, SIGINT and SIGTERM and SIGHUP as stop requests (SIGINT and SIGHUP not where
 * they came ignored: nohup, & in scripts), RLIMIT_NOFILE raised to its hard limit.
 *
 * A second signal ends the process at once with status 128+n, but not within 0.2 s of the first:
 * timeout(1) and terminals send the same one twice.  All that works as process 1 as well, where
 * the kernel drops signals without a handler.
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
 * status: what a run without error found.  Flushes and closes stdout: a failure there (closed,
 * full) is an error too; a reader that went away (EPIPE) gives the status without a message.
 * e may be NULL.  Call it once, last.
 */
int cli_exit(const char *program, const struct err *e, enum cli_status status);
/* What cli_exit will return for these, standard output aside: for reports. */
int cli_exit_status(const struct err *e, enum cli_status status);
/* The status for a kind of error; ERR_STOPPED is CLI_FAILED here, 128+n comes from cli_exit. */
enum cli_status cli_status_of(const struct err *e);

extern const char tarseal_version[]; /* "0.1.0" */

#endif
