/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "tests/unit/unit.h"

#include "manifest/growth.h"
#include "store/repo.h"

#define DAY 86400
#define MANY 64

/* A list of seals that were never written. */
struct world {
	struct repo_backup b[MANY];
	struct repo_list l;
};

static struct repo_backup *
add(struct world *w, const char *series, uint64_t sequence, uint64_t bytes, uint64_t archive)
{
	struct repo_backup *b = &w->b[w->l.n++];

	*b = (struct repo_backup){.state = REPO_TRUSTED};
	(void)strcpy(b->seal.series, series);
	b->seal.sequence = sequence;
	b->seal.created.tv_sec = (time_t)(1000000000 + sequence * DAY);
	b->seal.bytes = bytes;
	b->seal.archive_size = archive;
	b->seal.manifest_size = 1;
	w->l.backups = w->b;
	return b;
}

static struct growth
of(const struct world *w, size_t at)
{
	struct growth g;

	growth_of_series(&g, &w->l, at, false);
	return g;
}

static void
a_series_is_told_from_its_seals(void **state)
{
	struct world w = {0};
	struct growth g;

	(void)state;
	add(&w, "a", 1, 1000, 100);
	add(&w, "a", 2, 1500, 120);
	add(&w, "a", 3, 1400, 110);
	add(&w, "b", 1, 1, 1);
	g = of(&w, 0);
	assert_string_equal(g.series, "a");
	assert_int_equal(g.end, 3);
	assert_int_equal(g.backups, 3);
	assert_int_equal(g.incomplete, 0);
	assert_int_equal(g.archive_bytes, 330);
	assert_int_equal(g.manifest_bytes, 3);
	assert_true(g.has_growth);
	assert_int_equal(g.content_last, -100);
	assert_int_equal(g.content_average, 200);
	assert_int_equal(g.archive_last, -10);
	assert_int_equal(g.archive_average, 5);
	assert_true(g.per_day > 0.999 && g.per_day < 1.001);
	assert_int_equal(g.keep_max, 0);
	g = of(&w, 3);
	assert_string_equal(g.series, "b");
	assert_int_equal(g.end, 4);
	assert_false(g.has_growth);
	assert_true(g.per_day == 0);
}

static void
incomplete_backups_do_not_count_for_growth(void **state)
{
	struct world w = {0};
	struct growth g;

	(void)state;
	add(&w, "a", 1, 1000, 100);
	add(&w, "a", 2, 5, 5)->seal.unreadable = 3;
	g = of(&w, 0);
	assert_int_equal(g.incomplete, 1);
	assert_false(g.has_growth);
	add(&w, "a", 3, 1010, 101);
	g = of(&w, 0);
	assert_int_equal(g.backups, 3);
	assert_int_equal(g.content_last, 10);
	assert_int_equal(g.content_average, 10);
	assert_true(g.per_day > 0.499 && g.per_day < 0.501);
}

static void
what_is_not_trusted_only_takes_space(void **state)
{
	struct world w = {0};
	struct growth g;

	(void)state;
	add(&w, "", 0, 0, 0)->state = REPO_BAD;
	add(&w, "a", 1, 1000, 100);
	add(&w, "a", 2, 9000, 900)->state = REPO_UNTRUSTED;
	add(&w, "a", 3, 9000, 900)->state = REPO_UNSIGNED;
	g = of(&w, 0);
	assert_null(g.newest);
	assert_int_equal(g.rest_bytes, 0);
	g = of(&w, 1);
	assert_int_equal(g.backups, 1);
	assert_int_equal(g.rest_bytes, 1802);
	growth_of_series(&g, &w.l, 1, true);
	assert_int_equal(g.backups, 2);
	assert_int_equal(g.rest_bytes, 901);
}

static time_t
after(uint64_t sequence)
{
	return (time_t)(1000000000 + sequence * DAY + 3600);
}

static void
without_a_policy_each_night_takes_its_size(void **state)
{
	struct world w = {0};
	struct growth g;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		add(&w, "a", i, 1000, 99);
	g = of(&w, 0);
	assert_int_equal(growth_full_in_days(&g, 1, 1050, after(5)), 11);
	assert_int_equal(growth_full_in_days(&g, 1, 0, after(5)), 1);
	assert_int_equal(growth_full_in_days(&g, 1, UINT64_MAX, after(5)), -1);
	/* It has stopped: nothing comes any more. */
	assert_int_equal(growth_full_in_days(&g, 1, 1050, after(10)), -1);
	assert_int_equal(growth_full_in_days(&g, 0, 0, after(5)), -1);
}

static void
with_a_policy_only_larger_backups_fill_the_volume(void **state)
{
	static char policy[] = "keep-last=3 keep-daily=2";
	struct world w = {0};
	struct growth g;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		add(&w, "a", i, 1000, 99)->seal.policy = policy;
	g = of(&w, 0);
	assert_int_equal(g.keep_max, 5);
	/* One more while it is made, and that is all. */
	assert_int_equal(growth_full_in_days(&g, 1, 100, after(5)), -1);
	assert_int_equal(growth_full_in_days(&g, 1, 99, after(5)), 1);
	/* Each 10 larger than the one before: 6 of them after n days are 6 * (100 + 10 n). */
	w.b[0].seal.archive_size = 59;
	g = of(&w, 0);
	assert_int_equal(g.archive_average, 10);
	assert_int_equal(growth_full_in_days(&g, 1, 700, after(5)), 11);
}

static void
two_backups_within_an_hour_say_nothing_of_the_future(void **state)
{
	struct world w = {0};
	struct growth g;

	(void)state;
	add(&w, "a", 1, 1000, 99);
	add(&w, "a", 2, 1000, 99)->seal.created.tv_sec -= DAY - 3600;
	g = of(&w, 0);
	assert_true(g.has_growth);
	assert_true(g.per_day == 0);
	assert_int_equal(growth_full_in_days(&g, 1, 0, after(1)), -1);
}

static void
a_policy_that_is_none_bounds_nothing(void **state)
{
	static char policy[] = "keep-everything";
	struct world w = {0};

	(void)state;
	add(&w, "a", 1, 1, 1)->seal.policy = policy;
	assert_int_equal(of(&w, 0).keep_max, 0);
}

static void
differences_have_a_sign(void **state)
{
	struct buf b = {0};

	(void)state;
	growth_put(&b, 1536);
	buf_putc(&b, ' ');
	growth_put(&b, -3);
	buf_putc(&b, ' ');
	growth_put(&b, 0);
	buf_putc(&b, ' ');
	growth_put(&b, INT64_MIN);
	assert_string_equal(buf_str(&b), "+1.5K -3 0 -8.0E");
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_series_is_told_from_its_seals),
	    cmocka_unit_test(incomplete_backups_do_not_count_for_growth),
	    cmocka_unit_test(what_is_not_trusted_only_takes_space),
	    cmocka_unit_test(without_a_policy_each_night_takes_its_size),
	    cmocka_unit_test(with_a_policy_only_larger_backups_fill_the_volume),
	    cmocka_unit_test(two_backups_within_an_hour_say_nothing_of_the_future),
	    cmocka_unit_test(a_policy_that_is_none_bounds_nothing),
	    cmocka_unit_test(differences_have_a_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
