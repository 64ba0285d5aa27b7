/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "verify/opts.h"

static struct verify_opts o;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	return clearenv();
}

static int
teardown(void **state)
{
	(void)state;
	verify_opts_done(&o);
	return 0;
}

static int
parse(const char *word, ...)
{
	char *argv[16] = {(char *)(uintptr_t) "verify"};
	int argc = 1;
	va_list ap;

	va_start(ap, word);
	for (; word != NULL; word = va_arg(ap, const char *))
		argv[argc++] = (char *)(uintptr_t)word;
	va_end(ap);
	verify_opts_done(&o);
	return verify_opts_parse(&o, argc, argv, &e);
}

static void
defaults_are_standard_with_all_processors(void **state)
{
	(void)state;
	assert_int_equal(parse("--repo", "r", "--trust", "t", NULL), 0);
	assert_int_equal(o.level, VERIFY_STANDARD);
	assert_true(o.jobs >= 1);
	assert_int_equal(o.max_age, 0);
	assert_false(o.all || o.untrusted);
	assert_int_equal(o.backups.n, 0);
}

static void
everything_can_be_given(void **state)
{
	(void)state;
	assert_int_equal(parse("-r", "r", "-t", "t", "-l", "deep", "--max-age=26h", "-j3", "-s",
			     "x", "--untrusted", "one", "two", NULL),
	    0);
	assert_int_equal(o.level, VERIFY_DEEP);
	assert_int_equal(o.max_age, 93600);
	assert_int_equal(o.jobs, 3);
	assert_string_equal(o.series, "x");
	assert_true(o.untrusted);
	assert_int_equal(o.backups.n, 2);
	assert_string_equal(o.backups.items[1], "two");
}

static void
a_tree_is_compared_with_one_backup(void **state)
{
	static const char *const others[] = {
	    "--all", "--level=quick", "--max-age=1h", "--anchor=a", NULL};

	(void)state;
	assert_int_equal(parse("-r", "r", "-t", "t", "--source", "d", "-x", "*.tmp", "--exclude",
			     "a", "--one-file-system", "one", NULL),
	    0);
	assert_string_equal(o.source, "d");
	assert_int_equal(o.exclude.n, 2);
	assert_true(o.one_file_system);
	assert_int_equal(o.level, VERIFY_STANDARD);
	assert_int_equal(parse("-r", "r", "-t", "t", "--source", "d", "one", "two", NULL), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	for (size_t i = 0; others[i] != NULL; i++) {
		assert_int_equal(parse("-r", "r", "-t", "t", "--source", "d", others[i], NULL), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	assert_int_equal(parse("-r", "r", "-t", "t", "-x", "a", NULL), -1);
	assert_int_equal(parse("-r", "r", "-t", "t", "--one-file-system", NULL), -1);
}

static void
repository_and_keys_must_be_given(void **state)
{
	(void)state;
	assert_int_equal(parse("--trust", "t", NULL), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(parse("--repo", "r", NULL), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(parse("--repo", "r", "--untrusted", NULL), 0);
	assert_int_equal(setenv("TARSEAL_REPO", "r", 1), 0);
	assert_int_equal(setenv("TARSEAL_TRUST", "t", 1), 0);
	assert_int_equal(parse(NULL), 0);
	assert_string_equal(o.trust, "t");
}

static void
all_and_names_exclude_each_other(void **state)
{
	(void)state;
	assert_int_equal(parse("-r", "r", "-t", "t", "--all", NULL), 0);
	assert_int_equal(parse("-r", "r", "-t", "t", "--all", "one", NULL), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

static void
a_budget_is_a_time_or_a_size(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds, bytes;
	} cases[] = {{"90s", 90, 0}, {"10m", 600, 0}, {"10M", 0, 10 << 20}, {"2h", 7200, 0},
	    {"1d", 86400, 0}, {"5GB", 0, UINT64_C(5000000000)}, {"1T", 0, UINT64_C(1) << 40}};
	static const char *const bad[] = {"", "10", "0s", "0G", "m", "10min", "1.5h", "5B", "5gb",
	    "-1h", "9223372037s", "99999999999999999999T"};
	struct verify_budget b = {.seconds = 7};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&e);
		assert_int_equal(verify_budget_parse(bad[i], &b, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_int_equal(b.seconds, 7);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(verify_budget_parse(cases[i].text, &b, &e), 0);
		assert_true(b.seconds == cases[i].seconds && b.bytes == cases[i].bytes);
	}
}

static void
in_turn_means_all_of_them(void **state)
{
	(void)state;
	assert_int_equal(
	    parse("-r", "r", "-t", "t", "--oldest=3", "--budget=5GB", "-s", "x", NULL), 0);
	assert_int_equal(o.oldest, 3);
	assert_true(o.budget.bytes == UINT64_C(5000000000));
	assert_int_equal(parse("-r", "r", "-t", "t", "--oldest=3", "--all", NULL), -1);
	assert_int_equal(parse("-r", "r", "-t", "t", "--budget=3h", "--all", NULL), -1);
	assert_int_equal(parse("-r", "r", "-t", "t", "--oldest=3", "one", NULL), -1);
	assert_int_equal(parse("-r", "r", "-t", "t", "--budget=1G", "-lquick", NULL), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(parse("-r", "r", "-t", "t", "--budget=1h", "-lquick", NULL), 0);
}

static void
nonsense_is_refused(void **state)
{
	static const char *const bad[] = {"--level=full", "--jobs=0", "--jobs=257", "--max-age=x",
	    "--series=a/b", "--timezone=Nowhere/Atlantis", "--what", "--oldest=0", "--budget=10"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse("-r", "r", "-t", "t", bad[i], NULL), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(defaults_are_standard_with_all_processors),
	    T(everything_can_be_given),
	    T(a_tree_is_compared_with_one_backup),
	    T(repository_and_keys_must_be_given),
	    T(all_and_names_exclude_each_other),
	    T(a_budget_is_a_time_or_a_size),
	    T(in_turn_means_all_of_them),
	    T(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
