/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/opt.h"
#include "core/err.h"
#include "tests/unit/child.h"

static const char *const levels[] = {"quick", "deep", NULL};
static const char *repo, *series = "autolab";
static uint64_t jobs = 2, age = 93600, none;
static int level = 1;
static struct opt_list exclude;

static const struct opt table[] = {
    {.name = "repo",
	.letter = 'r',
	.kind = OPT_STRING,
	.arg = "DIR",
	.help = "the repository",
	.value = &repo,
	.env = "TARSEAL_REPO"},
    {.name = "series",
	.kind = OPT_STRING,
	.arg = "NAME",
	.help = "a help text that is long enough to be wrapped onto a second line of it",
	.value = &series,
	.env = "TARSEAL_SERIES"},
    {.name = "jobs",
	.letter = 'j',
	.kind = OPT_UINT,
	.arg = "N",
	.help = "workers",
	.value = &jobs,
	.env = "TARSEAL_JOBS",
	.min = 1,
	.max = 64},
    {.name = "level",
	.kind = OPT_CHOICE,
	.arg = "L",
	.help = "how much",
	.value = &level,
	.choices = levels},
    {.name = "max-age", .kind = OPT_DURATION, .arg = "T", .help = "age", .value = &age},
    {.name = "min-age", .kind = OPT_DURATION, .arg = "T", .help = "age", .value = &none},
    {.name = "exclude",
	.kind = OPT_LIST,
	.arg = "A-VERY-LONG-PATTERN-NAME",
	.help = "leave out",
	.value = &exclude},
    {.name = NULL},
};
static const struct opt_program prog = {.name = "verify",
    .synopsis = "[OPTION...] [BACKUP...]",
    .description = "Check it.",
    .opts = table};

static const char expected[] =
    "Usage: verify [OPTION...] [BACKUP...]\n"
    "\n"
    "Check it.\n"
    "\n"
    "Options:\n"
    "  -r, --repo DIR       the repository [TARSEAL_REPO]\n"
    "      --series NAME    a help text that is long enough to be wrapped onto a\n"
    "                       second line of it (default: autolab) [TARSEAL_SERIES]\n"
    "  -j, --jobs N         workers (1..64, default: 2) [TARSEAL_JOBS]\n"
    "      --level L        how much (quick|deep, default: deep)\n"
    "                       [TARSEAL_VERIFY_LEVEL]\n"
    "      --max-age T      age (default: 26h) [TARSEAL_VERIFY_MAX_AGE]\n"
    "      --min-age T      age [TARSEAL_VERIFY_MIN_AGE]\n"
    "      --exclude A-VERY-LONG-PATTERN-NAME\n"
    "                       leave out (may be given again) [TARSEAL_VERIFY_EXCLUDE]\n"
    "      --json           print the result as one JSON document\n"
    "                       [TARSEAL_VERIFY_JSON]\n"
    "      --progress MODE  how to show progress on standard error\n"
    "                       (auto|none|plain|json, default: auto)\n"
    "                       [TARSEAL_VERIFY_PROGRESS]\n"
    "  -q, --quiet          print warnings and errors only [TARSEAL_VERIFY_QUIET]\n"
    "  -v, --verbose        say more [TARSEAL_VERIFY_VERBOSE]\n"
    "  -h, --help           print this text\n"
    "      --version        print the version\n";

static int
parse(void *ctx)
{
	struct opt_common common = {0};
	struct opt_list args;
	struct err e = {0};
	char **argv = ctx;
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	return opt_parse(&prog, &common, argc, argv, &args, &e) + 10;
}

static void
help_shows_columns_defaults_and_environment_names(void **state)
{
	const char *argv[] = {"verify", "--help", NULL};
	struct child c;

	(void)state;
	child_run(&c, parse, argv);
	assert_int_equal(c.status, 11);
	assert_string_equal(c.err, "");
	assert_string_equal(c.out, expected);
}

static void
help_shows_defaults_whatever_else_is_given(void **state)
{
	const char *argv[] = {"verify", "--level=quick", "-j9", "-h", NULL};
	struct child c;

	(void)state;
	assert_int_equal(setenv("TARSEAL_JOBS", "7", 1), 0);
	child_run(&c, parse, argv);
	assert_int_equal(c.status, 11);
	assert_string_equal(c.out, expected);
}

static void
version_is_one_line(void **state)
{
	const char *argv[] = {"verify", "--version", NULL};
	struct child c;

	(void)state;
	child_run(&c, parse, argv);
	assert_int_equal(c.status, 11);
	assert_string_equal(c.out, "verify (Tarseal) 0.1.0\n");
	assert_string_equal(tarseal_version, "0.1.0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(help_shows_columns_defaults_and_environment_names),
	    cmocka_unit_test(help_shows_defaults_whatever_else_is_given),
	    cmocka_unit_test(version_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
