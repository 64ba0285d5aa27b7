/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>

#include "core/err.h"
#include "core/stop.h"
#include "tests/unit/unit.h"

static void
without_a_request_work_goes_on(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(stop_signal(), 0);
	assert_int_equal(stop_check(&e), 0);
	assert_int_equal(e.kind, ERR_NONE);
}

static void
the_first_request_counts(void **state)
{
	struct err e = {0};

	(void)state;
	stop_request(SIGTERM);
	stop_request(SIGINT);
	assert_int_equal(stop_signal(), SIGTERM);
	assert_int_equal(stop_check(&e), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	assert_string_equal(e.msg, "stopped by SIGTERM");
	assert_int_equal(stop_check(NULL), -1);
	stop_request(0);
}

static void
a_request_may_come_from_a_signal_handler(void **state)
{
	struct err e = {0};

	(void)state;
	(void)signal(SIGUSR1, stop_request);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(stop_signal(), SIGUSR1);
	assert_int_equal(stop_check(&e), -1);
	assert_string_equal(e.msg, "stopped by signal 10");
	stop_request(0);
	assert_int_equal(stop_check(&e), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_request_work_goes_on),
	    cmocka_unit_test(the_first_request_counts),
	    cmocka_unit_test(a_request_may_come_from_a_signal_handler),
	};

	return cmocka_run_group_tests_name("core_stop", tests, NULL, NULL);
}
