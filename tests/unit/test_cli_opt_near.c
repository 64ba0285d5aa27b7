/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/priv.h"

static const char *
nearest(const char *typed)
{
	static const char *const words[] = {
	    "repo", "trust", "keep-last", "keep-daily", "jobs", "compression", "json"};
	struct opt_near n;

	opt_near_init(&n, typed, strlen(typed));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		opt_near_try(&n, words[i]);
	return n.best;
}

static void
a_slip_finds_its_word(void **state)
{
	(void)state;
	assert_string_equal(nearest("rpeo"), "repo");
	assert_string_equal(nearest("repos"), "repo");
	assert_string_equal(nearest("keeplast"), "keep-last");
	assert_string_equal(nearest("keep_daily"), "keep-daily");
	assert_string_equal(nearest("compresion"), "compression");
	assert_string_equal(nearest("jbos"), "jobs");
}

static void
the_beginning_of_a_word_finds_it(void **state)
{
	(void)state;
	assert_string_equal(nearest("comp"), "compression");
	assert_string_equal(nearest("t"), "trust");
	assert_string_equal(nearest("js"), "json");
}

static void
a_word_with_more_behind_it_finds_it(void **state)
{
	(void)state;
	assert_string_equal(nearest("repository"), "repo");
	assert_string_equal(nearest("jobs-max"), "jobs");
}

static void
another_word_finds_nothing(void **state)
{
	(void)state;
	assert_null(nearest("zzzzzz"));
	assert_null(nearest(""));
	assert_null(nearest("x"));
}

static void
a_word_longer_than_any_name_is_no_danger(void **state)
{
	char longest[300];

	(void)state;
	memset(longest, 'r', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_null(nearest(longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_slip_finds_its_word),
	    cmocka_unit_test(the_beginning_of_a_word_finds_it),
	    cmocka_unit_test(a_word_with_more_behind_it_finds_it),
	    cmocka_unit_test(another_word_finds_nothing),
	    cmocka_unit_test(a_word_longer_than_any_name_is_no_danger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
