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

#include "backup/opts.h"
#include "core/err.h"

static struct backup_opts o;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	(void)clearenv();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	backup_opts_done(&o);
	return 0;
}

/* Words separated by spaces. */
static int
parse(const char *line)
{
	static char words[1024];
	char *argv[64] = {(char[]){"backup"}};
	int argc = 1;

	err_clear(&e);
	(void)snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w != NULL; w = strtok(NULL, " "))
		argv[argc++] = w;
	return backup_opts_parse(&o, argc, argv, &e);
}

static void
expect_usage(const char *line, const char *text)
{
	backup_opts_done(&o);
	assert_int_equal(parse(line), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	if (strstr(e.msg, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, e.msg);
}

static void
defaults_are_those_of_the_seed(void **state)
{
	(void)state;
	assert_int_equal(parse("--source s --repo r --key k"), 0);
	assert_string_equal(o.series, "autolab-backup");
	assert_int_equal(o.compression, 5);
	assert_true(o.jobs >= 1);
	assert_int_equal(o.wait_lock, 0);
	assert_int_equal(o.physical_every, 7);
	assert_null(o.run_id);
	assert_false(o.is_unsigned || o.dry_run || o.strict_changed || o.allow_empty);
}

static void
all_options_arrive(void **state)
{
	(void)state;
	assert_int_equal(
	    parse("--source s -r r -k k -t t -s series --timezone Europe/Kyiv -x a -x b "
		  "--exclude-from f --one-file-system --compression 9 -j 3 --strict-changed "
		  "--allow-empty --run-id id --wait-lock 5m --physical-every 30 -n"),
	    0);
	assert_string_equal(o.trust, "t");
	assert_string_equal(o.series, "series");
	assert_string_equal(o.timezone, "Europe/Kyiv");
	assert_int_equal(o.exclude.n, 2);
	assert_string_equal(o.exclude.items[1], "b");
	assert_int_equal(o.exclude_from.n, 1);
	assert_int_equal(o.compression, 9);
	assert_int_equal(o.jobs, 3);
	assert_string_equal(o.run_id, "id");
	assert_int_equal(o.wait_lock, 300);
	assert_int_equal(o.physical_every, 30);
	assert_true(o.one_file_system && o.strict_changed && o.allow_empty && o.dry_run);
}

static void
without_a_key_it_says_how_to_make_one(void **state)
{
	(void)state;
	expect_usage("--source s --repo r", "manifest keygen");
	assert_int_equal(parse("--source s --repo r --unsigned"), 0);
	expect_usage("--source s --repo r --unsigned --key k", "exclude each other");
}

static void
what_is_missing_is_named(void **state)
{
	(void)state;
	expect_usage("--repo r --key k", "--source");
	expect_usage("--source s --key k", "--repo");
	assert_int_equal(parse("--source s --dry-run"), 0);
}

static void
bad_values_are_refused(void **state)
{
	(void)state;
	expect_usage("--source s --repo r --key k --series .x", "--series");
	expect_usage("--source s --repo r --key k --series a/b", "--series");
	expect_usage("--source s --repo r --key k --run-id -", "--run-id");
	expect_usage("--source s --repo r --key k --compression 13", "compression");
	expect_usage("--source s --repo r --key k --jobs 0", "jobs");
	expect_usage("--source s --repo r --key k --physical-every 0", "physical-every");
	expect_usage("--source s --repo r --key k --physical-every 1001", "physical-every");
	expect_usage("--source s --repo r --key k more", "more");
}

static void
rules_of_retention_arrive_and_making_room_takes_one(void **state)
{
	(void)state;
	assert_int_equal(parse("--source s --repo r --key k"), 0);
	assert_false(retain_policy_is_set(&o.keep));
	backup_opts_done(&o);
	assert_int_equal(
	    parse("--source s --repo r --key k --keep-last 1 --keep-daily 2 --keep-weekly 3 "
		  "--keep-monthly 4 --keep-yearly 5 --make-room"),
	    0);
	assert_int_equal(o.keep.last, 1);
	assert_int_equal(o.keep.daily, 2);
	assert_int_equal(o.keep.weekly, 3);
	assert_int_equal(o.keep.monthly, 4);
	assert_int_equal(o.keep.yearly, 5);
	assert_true(o.make_room);
	expect_usage("--source s --repo r --key k --make-room", "--keep-last");
	expect_usage("--source s --repo r --key k --make-room --keep-last 0", "--keep-last");
	expect_usage("--source s --repo r --key k --keep-daily -1", "--keep-daily");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(defaults_are_those_of_the_seed),
	    T(all_options_arrive),
	    T(without_a_key_it_says_how_to_make_one),
	    T(what_is_missing_is_named),
	    T(bad_values_are_refused),
	    T(rules_of_retention_arrive_and_making_room_takes_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
