/* SPDX-License-Identifier: BSD-2-Clause */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/priv.h"
#include "core/err.h"
#include "core/stop.h"
#include "tests/unit/child.h"

static int
in_child(int (*fn)(void *))
{
	struct child c;

	child_run(&c, fn, NULL);
	return c.status;
}

static void
pause_ms(long ms)
{
	struct timespec ts = {.tv_nsec = ms * 1000000};

	(void)nanosleep(&ts, NULL);
}

static int
one_signal(void *ctx)
{
	struct err e = {0};

	(void)ctx;
	cli_signal_install();
	if (stop_signal() != 0 || stop_check(&e) != 0)
		return 1;
	(void)raise(SIGTERM);
	if (stop_signal() != SIGTERM)
		return 2;
	return stop_check(&e) == -1 && e.kind == ERR_STOPPED ? 0 : 3;
}

static void
a_signal_becomes_a_stop_request(void **state)
{
	(void)state;
	assert_int_equal(in_child(one_signal), 0);
}

static int
two_at_once(void *ctx)
{
	(void)ctx;
	cli_signal_install();
	(void)raise(SIGTERM);
	(void)raise(SIGTERM);
	return 0;
}

static int
two_with_a_pause(void *ctx)
{
	(void)ctx;
	cli_signal_install();
	(void)raise(SIGTERM);
	pause_ms(250);
	(void)raise(SIGINT);
	return 0;
}

static void
the_same_stop_delivered_twice_is_one(void **state)
{
	(void)state;
	assert_int_equal(in_child(two_at_once), 0);
}

static void
a_second_stop_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(in_child(two_with_a_pause), 128 + SIGINT);
}

static int
ignored_ones(void *ctx)
{
	(void)ctx;
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	cli_signal_install();
	(void)raise(SIGHUP);
	(void)raise(SIGINT);
	if (stop_signal() != 0)
		return 1;
	(void)raise(SIGTERM);
	return stop_signal() == SIGTERM ? 0 : 2;
}

static void
nohup_stays_in_force_but_sigterm_always_stops(void **state)
{
	(void)state;
	assert_int_equal(in_child(ignored_ones), 0);
}

static int
blocked(void *ctx)
{
	sigset_t set;

	(void)ctx;
	(void)sigfillset(&set);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	cli_signal_install();
	(void)raise(SIGTERM);
	return stop_signal() == SIGTERM ? 0 : 1;
}

static void
signals_that_came_blocked_arrive(void **state)
{
	(void)state;
	assert_int_equal(in_child(blocked), 0);
}

/* Process 1 of a new pid namespace, signalled twice from outside. */
static int
process_one(void *ctx)
{
	int ready[2], status;
	char c;

	(void)ctx;
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0)
		return 77;
	if (pipe(ready) != 0)
		return 1;
	pid_t pid = fork();
	if (pid < 0)
		return 77;
	if (pid == 0) {
		if (getpid() != 1)
			_exit(2);
		cli_signal_install();
		if (write(ready[1], "x", 1) != 1)
			_exit(6);
		while (stop_signal() == 0)
			pause_ms(5);
		if (write(ready[1], "y", 1) != 1)
			_exit(7);
		for (;;)
			pause_ms(5);
	}
	if (read(ready[0], &c, 1) != 1 || kill(pid, SIGTERM) != 0 || read(ready[0], &c, 1) != 1)
		return 3;
	pause_ms(250);
	if (kill(pid, SIGTERM) != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 4;
	return WEXITSTATUS(status) == 128 + SIGTERM ? 0 : 5;
}

static void
signals_work_in_process_one(void **state)
{
	int rc = in_child(process_one);

	(void)state;
	if (rc == 77) {
		print_message("no right to make a pid namespace\n");
		skip();
	}
	assert_int_equal(rc, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_signal_becomes_a_stop_request),
	    cmocka_unit_test(the_same_stop_delivered_twice_is_one),
	    cmocka_unit_test(a_second_stop_ends_the_process),
	    cmocka_unit_test(nohup_stays_in_force_but_sigterm_always_stops),
	    cmocka_unit_test(signals_that_came_blocked_arrive),
	    cmocka_unit_test(signals_work_in_process_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
