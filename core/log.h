/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_LOG_H
#define CORE_LOG_H

/*
 * Messages to the operator, on stderr, one line each, "PROGRAM: warning: ...".
 * Outside bytes are escaped here (path_display).  Safe from any thread; a line
 * never mixes with a progress line.  Errors that end the program go through
 * cli_exit() instead.
 */
enum log_level { LOG_QUIET = -1, LOG_NORMAL = 0, LOG_VERBOSE = 1 };

void log_init(const char *program, enum log_level level);
enum log_level log_get_level(void);
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* always, counted */
void log_note(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* unless -q */
void log_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* only with -v */
unsigned long log_warnings(void);
/*
 * For progress.c, and who else writes to stderr: between these two no message and
 * no progress comes.  progress_erase() first; not to be held for long.
 */
void log_lock(void);
void log_unlock(void);

#endif
