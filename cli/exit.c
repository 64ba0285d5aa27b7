/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "core/progress.h"
#include "core/stop.h"

enum cli_status
cli_status_of(const struct err *e)
{
	switch (e != NULL ? e->kind : ERR_NONE) {
	case ERR_NONE:
		return CLI_OK;
	case ERR_USAGE:
		return CLI_USAGE;
	case ERR_NOTFOUND:
		return CLI_WRONG;
	case ERR_LOCKED:
		return CLI_LOCKED;
	case ERR_TRUST:
		return CLI_UNTRUSTED;
	case ERR_SYS:
	case ERR_CORRUPT:
	case ERR_UNSUPPORTED:
	case ERR_STOPPED:
		break;
	}
	return CLI_FAILED;
}

static void
print_error(const char *program, const char *message)
{
	struct buf line = {0};

	path_display(&line, message, strlen(message));
	progress_hide();
	/* Out of memory: better raw than not at all. */
	(void)fprintf(stderr, "%s: %s\n", program, line.failed ? message : buf_str(&line));
	buf_done(&line);
}

/* Has who read our output gone away?  That is his own choice, and no news to him. */
static bool
reader_gone(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

/*
 * 0, or the errno of what went wrong, or -1 where that is gone: an earlier
 * failure is sticky in the stream, its errno is not.  The close counts too: NFS
 * tells of a full disk there.
 */
static int
close_stdout(void)
{
	bool failed_before = ferror(stdout) != 0;

	if (fflush(stdout) != 0) {
		int sys = errno;
		(void)fclose(stdout);
		return sys;
	}
	if (fclose(stdout) != 0)
		return errno;
	return failed_before ? -1 : 0;
}

static bool
finish_stdout(const char *program)
{
	bool gone = reader_gone();
	int sys = close_stdout();
	struct err e = {0};

	if (sys == 0)
		return true;
	errno = sys;
	if (sys < 0)
		(void)err_set(&e, ERR_SYS, "standard output: not all could be written");
	else if (sys == EBADF)
		(void)err_set(&e, ERR_SYS, "standard output is closed");
	else
		(void)err_sys(&e, "standard output");
	if (!gone)
		print_error(program, e.msg);
	return false;
}

int
cli_exit_status(const struct err *e, enum cli_status status)
{
	if (e == NULL || e->kind == ERR_NONE)
		return (int)status;
	if (e->kind == ERR_STOPPED && stop_signal() != 0)
		return 128 + stop_signal();
	return (int)cli_status_of(e);
}

int
cli_exit(const char *program, const struct err *e, enum cli_status status)
{
	int rc = cli_exit_status(e, status);

	if (e != NULL && e->kind != ERR_NONE)
		print_error(program, e->msg);
	/* A full disk behind stdout does not make a damaged backup a sound one. */
	if (!finish_stdout(program) && (rc == CLI_OK || rc == CLI_WRONG))
		rc = (int)CLI_FAILED;
	return rc;
}
