/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/log.h"
#include "pack/tally.h"
#include "tests/unit/child.h"

static int
tell(void *ctx)
{
	struct tally sum = {0}, one = {.entries = 2, .bytes = 10};

	log_init("backup", *(enum log_level *)ctx);
	tally_event(&one, TALLY_GREW, "log", 3, NULL);
	tally_event(&one, TALLY_UNREADABLE, "a\nb", 3, "Permission denied");
	tally_event(&one, TALLY_VANISHED, "", 0, NULL);
	tally_add(&sum, &one);
	tally_add(&sum, &one);
	int ok = sum.entries == 4 && sum.bytes == 20 && sum.events[TALLY_GREW] == 2 &&
	    sum.events[TALLY_UNREADABLE] == 2 && sum.events[TALLY_CHANGED] == 0;
	tally_done(&one);
	tally_done(&sum);
	return ok;
}

static void
tally_warns_of_what_is_lost_and_is_silent_on_what_is_normal(void **state)
{
	enum log_level level = LOG_NORMAL;
	struct child c;

	(void)state;
	child_run(&c, tell, &level);
	assert_int_equal(c.status, 1);
	assert_string_equal(c.err,
	    "backup: warning: a\\012b: cannot be read: Permission denied\n"
	    "backup: warning: a\\012b: cannot be read: Permission denied\n");
	level = LOG_VERBOSE;
	child_run(&c, tell, &level);
	assert_non_null(strstr(c.err, "log: grew while it was read"));
	assert_non_null(strstr(c.err, "the source directory: vanished"));
}

static int
tell_many(void *ctx)
{
	struct tally sum = {0}, one = {0};

	(void)ctx;
	log_init("backup", LOG_NORMAL);
	for (int i = 0; i < TALLY_TOLD_MAX + 50; i++)
		tally_event(&one, TALLY_CHANGED, "f", 1, NULL);
	tally_event(&one, TALLY_UNREADABLE, "other kind", 10, "x");
	tally_add(&sum, &one);
	int ok = sum.events[TALLY_CHANGED] == TALLY_TOLD_MAX + 50;
	tally_done(&one);
	return ok;
}

static void
tally_does_not_drown_anybody(void **state)
{
	struct child c;
	int lines = 0;

	(void)state;
	child_run(&c, tell_many, NULL);
	assert_int_equal(c.status, 1);
	for (const char *p = c.err; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, TALLY_TOLD_MAX + 2);
	assert_non_null(strstr(c.err, "and more of this kind\n"));
	assert_non_null(strstr(c.err, "other kind: cannot be read: x\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tally_warns_of_what_is_lost_and_is_silent_on_what_is_normal),
	    cmocka_unit_test(tally_does_not_drown_anybody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
