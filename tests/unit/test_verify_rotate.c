/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/err.h"
#include "store/repo.h"
#include "tests/unit/unit.h"
#include "verify/opts.h"
#include "verify/rotate.h"

#define SECOND UINT64_C(1000000000)

static struct repo_backup backups[4];
static struct verify_turn turns[4];
static struct verify_opts opts;
static struct verify_rotation rot;

/* Four of 100 bytes, a day apart. */
static int
setup(void **state)
{
	(void)state;
	memset(backups, 0, sizeof(backups));
	opts = (struct verify_opts){.level = VERIFY_STANDARD};
	rot = (struct verify_rotation){.opts = &opts, .turns = turns, .n = COUNT(turns)};
	for (size_t i = 0; i < COUNT(backups); i++) {
		backups[i].name[0] = (char)('a' + i);
		backups[i].seal.created.tv_sec = (time_t)(1000 + 86400 * i);
		backups[i].seal.archive_size = 90;
		backups[i].seal.manifest_size = 10;
		turns[i] = (struct verify_turn){.backup = &backups[i]};
	}
	return 0;
}

static void
checked(size_t i, time_t at)
{
	turns[i].checked = true;
	turns[i].at = at;
}

static void
order_is(const char *names)
{
	char is[COUNT(turns) + 1] = "";

	verify_rotation_sort(turns, COUNT(turns));
	for (size_t i = 0; i < COUNT(turns); i++)
		is[i] = turns[i].backup->name[0];
	assert_string_equal(is, names);
}

static void
never_checked_comes_first_and_the_oldest_of_those(void **state)
{
	(void)state;
	order_is("abcd");
	setup(state);
	checked(0, 5000);
	checked(2, 0);
	order_is("bdca");
}

static void
then_the_one_checked_longest_ago(void **state)
{
	(void)state;
	checked(0, 400);
	checked(1, 100);
	checked(2, 300);
	checked(3, 200);
	order_is("bdca");
}

static void
at_one_time_the_older_backup_and_then_the_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(turns); i++)
		checked(i, 7);
	backups[3].seal.created = (struct timespec){.tv_sec = 1000, .tv_nsec = 0};
	backups[0].seal.created = (struct timespec){.tv_sec = 1000, .tv_nsec = 1};
	backups[2].seal.created = backups[1].seal.created;
	order_is("dabc");
}

/* How many are checked when each takes ns. */
static size_t
go(uint64_t ns)
{
	size_t n = 0;

	while (verify_rotation_next(&rot) != NULL) {
		verify_rotation_took(&rot, ns, false);
		n++;
	}
	return n;
}

static void
a_number_is_a_bound(void **state)
{
	(void)state;
	opts.oldest = 3;
	assert_int_equal(go(1), 3);
	setup(state);
	opts.oldest = 9;
	assert_int_equal(go(1), 4);
}

static void
bytes_are_those_of_archive_and_manifest(void **state)
{
	static const struct {
		uint64_t bytes;
		size_t n;
	} cases[] = {{1, 1}, {100, 1}, {199, 1}, {200, 2}, {399, 3}, {400, 4}, {UINT64_MAX, 4}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		setup(state);
		opts.budget.bytes = cases[i].bytes;
		assert_int_equal(go(1), cases[i].n);
		assert_int_equal(rot.over != NULL, cases[i].bytes < 100);
	}
}

static void
what_does_not_fit_ends_it_though_a_smaller_one_would(void **state)
{
	(void)state;
	backups[1].seal.archive_size = 1000;
	opts.budget.bytes = 300;
	assert_int_equal(go(1), 1);
}

static void
time_goes_by_the_speed_so_far(void **state)
{
	(void)state;
	opts.budget.seconds = 10;
	assert_int_equal(go(5 * SECOND), 2);
	setup(state);
	opts.budget.seconds = 10;
	assert_int_equal(go(5 * SECOND + 1), 1);
	assert_null(rot.over);
	setup(state);
	/* Twice the bytes, twice the time. */
	opts.budget.seconds = 10;
	backups[1].seal.archive_size = 190;
	assert_int_equal(go(4 * SECOND), 1);
	setup(state);
	opts.budget.seconds = 10;
	assert_int_equal(go(11 * SECOND), 1);
	assert_ptr_equal(rot.over, &backups[0]);
}

static void
a_quick_look_takes_as_long_at_each(void **state)
{
	(void)state;
	opts.level = VERIFY_QUICK;
	opts.budget.seconds = 10;
	backups[1].seal.archive_size = UINT64_C(1) << 50;
	assert_int_equal(go(3 * SECOND), 3);
}

static void
both_bounds_hold(void **state)
{
	(void)state;
	opts.oldest = 2;
	opts.budget.bytes = 300;
	assert_int_equal(go(1), 2);
	setup(state);
	opts.oldest = 3;
	opts.budget.bytes = 200;
	assert_int_equal(go(1), 2);
}

static void
one_that_was_pruned_uses_nothing_up(void **state)
{
	(void)state;
	opts.budget.bytes = 100;
	verify_rotation_took(&rot, 1, true);
	assert_ptr_equal(verify_rotation_next(&rot), &backups[1]);
	assert_int_equal(go(1), 1);
	setup(state);
	opts.budget.seconds = 1;
	verify_rotation_took(&rot, 1, true);
	assert_ptr_equal(verify_rotation_next(&rot), &backups[1]);
}

static void
nothing_is_soon_done(void **state)
{
	(void)state;
	rot.n = 0;
	opts.oldest = 1;
	assert_null(verify_rotation_next(&rot));
}

#define T(test) cmocka_unit_test_setup(test, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(never_checked_comes_first_and_the_oldest_of_those),
	    T(then_the_one_checked_longest_ago),
	    T(at_one_time_the_older_backup_and_then_the_list),
	    T(a_number_is_a_bound),
	    T(bytes_are_those_of_archive_and_manifest),
	    T(what_does_not_fit_ends_it_though_a_smaller_one_would),
	    T(time_goes_by_the_speed_so_far),
	    T(a_quick_look_takes_as_long_at_each),
	    T(both_bounds_hold),
	    T(one_that_was_pruned_uses_nothing_up),
	    T(nothing_is_soon_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
