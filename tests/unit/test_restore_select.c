/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "cli/opt.h"
#include "core/err.h"
#include "core/log.h"
#include "restore/report.h"
#include "restore/select.h"
#include "tests/unit/unit.h"
#include "tree/exclude.h"

static struct restore_select *s;
static struct exclude *excluded;

static void
take(const char *const *typed, size_t n)
{
	struct opt_list list = {.items = (const char **)(uintptr_t)typed, .n = n};
	struct err e = {0};

	assert_int_equal(
	    restore_select_new(&s, &(struct restore_select_opts){.paths = &list}, &e), 0);
}
#define TAKE(...)                                                                                  \
	do {                                                                                       \
		static const char *const typed[] = {__VA_ARGS__};                                  \
		take(typed, COUNT(typed));                                                         \
	} while (0)

static int
teardown(void **state)
{
	(void)state;
	restore_select_free(s);
	s = NULL;
	exclude_free(excluded);
	excluded = NULL;
	return 0;
}

static bool
file(const char *path)
{
	return restore_select_match(s, path, strlen(path), false);
}

static bool
directory(const char *path)
{
	return restore_select_match(s, path, strlen(path), true);
}

static void
nothing_named_is_everything(void **state)
{
	(void)state;
	take(NULL, 0);
	assert_true(restore_select_all(s));
	assert_true(directory("") && file("a/b"));
}

static void
the_source_itself_is_everything(void **state)
{
	(void)state;
	TAKE("./");
	assert_true(restore_select_all(s));
	assert_false(restore_select_has_globs(s));
	assert_true(directory("") && file("a/b"));
}

static void
a_path_stands_for_itself_and_what_is_below(void **state)
{
	(void)state;
	TAKE("./a//b/");
	assert_true(directory("a/b") && file("a/b/c") && file("a/b"));
	assert_false(directory("a") || file("a/bc") || file("x/a/b"));
	assert_false(restore_select_all(s) || restore_select_has_globs(s));
}

static void
paths_come_in_the_order_of_a_backup(void **state)
{
	(void)state;
	TAKE("a.b", "*.c", "a/z", "a");
	assert_string_equal(restore_select_path(s, 0), "a");
	assert_string_equal(restore_select_path(s, 1), "a/z");
	assert_string_equal(restore_select_path(s, 2), "a.b");
	assert_null(restore_select_path(s, 3));
	assert_true(restore_select_has_globs(s));
}

