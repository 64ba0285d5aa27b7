/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/opt.h"
#include "core/log.h"
#include "tests/unit/child.h"

static int
in_child(int (*fn)(void *))
{
	struct child c;

	child_run(&c, fn, NULL);
	return c.status;
}

static int
look_at_process(void *ctx)
{
	struct rlimit rl;

	(void)ctx;
	if (getrlimit(RLIMIT_NOFILE, &rl) != 0)
		return 1;
	rl.rlim_cur = 64;
	if (setrlimit(RLIMIT_NOFILE, &rl) != 0)
		return 2;
	cli_init("x");
	if (getrlimit(RLIMIT_NOFILE, &rl) != 0 || rl.rlim_cur != rl.rlim_max)
		return 3;
	if (umask(0) != 077)
		return 4;
	if (strcmp(setlocale(LC_CTYPE, NULL), "C.UTF-8") != 0)
		return 5;
	if (strcmp(setlocale(LC_NUMERIC, NULL), "C") != 0)
		return 6;
	return raise(SIGPIPE);
}

static void
locale_umask_limits_and_sigpipe_are_set(void **state)
{
	(void)state;
	assert_int_equal(in_child(look_at_process), 0);
}

static int
open_without_std_fds(void *ctx)
{
	(void)ctx;
	(void)close(0);
	(void)close(1);
	(void)close(2);
	cli_init("x");
	if (write(1, "x", 1) == 1)
		return 1;
	return open("/dev/null", O_RDONLY) > 2 ? 0 : 2;
}

static void
a_file_never_gets_a_standard_descriptors_number(void **state)
{
	(void)state;
	assert_int_equal(in_child(open_without_std_fds), 0);
}

static int
log_everything(void *ctx)
{
	const struct opt_common *common = ctx;

	cli_init("x");
	cli_apply("x", common);
	log_verbose("verbose");
	log_note("note");
	log_warn("warn");
	return 0;
}

static void
the_level_of_messages_follows_the_options(void **state)
{
	struct opt_common q = {.quiet = true}, n = {0}, v = {.verbose = true};
	struct child c;

	(void)state;
	child_run(&c, log_everything, &q);
	assert_string_equal(c.err, "x: warning: warn\n");
	child_run(&c, log_everything, &n);
	assert_null(strstr(c.err, "verbose"));
	assert_non_null(strstr(c.err, "note\n"));
	child_run(&c, log_everything, &v);
	assert_non_null(strstr(c.err, "verbose\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(locale_umask_limits_and_sigpipe_are_set),
	    cmocka_unit_test(a_file_never_gets_a_standard_descriptors_number),
	    cmocka_unit_test(the_level_of_messages_follows_the_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
