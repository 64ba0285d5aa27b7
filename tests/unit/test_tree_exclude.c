/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "tests/unit/scratch.h"
#include "tree/exclude.h"

static struct exclude *x;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	return exclude_new(&x, &e);
}

static int
teardown(void **state)
{
	(void)state;
	exclude_free(x);
	return 0;
}

static bool
matches(const char *path, bool is_dir)
{
	return exclude_match(x, path, strlen(path), is_dir);
}

static void
exclude_without_patterns_matches_nothing(void **state)
{
	(void)state;
	assert_false(matches("a", false));
	assert_false(matches("", true));
}

static void
exclude_matches_a_name_at_any_depth(void **state)
{
	(void)state;
	assert_int_equal(exclude_add(x, "*.tmp", &e), 0);
	assert_true(matches("a.tmp", false));
	assert_true(matches("a/b/c.tmp", false));
	assert_false(matches("a.tmp/b", false)); /* its directory is what matches */
	assert_false(matches("a.tmpx", false));
}

static void
exclude_anchors_a_pattern_with_a_slash(void **state)
{
	(void)state;
	assert_int_equal(exclude_add(x, "cache/old", &e), 0);
	assert_int_equal(exclude_add(x, "/top", &e), 0);
	assert_int_equal(exclude_add(x, "./here", &e), 0);
	assert_true(matches("cache/old", false));
	assert_false(matches("a/cache/old", false));
	assert_true(matches("top", false));
	assert_false(matches("a/top", false));
	assert_true(matches("here", true));
	assert_false(matches("a/here", true));
}

static void
exclude_with_a_trailing_slash_matches_directories_only(void **state)
{
	(void)state;
	assert_int_equal(exclude_add(x, "cache/", &e), 0);
	assert_true(matches("a/cache", true));
	assert_false(matches("a/cache", false));
}

static void
exclude_never_matches_the_source_itself(void **state)
{
	(void)state;
	assert_int_equal(exclude_add(x, "*", &e), 0);
	assert_int_equal(exclude_add(x, "**", &e), 0);
	assert_false(matches("", true));
	assert_true(matches("a", false));
}

static void
exclude_refuses_patterns_that_can_match_nothing(void **state)
{
	static const char *const bad[] = {
	    "", "/", ".", "..", "./", "a/../b", "a//b", "a/./b", "//a"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err_clear(&e);
		assert_int_equal(exclude_add(x, bad[i], &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	assert_false(matches("a/b", false));
}

static void
exclude_reads_a_file_a_pattern_a_line(void **state)
{
	char dir[SCRATCH_MAX], file[SCRATCH_MAX + 8];

	(void)state;
	scratch_new(dir);
	scratch_puts(dir, "list", "# a comment\n\n*.log\r\n\\#odd\n with space \n/last");
	(void)snprintf(file, sizeof(file), "%s/list", dir);
	assert_int_equal(exclude_add_file(x, file, &e), 0);
	assert_true(matches("a.log", false));
	assert_true(matches("d/#odd", false));
	assert_true(matches(" with space ", false));
	assert_true(matches("last", false));
	assert_false(matches("# a comment", false));
	scratch_remove(dir);
}

static void
exclude_names_the_line_that_is_wrong(void **state)
{
	char dir[SCRATCH_MAX], file[SCRATCH_MAX + 8];

	(void)state;
	scratch_new(dir);
	scratch_puts(dir, "list", "ok\n..\n");
	(void)snprintf(file, sizeof(file), "%s/list", dir);
	assert_int_equal(exclude_add_file(x, file, &e), -1);
	assert_non_null(strstr(e.msg, "list: line 2: "));
	scratch_put(dir, "list", "a\0b\n", 4);
	err_clear(&e);
	assert_int_equal(exclude_add_file(x, file, &e), -1);
	assert_non_null(strstr(e.msg, "line 1: "));
	(void)snprintf(file, sizeof(file), "%s/missing", dir);
	err_clear(&e);
	assert_int_equal(exclude_add_file(x, file, &e), -1);
	assert_non_null(strstr(e.msg, "missing"));
	scratch_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		exclude_without_patterns_matches_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(exclude_matches_a_name_at_any_depth, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		exclude_anchors_a_pattern_with_a_slash, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		exclude_with_a_trailing_slash_matches_directories_only, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		exclude_never_matches_the_source_itself, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		exclude_refuses_patterns_that_can_match_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(exclude_reads_a_file_a_pattern_a_line, setup, teardown),
	    cmocka_unit_test_setup_teardown(exclude_names_the_line_that_is_wrong, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
