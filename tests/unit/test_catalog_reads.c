/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/reads.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "store/repo.h"
#include "tests/unit/catalog_fixture.h"
#include "tests/unit/unit.h"

#define DAY 86400

static struct cf f;
static struct catalog *c;
static struct repo_backup backups[3];
static struct err e;

/* Three that the catalog need not know to remember what was found in them. */
static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	memset(backups, 0, sizeof(backups));
	log_init("test", LOG_QUIET);
	cf_setup(&f);
	for (size_t i = 0; i < COUNT(backups); i++) {
		backups[i].name[0] = (char)('a' + i);
		backups[i].seal.created.tv_sec = (time_t)(1000 * (i + 1));
		memset(backups[i].seal.text_digest, (int)i, SHA256_LEN);
	}
	return catalog_open_write(&c, f.repo, &e);
}

static int
teardown(void **state)
{
	(void)state;
	catalog_close(c);
	cf_teardown(&f);
	return 0;
}

static void
note(size_t i, time_t at, enum catalog_level level, bool ok)
{
	const struct catalog_verification v = {.at = at, .level = level, .ok = ok};

	assert_int_equal(catalog_add_verification(c, backups[i].seal.text_digest, &v, &e), 0);
}

static void
says_of(size_t n, time_t now, const char *want)
{
	struct catalog_reads r = {0};
	struct buf text = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(catalog_reads_add(&r, c, &backups[i], &e), 0);
	catalog_reads_put(&r, now, &text);
	assert_string_equal(buf_str(&text), want);
	buf_done(&text);
}

static void
days_are_whole_and_below_two_they_are_hours(void **state)
{
	static const struct {
		time_t age;
		const char *text;
	} cases[] = {{-5, "last hour"}, {0, "last hour"}, {3600, "last hour"},
	    {3601, "last 2 hours"}, {DAY, "last 24 hours"}, {2 * DAY - 1, "last 48 hours"},
	    {2 * DAY, "last 2 days"}, {2 * DAY + 1, "last 3 days"}, {9 * DAY, "last 9 days"}};
	char want[128];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		note(i, (time_t)(100000 + i), CATALOG_STANDARD, true);
	for (size_t i = 0; i < COUNT(cases); i++) {
		(void)snprintf(
		    want, sizeof(want), "All 3 backups were read within the %s", cases[i].text);
		says_of(3, 100000 + cases[i].age, want);
	}
	says_of(1, 100000 + 3 * DAY, "The only backup was read within the last 3 days");
	says_of(0, 0, "");
}

static void
those_never_read_are_counted_and_the_oldest_named(void **state)
{
	(void)state;
	says_of(1, 0, "The only backup, a, was never read");
	says_of(3, 0, "None of 3 backups was ever read; the oldest is a");
	note(0, 50, CATALOG_DEEP, true);
	says_of(3, 50,
	    "2 of 3 backups were never read, the oldest of them b; the other one was read within "
	    "the last hour");
	note(1, 40, CATALOG_DEEP, true);
	note(2, 60, CATALOG_QUICK, true);
	says_of(3, 40 + 3 * DAY,
	    "1 of 3 backups was never read: c; the others were read within the last 3 days");
}

static void
the_last_reading_counts_and_none_of_the_future(void **state)
{
	(void)state;
	note(0, 100, CATALOG_STANDARD, true);
	note(0, 100 + 5 * DAY, CATALOG_DEEP, true);
	says_of(1, 100 + 8 * DAY, "The only backup was read within the last 3 days");
	note(0, clock_now().tv_sec + 100000, CATALOG_DEEP, true);
	says_of(1, 100 + 8 * DAY, "The only backup was read within the last 3 days");
}

static void
what_was_damaged_was_read_and_is_told_until_it_is_well_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		note(i, 100, CATALOG_STANDARD, i == 0);
	says_of(3, 100,
	    "All 3 backups were read within the last hour; the last check FAILED of b and 1 more");
	note(1, 200, CATALOG_QUICK, true);
	note(2, 200, CATALOG_DEEP, true);
	says_of(3, 100, "All 3 backups were read within the last hour; the last check FAILED of b");
	note(0, 300, CATALOG_QUICK, false);
	note(1, 300, CATALOG_STANDARD, true);
	says_of(3, 100, "All 3 backups were read within the last hour; the last check FAILED of a");
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(days_are_whole_and_below_two_they_are_hours),
	    T(those_never_read_are_counted_and_the_oldest_named),
	    T(the_last_reading_counts_and_none_of_the_future),
	    T(what_was_damaged_was_read_and_is_told_until_it_is_well_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
