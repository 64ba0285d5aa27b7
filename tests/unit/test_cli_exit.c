/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "core/err.h"
#include "core/stop.h"
#include "tests/unit/child.h"

struct run {
	enum err_kind kind;
	const char *msg;
	enum cli_status status;
	enum { OUT_GOOD, OUT_FULL, OUT_CLOSED, OUT_GONE } out;
	const char *print; /* on stdout, before */
	int stop;
};

static void
prepare_stdout(const struct run *r)
{
	int p[2];

	if (r->out == OUT_FULL && dup2(open("/dev/full", O_WRONLY), 1) < 0)
		_exit(100);
	if (r->out == OUT_GONE && (pipe(p) < 0 || dup2(p[1], 1) < 0 || close(p[0]) < 0))
		_exit(100);
	if (r->out == OUT_CLOSED)
		(void)close(1);
}

static int
run(void *ctx)
{
	const struct run *r = ctx;
	struct err e = {0};

	prepare_stdout(r);
	cli_init("verify");
	if (r->print != NULL)
		(void)fputs(r->print, stdout);
	if (r->stop != 0)
		stop_request(r->stop);
	if (r->kind != ERR_NONE)
		(void)err_set(&e, r->kind, "%s", r->msg);
	return cli_exit("verify", &e, r->status);
}

static void
check(const struct run *r, int status, const char *err)
{
	struct child c;

	child_run(&c, run, (void *)(uintptr_t)r);
	assert_string_equal(c.err, err);
	assert_int_equal(c.status, status);
}

static void
without_an_error_the_status_is_what_was_found(void **state)
{
	(void)state;
	check(&(struct run){.print = "x\n"}, 0, "");
	check(&(struct run){.status = CLI_WRONG}, 1, "");
	check(&(struct run){.status = CLI_UNTRUSTED}, 5, "");
}

static void
each_kind_of_error_has_its_status_and_one_line(void **state)
{
	static const struct {
		enum err_kind kind;
		int status;
	} kinds[] = {{ERR_USAGE, 2}, {ERR_SYS, 3}, {ERR_CORRUPT, 3}, {ERR_UNSUPPORTED, 3},
	    {ERR_NOTFOUND, 1}, {ERR_LOCKED, 4}, {ERR_TRUST, 5}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		check(&(struct run){.kind = kinds[i].kind, .msg = "a: b"}, kinds[i].status,
		    "verify: a: b\n");
}

static void
outside_bytes_cannot_forge_a_line(void **state)
{
	(void)state;
	check(&(struct run){.kind = ERR_SYS, .msg = "a\nverify: all is well\033[1m"}, 3,
	    "verify: a\\012verify: all is well\\033[1m\n");
}

static void
a_stop_request_gives_128_and_the_signal(void **state)
{
	(void)state;
	check(&(struct run){.kind = ERR_STOPPED, .msg = "stopped", .stop = SIGTERM}, 128 + SIGTERM,
	    "verify: stopped\n");
	check(&(struct run){.kind = ERR_STOPPED, .msg = "stopped", .stop = SIGINT}, 128 + SIGINT,
	    "verify: stopped\n");
}

static void
a_request_that_came_too_late_changes_nothing(void **state)
{
	(void)state;
	check(&(struct run){.status = CLI_WRONG, .stop = SIGTERM}, 1, "");
}

static void
a_full_stdout_is_an_error(void **state)
{
	(void)state;
	check(&(struct run){.out = OUT_FULL, .print = "x\n"}, 3,
	    "verify: standard output: No space left on device\n");
	check(&(struct run){.out = OUT_FULL, .print = "x\n", .status = CLI_WRONG}, 3,
	    "verify: standard output: No space left on device\n");
	check(&(struct run){.out = OUT_FULL, .print = "x\n", .status = CLI_UNTRUSTED}, 5,
	    "verify: standard output: No space left on device\n");
}

static void
a_full_stdout_that_was_noticed_long_ago_is_an_error_too(void **state)
{
	static char much[100000];

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	check(&(struct run){.out = OUT_FULL, .print = much}, 3,
	    "verify: standard output: not all could be written\n");
}

static void
a_closed_stdout_is_an_error_once_something_is_written(void **state)
{
	(void)state;
	check(&(struct run){.out = OUT_CLOSED, .print = "x\n"}, 3,
	    "verify: standard output is closed\n");
	check(&(struct run){.out = OUT_CLOSED}, 0, "");
}

static void
a_reader_that_went_away_is_told_nothing(void **state)
{
	static char much[100000];

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	check(&(struct run){.out = OUT_GONE, .print = "x\n"}, 3, "");
	check(&(struct run){.out = OUT_GONE, .print = much}, 3, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_an_error_the_status_is_what_was_found),
	    cmocka_unit_test(each_kind_of_error_has_its_status_and_one_line),
	    cmocka_unit_test(outside_bytes_cannot_forge_a_line),
	    cmocka_unit_test(a_stop_request_gives_128_and_the_signal),
	    cmocka_unit_test(a_request_that_came_too_late_changes_nothing),
	    cmocka_unit_test(a_full_stdout_is_an_error),
	    cmocka_unit_test(a_full_stdout_that_was_noticed_long_ago_is_an_error_too),
	    cmocka_unit_test(a_closed_stdout_is_an_error_once_something_is_written),
	    cmocka_unit_test(a_reader_that_went_away_is_told_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