static void
a_way_up_is_refused(void **state)
{
	static const char *const bad[] = {"../a", "a/../b", "x/..", "*/../b"};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct opt_list one = {.items = (const char **)(uintptr_t)&bad[i], .n = 1};

		assert_int_equal(
		    restore_select_new(&s, &(struct restore_select_opts){.paths = &one}, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
}

static void
take_with(const char *path, const char *pattern, uint64_t strip, const char *as)
{
	struct opt_list list = {.items = &path, .n = path != NULL};
	struct err e = {0};

	if (pattern != NULL) {
		assert_int_equal(exclude_new(&excluded, &e), 0);
		assert_int_equal(exclude_add(excluded, pattern, &e), 0);
	}
	assert_int_equal(restore_select_new(&s,
			     &(struct restore_select_opts){
				 .paths = &list, .exclude = excluded, .strip = strip, .as = as},
			     &e),
	    0);
}

static void
what_is_excluded_goes_with_all_below_it(void **state)
{
	(void)state;
	take_with(NULL, "cache/", 0, NULL);
	assert_false(restore_select_all(s));
	assert_true(directory("") && file("cache") && file("a/b"));
	assert_false(directory("a/cache") || file("a/cache/b/c") || file("cache/x"));
	(void)teardown(NULL);
	take_with("a", "/a/b", 0, NULL);
	assert_true(file("a/c") && file("a/a/b"));
	assert_false(file("a/b") || file("a/b/c") || file("b"));
}

static const char *
place(const char *path)
{
	return restore_select_place(s, path, strlen(path), false);
}

static void
components_are_taken_from_the_front(void **state)
{
	(void)state;
	take_with(NULL, NULL, 2, NULL);
	assert_false(restore_select_all(s));
	assert_true(restore_select_strips(s));
	assert_string_equal(place("a/b/c"), "c");
	assert_string_equal(place("a/b/c/d"), "c/d");
	assert_null(place("a/b"));
	assert_null(place(""));
	assert_null(restore_select_name(s, "a"));
}

static void
one_path_has_another_name(void **state)
{
	(void)state;
	take_with("a/./b", NULL, 0, "b~1");
	assert_string_equal(place("a/b"), "b~1");
	assert_null(place("a/c"));
	assert_null(restore_select_name(s, "a"));
}

static void
a_pattern_of_which_nothing_is_left_is_told(void **state)
{
	struct restore_report r;

	(void)state;
	restore_report_init(&r);
	log_init("restore", LOG_QUIET);
	take_with("a/b", NULL, 2, NULL);
	assert_false(restore_select_hit(s, "a/b", 3, false));
	restore_select_misses(s, &r);
	assert_int_equal(r.findings, 1);
	assert_true(restore_select_hit(s, "a/b/c", 5, false));
	restore_select_misses(s, &r);
	assert_int_equal(r.findings, 1);
	restore_report_done(&r);
}

static void
a_glob_takes_what_it_matches_and_what_is_below(void **state)
{
	(void)state;
	TAKE("a/*.d");
	assert_true(directory("a/x.d") && file("a/x.d/deep/file") && file("a/y.d"));
	assert_false(file("a/x.dd") || file("b/x.d") || file("c/a/x.d") || directory("a"));
}

static void
a_glob_without_a_slash_matches_names_anywhere(void **state)
{
	(void)state;
	TAKE("*.log");
	assert_true(file("x.log") && file("a/b/x.log"));
	assert_false(file("x.logs"));
}

static void
a_glob_is_cleaned_like_a_path(void **state)
{
	(void)state;
	TAKE("./logs//*.log");
	assert_true(file("logs/x.log"));
	assert_false(file("a/logs/x.log"));
}

static void
a_slash_in_front_ties_a_glob_to_the_top(void **state)
{
	(void)state;
	TAKE("./*.log");
	assert_true(file("x.log"));
	assert_false(file("a/x.log"));
}

static void
a_slash_at_the_end_of_a_glob_means_directories(void **state)
{
	(void)state;
	TAKE("b*/");
	assert_true(directory("a/bin") && file("a/bin/x"));
	assert_false(file("a/bin"));
}

static void
a_name_with_glob_characters_stands_for_itself_too(void **state)
{
	(void)state;
	TAKE("odd/[set]", "q?");
	assert_true(directory("odd/[set]") && file("odd/[set]/x") && file("odd/s"));
	assert_true(file("q?") && file("qq"));
	assert_false(file("odd/x"));
}

static void
what_matched_nothing_is_told(void **state)
{
	struct restore_report r;

	(void)state;
	log_init("restore", LOG_QUIET);
	restore_report_init(&r);
	TAKE("a", "b*", "never", "*.never");
	assert_true(restore_select_hit(s, "a/x", 3, false));
	assert_true(restore_select_hit(s, "bb", 2, false));
	assert_false(restore_select_hit(s, "c", 1, false));
	restore_select_misses(s, &r);
	assert_int_equal(r.findings, 2);
	assert_string_equal(r.kept[0].path, "never");
	assert_string_equal(r.kept[1].path, "*.never");
	restore_report_done(&r);
}

static void
a_path_that_hides_behind_another_one_is_hit_with_it(void **state)
{
	struct restore_report r;

	(void)state;
	restore_report_init(&r);
	TAKE("a", "a/b", "a");
	assert_true(restore_select_hit(s, "a/b", 3, false));
	restore_select_misses(s, &r);
	assert_int_equal(r.findings, 0);
	restore_report_done(&r);
}

static void
an_alias_gives_a_file_another_place(void **state)
{
	struct err e = {0};

	(void)state;
	TAKE("links");
	assert_int_equal(restore_select_alias(s, "data/one", "links/first", &e), 0);
	assert_int_equal(restore_select_alias(s, "data/one", "links/second", &e), 0);
	assert_string_equal(place("data/one"), "links/first");
	assert_string_equal(place("links/x"), "links/x");
	assert_null(place("data/two"));
	assert_true(restore_select_is_aliased(s, "data/one"));
	assert_false(restore_select_is_aliased(s, "links/x"));
}

static void
many_aliases_are_all_kept(void **state)
{
	char target[32], path[32];
	struct err e = {0};

	(void)state;
	TAKE("new");
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(target, sizeof(target), "old/%d", i);
		(void)snprintf(path, sizeof(path), "new/%d", i);
		assert_int_equal(restore_select_alias(s, target, path, &e), 0);
	}
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(target, sizeof(target), "old/%d", i);
		(void)snprintf(path, sizeof(path), "new/%d", i);
		assert_string_equal(place(target), path);
	}
	assert_null(place("old/5000"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(nothing_named_is_everything),
	    TEST(the_source_itself_is_everything),
	    TEST(a_path_stands_for_itself_and_what_is_below),
	    TEST(paths_come_in_the_order_of_a_backup),
	    TEST(a_way_up_is_refused),
	    TEST(what_is_excluded_goes_with_all_below_it),
	    TEST(components_are_taken_from_the_front),
	    TEST(one_path_has_another_name),
	    TEST(a_pattern_of_which_nothing_is_left_is_told),
	    TEST(a_glob_takes_what_it_matches_and_what_is_below),
	    TEST(a_glob_without_a_slash_matches_names_anywhere),
	    TEST(a_glob_is_cleaned_like_a_path),
	    TEST(a_slash_in_front_ties_a_glob_to_the_top),
	    TEST(a_slash_at_the_end_of_a_glob_means_directories),
	    TEST(a_name_with_glob_characters_stands_for_itself_too),
	    TEST(what_matched_nothing_is_told),
	    TEST(a_path_that_hides_behind_another_one_is_hit_with_it),
	    TEST(an_alias_gives_a_file_another_place),
	    TEST(many_aliases_are_all_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
