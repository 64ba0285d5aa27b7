/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "core/err.h"
#include "core/log.h"
#include "core/progress.h"

static struct child child;

static int
say_everything(void *ctx)
{
	log_init("backup", *(enum log_level *)ctx);
	log_warn("vanished: %s", "a\nb\x1b[0m");
	log_note("a note");
	log_verbose("a detail");
	return (int)log_warnings();
}

static const char *
said_at(enum log_level level)
{
	child_run(&child, say_everything, &level);
	assert_int_equal(child.status, 1);
	assert_string_equal(child.out, "");
	return child.err;
}

static void
messages_are_lines_with_outside_bytes_escaped(void **state)
{
	(void)state;
	assert_string_equal(said_at(LOG_VERBOSE),
	    "backup: warning: vanished: a\\012b\\033[0m\nbackup: a note\nbackup: a detail\n");
}

static void
the_level_leaves_out_notes_but_no_warning(void **state)
{
	(void)state;
	assert_string_equal(
	    said_at(LOG_NORMAL), "backup: warning: vanished: a\\012b\\033[0m\nbackup: a note\n");
	assert_string_equal(said_at(LOG_QUIET), "backup: warning: vanished: a\\012b\\033[0m\n");
}

static int
report_progress(void *ctx)
{
	struct err e = {0};

	if (progress_start(*(enum progress_mode *)ctx, "verify", &e) != 0)
		return 1;
	progress_total(1000);
	progress_add(500, 3);
	progress_add(500, 4);
	log_init("verify", LOG_NORMAL);
	log_note("in between");
	progress_stop();
	progress_stop();
	return 0;
}

static void
progress_in_json_ends_with_the_totals(void **state)
{
	enum progress_mode mode = PROGRESS_JSON;

	(void)state;
	child_run(&child, report_progress, &mode);
	assert_int_equal(child.status, 0);
	assert_non_null(strstr(child.err, "verify: in between\n"));
	assert_non_null(strstr(child.err,
	    "{\"progress\":\"verify\",\"version\":1,\"entries\":7,\"bytes\":1000,"
	    "\"total_bytes\":1000,"));
}

static void
without_a_terminal_there_is_no_progress(void **state)
{
	enum progress_mode mode = PROGRESS_AUTO;

	(void)state;
	child_run(&child, report_progress, &mode);
	assert_int_equal(child.status, 0);
	assert_string_equal(child.err, "verify: in between\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_are_lines_with_outside_bytes_escaped),
	    cmocka_unit_test(the_level_leaves_out_notes_but_no_warning),
	    cmocka_unit_test(progress_in_json_ends_with_the_totals),
	    cmocka_unit_test(without_a_terminal_there_is_no_progress),
	};

	return cmocka_run_group_tests_name("core_log", tests, NULL, NULL);
}
