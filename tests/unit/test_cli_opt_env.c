/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/opt.h"
#include "core/err.h"
#include "core/log.h"
#include "tests/unit/child.h"

static struct {
	const char *repo, *other;
	uint64_t jobs;
	bool dry;
	struct opt_list exclude;
	struct opt_common common;
	struct err e;
} v;

static const struct opt table[] = {
    {.name = "repo",
	.kind = OPT_STRING,
	.arg = "DIR",
	.help = "h",
	.value = &v.repo,
	.env = "TARSEAL_REPO"},
    {.name = "jobs",
	.kind = OPT_UINT,
	.arg = "N",
	.help = "h",
	.value = &v.jobs,
	.env = "TARSEAL_JOBS",
	.min = 1,
	.max = 64},
    {.name = "exclude-path", .kind = OPT_LIST, .arg = "P", .help = "h", .value = &v.exclude},
    {.name = "dry-run", .kind = OPT_FLAG, .help = "h", .value = &v.dry},
    {.name = NULL},
};
static const struct opt other_table[] = {
    {.name = "other", .kind = OPT_STRING, .arg = "X", .help = "h", .value = &v.other},
    {.name = NULL},
};
static const struct opt_program backup = {
    .name = "backup", .synopsis = "X", .description = "D.", .opts = table};
static const struct opt_program other_command = {
    .name = "manifest list", .synopsis = "X", .description = "D.", .opts = other_table};
static const struct opt_program *const siblings[] = {&other_command, NULL};
static const struct opt_program with_siblings = {.name = "manifest find",
    .synopsis = "X",
    .description = "D.",
    .opts = table,
    .siblings = siblings};
static const struct opt_program without_siblings = {
    .name = "manifest find", .synopsis = "X", .description = "D.", .opts = table};

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
	return 0;
}

static void
set(const char *name, const char *value)
{
	assert_int_equal(setenv(name, value, 1), 0);
}

static int
parse(const struct opt_program *prog, const char *word)
{
	char *argv[] = {(char *)(uintptr_t) "x", (char *)(uintptr_t)word, NULL};
	struct opt_list args;
	int rc = opt_parse(prog, &v.common, word != NULL ? 2 : 1, argv, &args, &v.e);

	opt_list_done(&args);
	return rc;
}

static void
shared_and_own_names_set_options(void **state)
{
	(void)state;
	set("TARSEAL_REPO", "/r");
	set("TARSEAL_JOBS", "9");
	set("TARSEAL_BACKUP_DRY_RUN", "true");
	set("TARSEAL_BACKUP_JSON", "1");
	set("TARSEAL_BACKUP_EXCLUDE_PATH", "*.tmp\n\ncache/\n");
	assert_int_equal(parse(&backup, NULL), 0);
	assert_string_equal(v.repo, "/r");
	assert_int_equal(v.jobs, 9);
	assert_true(v.dry && v.common.json);
	assert_int_equal(v.exclude.n, 2);
	assert_string_equal(v.exclude.items[0], "*.tmp");
	assert_string_equal(v.exclude.items[1], "cache/");
}

static void
the_command_line_comes_first(void **state)
{
	(void)state;
	set("TARSEAL_JOBS", "not even a number");
	assert_int_equal(parse(&backup, "--jobs=3"), 0);
	assert_int_equal(v.jobs, 3);
	set("TARSEAL_JOBS", "4");
	set("TARSEAL_BACKUP_EXCLUDE_PATH", "a\nb");
	assert_int_equal(parse(&backup, "--exclude-path=c"), 0);
	assert_int_equal(v.exclude.n, 1);
	assert_string_equal(v.exclude.items[0], "c");
	set("TARSEAL_BACKUP_DRY_RUN", "yes");
	assert_int_equal(parse(&backup, "--dry-run=no"), 0);
	assert_false(v.dry);
}

static void
an_empty_value_is_none(void **state)
{
	(void)state;
	set("TARSEAL_REPO", "");
	set("TARSEAL_JOBS", "");
	set("TARSEAL_BACKUP_DRY_RUN", "");
	assert_int_equal(parse(&backup, NULL), 0);
	assert_null(v.repo);
	assert_int_equal(v.jobs, 2);
	assert_false(v.dry);
}

static void
a_bad_value_names_its_variable(void **state)
{
	(void)state;
	set("TARSEAL_JOBS", "many");
	assert_int_equal(parse(&backup, NULL), -1);
	assert_int_equal(v.e.kind, ERR_USAGE);
	assert_string_equal(v.e.msg, "TARSEAL_JOBS: \"many\" is not a number in 1..64");
}

static int
parse_in_child(void *ctx)
{
	log_init("x", LOG_NORMAL);
	return parse(ctx, NULL) == 0 ? 0 : 1;
}

/* What parsing writes to stderr. */
static const char *
warning_of(const struct opt_program *prog)
{
	static struct child c;

	child_run(&c, parse_in_child, (void *)(uintptr_t)prog);
	assert_int_equal(c.status, 0);
	return c.err;
}

static void
names_of_ours_and_of_other_programs_give_no_warning(void **state)
{
	(void)state;
	set("TARSEAL_KEY", "/k");
	set("TARSEAL_TIMEZONE", "UTC");
	set("TARSEAL_VERIFY_WHATEVER", "1");
	set("TARSEAL_RESTORE_TARGET", "/t");
	set("TARSEAL_MANIFEST_X", "1");
	set("TARSEAL_BACKUP_VERBOSE", "1");
	set("TARSEALED", "1");
	set("TARSEAL_", "1");
	assert_string_equal(warning_of(&backup), "");
}

static void
unknown_names_give_one_warning_with_the_nearest(void **state)
{
	(void)state;
	set("TARSEAL_BACKUP_DRYRUN", "1");
	set("TARSEAL_PROXY_SERVICE_HOST", "10.0.0.1");
	assert_string_equal(warning_of(&backup),
	    "x: warning: not known, in the environment: TARSEAL_BACKUP_DRYRUN "
	    "(TARSEAL_BACKUP_DRY_RUN?), TARSEAL_PROXY_SERVICE_HOST\n");
}

static void
commands_of_one_program_know_each_others_names(void **state)
{
	(void)state;
	set("TARSEAL_MANIFEST_OTHER", "1");
	set("TARSEAL_MANIFEST_DRY_RUN", "1");
	assert_string_equal(warning_of(&with_siblings), "");
	set("TARSEAL_MANIFEST_ZZZZZZZZ", "1");
	assert_string_equal(warning_of(&with_siblings),
	    "x: warning: not known, in the environment: TARSEAL_MANIFEST_ZZZZZZZZ\n");
	assert_string_equal(warning_of(&without_siblings), "");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(shared_and_own_names_set_options),
	    T(the_command_line_comes_first),
	    T(an_empty_value_is_none),
	    T(a_bad_value_names_its_variable),
	    T(names_of_ours_and_of_other_programs_give_no_warning),
	    T(unknown_names_give_one_warning_with_the_nearest),
	    T(commands_of_one_program_know_each_others_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
