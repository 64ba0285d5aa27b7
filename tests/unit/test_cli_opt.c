/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/opt.h"
#include "cli/priv.h"
#include "core/err.h"

enum { LEVEL_LOW, LEVEL_HIGH };
static const char *const levels[] = {"low", "high", NULL};

static struct {
	const char *repo;
	uint64_t jobs, age;
	int level;
	bool dry;
	struct opt_list exclude, args;
	struct opt_common common;
	struct err e;
} v;

static const struct opt table[] = {
    {.name = "repo",
	.letter = 'r',
	.kind = OPT_STRING,
	.arg = "DIR",
	.help = "h",
	.value = &v.repo,
	.env = "TARSEAL_REPO"},
    {.name = "jobs",
	.letter = 'j',
	.kind = OPT_UINT,
	.arg = "N",
	.help = "h",
	.value = &v.jobs,
	.env = "TARSEAL_JOBS",
	.min = 1,
	.max = 64},
    {.name = "level",
	.kind = OPT_CHOICE,
	.arg = "L",
	.help = "h",
	.value = &v.level,
	.choices = levels},
    {.name = "exclude",
	.letter = 'x',
	.kind = OPT_LIST,
	.arg = "P",
	.help = "h",
	.value = &v.exclude},
    {.name = "max-age", .kind = OPT_DURATION, .arg = "T", .help = "h", .value = &v.age},
    {.name = "dry-run", .letter = 'n', .kind = OPT_FLAG, .help = "h", .value = &v.dry},
    {.name = NULL},
};
static const struct opt_program prog = {.name = "verify",
    .synopsis = "X",
    .description = "D.",
    .opts = table,
    .max_args = 2,
    .args_name = "BACKUP"};

static int
setup(void **state)
{
	(void)state;
	memset(&v, 0, sizeof(v));
	v.jobs = 2;
	return clearenv();
}

static int
teardown(void **state)
{
	(void)state;
	opt_list_done(&v.exclude);
	opt_list_done(&v.args);
	return 0;
}

/* The words up to NULL. */
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
	return opt_parse(&prog, &v.common, argc, argv, &v.args, &v.e);
}

#define refused(message, ...)                                                                      \
	do {                                                                                       \
		assert_int_equal(parse(__VA_ARGS__, NULL), -1);                                    \
		assert_int_equal(v.e.kind, ERR_USAGE);                                             \
		assert_string_equal(v.e.msg, message);                                             \
		assert_null(v.args.items);                                                         \
	} while (0)

static void
values_come_with_equal_sign_or_as_the_next_word(void **state)
{
	(void)state;
	assert_int_equal(parse("--repo", "/a", "--jobs=7", "--level", "high", "--max-age=26h",
			     "--dry-run", NULL),
	    0);
	assert_string_equal(v.repo, "/a");
	assert_int_equal(v.jobs, 7);
	assert_int_equal(v.level, LEVEL_HIGH);
	assert_int_equal(v.age, 26 * 3600);
	assert_true(v.dry);
}

static void
letters_run_together_and_take_values(void **state)
{
	(void)state;
	assert_int_equal(parse("-nqj4", "-r", "/b", NULL), 0);
	assert_true(v.dry && v.common.quiet);
	assert_int_equal(v.jobs, 4);
	assert_string_equal(v.repo, "/b");
}

static void
options_may_stand_behind_arguments_until_two_dashes(void **state)
{
	(void)state;
	assert_int_equal(parse("one", "--dry-run", "--", "--jobs", NULL), 0);
	assert_true(v.dry);
	assert_int_equal(v.args.n, 2);
	assert_string_equal(v.args.items[0], "one");
	assert_string_equal(v.args.items[1], "--jobs");
}

static void
a_lone_dash_is_an_argument(void **state)
{
	(void)state;
	assert_int_equal(parse("-", NULL), 0);
	assert_int_equal(v.args.n, 1);
}

static void
a_list_collects(void **state)
{
	(void)state;
	assert_int_equal(parse("--exclude", "a", "-xb", "--exclude=--c", NULL), 0);
	assert_int_equal(v.exclude.n, 3);
	assert_string_equal(v.exclude.items[1], "b");
	assert_string_equal(v.exclude.items[2], "--c");
}

static void
an_option_given_twice_is_refused(void **state)
{
	(void)state;
	refused("--repo is given twice", "--repo", "a", "--repo", "b");
	refused("-j is given twice", "--jobs", "1", "-j2");
}

static void
unknown_options_are_refused_with_the_nearest_name(void **state)
{
	(void)state;
	refused("unknown option --rpeo; did you mean --repo?", "--rpeo=x");
	refused("unknown option --zzzzzzz (--help lists them)", "--zzzzzzz");
	refused("unknown option -y (--help lists them)", "-ny");
}

static void
bad_values_are_refused(void **state)
{
	(void)state;
	refused("--jobs: \"x\" is not a number in 1..64", "--jobs", "x");
	refused("--jobs: 65 is not in 1..64", "--jobs=65");
	refused("--jobs: 0 is not in 1..64", "--jobs=0");
	refused("--jobs: \"-1\" is not a number in 1..64", "--jobs=-1");
	refused("--level: \"mid\" is none of: low, high", "--level=mid");
	refused("--dry-run: \"maybe\" is neither yes nor no", "--dry-run=maybe");
	refused("--repo: empty", "--repo=");
	assert_int_equal(parse("--max-age", "soon", NULL), -1);
	assert_int_equal(v.e.kind, ERR_USAGE);
	assert_memory_equal(v.e.msg, "--max-age: ", 11);
}

static void
an_option_is_not_taken_for_a_value(void **state)
{
	(void)state;
	refused("--repo wants DIR", "--repo");
	refused("-j wants N", "-nj");
	refused("--repo wants DIR, and \"--jobs\" looks like an option (else write --repo=--jobs)",
	    "--repo", "--jobs", "2");
}

static void
too_many_or_too_few_arguments_are_refused(void **state)
{
	struct opt_program wants = prog;
	char *argv[] = {(char *)(uintptr_t) "verify", NULL};

	(void)state;
	refused("unexpected argument \"c\" (see --help)", "a", "b", "c");
	wants.min_args = 1;
	assert_int_equal(opt_parse(&wants, &v.common, 1, argv, &v.args, &v.e), -1);
	assert_string_equal(v.e.msg, "BACKUP is missing (see --help)");
}

static void
quiet_and_verbose_exclude_each_other(void **state)
{
	(void)state;
	refused("--quiet and --verbose exclude each other", "-qv");
}

static void
common_options_are_always_there(void **state)
{
	(void)state;
	assert_int_equal(parse("--json", "-v", "--progress=json", NULL), 0);
	assert_true(v.common.json && v.common.verbose && !v.common.quiet);
	assert_int_equal(v.common.progress, 3);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(values_come_with_equal_sign_or_as_the_next_word),
	    T(letters_run_together_and_take_values),
	    T(options_may_stand_behind_arguments_until_two_dashes),
	    T(a_lone_dash_is_an_argument),
	    T(a_list_collects),
	    T(an_option_given_twice_is_refused),
	    T(unknown_options_are_refused_with_the_nearest_name),
	    T(bad_values_are_refused),
	    T(an_option_is_not_taken_for_a_value),
	    T(too_many_or_too_few_arguments_are_refused),
	    T(quiet_and_verbose_exclude_each_other),
	    T(common_options_are_always_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
