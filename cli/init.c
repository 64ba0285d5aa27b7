/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/opt.h"
#include "cli/priv.h"
#include "core/log.h"

/*
 * A repository file must never get a standard descriptor's number: a stray
 * message would be written into it.  The lowest free number is taken by open(2),
 * so filling from 0 upwards hits the right ones.  stdout is opened for reading
 * only: results that nobody can get are an error, not a success.
 */
static void
fill_std_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY);
}

static void
raise_nofile(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

void
cli_init(const char *program)
{
	fill_std_fds();
	/* wcwidth(3) needs UTF-8 for columns of names; messages and numbers stay those of C. */
	(void)setlocale(LC_ALL, "C");
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)umask(077);
	raise_nofile();
	log_init(program, LOG_NORMAL);
	cli_signal_install();
}

void
cli_apply(const char *program, const struct opt_common *common)
{
	log_init(program, common->quiet ? LOG_QUIET : common->verbose ? LOG_VERBOSE : LOG_NORMAL);
}
