/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/err.h"

static void
zone(const char *name)
{
	struct err e = {0};

	assert_int_equal(clock_zone_set(name, &e), 0);
}

static time_t
parse(const char *s)
{
	struct timespec t;
	struct err e = {0};

	assert_int_equal(clock_parse(s, &t, &e), 0);
	return t.tv_sec;
}

static void
unknown_zones_are_refused_not_taken_for_utc(void **state)
{
	static const char *const bad[] = {"Europe/Kiew", "Mars/Base", "X", ":EET-2", "../etc",
	    "/etc/passwd", "EET-2EEST,M13.1.0,M1.1.0", "EET-2EEST,M3.5.0", "EET-", "EET2x",
	    "Europe/"};
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&e);
		if (clock_zone_set(bad[i], &e) != -1)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_non_null(strstr(e.msg, bad[i]));
	}
}

static void
zones_are_taken_by_name_file_and_rule(void **state)
{
	char stamp[32], date[64];

	(void)state;
	zone("Europe/Kyiv");
	clock_stamp(1770588005, stamp);
	clock_date(1770588005, date);
	assert_string_equal(stamp, "20260209_000005");
	assert_string_equal(date, "Mon Feb  9 00:00:05 EET 2026");
	zone(":/usr/share/zoneinfo/Asia/Tokyo");
	clock_stamp(1770588005, stamp);
	assert_string_equal(stamp, "20260209_070005");
	zone("EET-2EEST,M3.5.0/3,M10.5.0/4");
	clock_stamp(1782852005, stamp);
	assert_string_equal(stamp, "20260630_234005");
	zone("<+03>-3");
	clock_stamp(1770588005, stamp);
	assert_string_equal(stamp, "20260209_010005");
	zone("UTC");
	clock_date(1770588005, date);
	assert_string_equal(date, "Sun Feb  8 22:00:05 UTC 2026");
}

static void
without_a_zone_the_environment_decides_then_utc(void **state)
{
	char stamp[32];

	(void)state;
	assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
	zone(NULL);
	clock_stamp(1770588005, stamp);
	assert_string_equal(stamp, "20260209_070005");
	assert_int_equal(unsetenv("TZ"), 0);
	zone(NULL);
	clock_stamp(1770588005, stamp);
	assert_string_equal(stamp, "20260208_220005");
}

static void
a_date_means_the_end_of_that_local_day(void **state)
{
	struct timespec t;
	struct err e = {0};

	(void)state;
	zone("Europe/Kyiv");
	assert_int_equal(clock_parse("2026-02-09", &t, &e), 0);
	assert_int_equal(t.tv_sec, 1770674399);
	assert_int_equal(t.tv_nsec, 999999999);
	/* A day of 25 hours, and one of 23. */
	assert_int_equal(parse("2026-10-25") - parse("2026-10-24"), 25 * 3600);
	assert_int_equal(parse("2026-03-29") - parse("2026-03-28"), 23 * 3600);
}

static void
times_are_inclusive_to_their_last_unit(void **state)
{
	struct timespec t;
	struct err e = {0};

	(void)state;
	zone("Europe/Kyiv");
	assert_int_equal(parse("2026-02-09 00:00:05"), 1770588005);
	assert_int_equal(parse("2026-02-09T00:00"), 1770588059);
	assert_int_equal(parse("2026-02-08T22:00:05Z"), 1770588005);
	assert_int_equal(parse("2026-02-09T03:30:05+05:30"), 1770588005);
	assert_int_equal(parse("2026-02-08T17:00:05-05:00"), 1770588005);
	assert_int_equal(parse("2028-02-29"), parse("2028-02-28") + 86400);
	assert_int_equal(clock_parse("2026-02-08T22:00:05.25Z", &t, &e), 0);
	assert_int_equal(t.tv_nsec, 250000000);
}

static void
an_hour_that_comes_twice_means_the_later(void **state)
{
	(void)state;
	zone("Europe/Kyiv");
	/* 03:30 EEST is 00:30 UTC, 03:30 EET is 01:30 UTC. */
	assert_int_equal(parse("2026-10-25 03:30:00"), parse("2026-10-25T01:30:00Z"));
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {"", "yesterday", "2026", "2026-13-01", "2026-02-30",
	    "2026-00-10", "2026-02-00", "2027-02-29", "2026-2-9", "2026-02-09x", "2026-02-09 24:00",
	    "2026-02-09 10", "2026-02-09 10:60", "2026-02-09 10:00:61", "2026-02-09T10:00:00+2",
	    "2026-02-09 10:00Z ", "-026-02-09", "2026-02-09 10:00:00.", "2026-02-09Z"};
	struct timespec t;
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&e);
		if (clock_parse(bad[i], &t, &e) != -1)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(e.kind, ERR_USAGE);
	}
}

static void
rfc3339_is_in_utc_and_tables_are_local(void **state)
{
	char text[64];

	(void)state;
	zone("Europe/Kyiv");
	clock_rfc3339(1770588005, text);
	assert_string_equal(text, "2026-02-08T22:00:05Z");
	clock_table(1770588005, text);
	assert_string_equal(text, "2026-02-09 00:00:05 +0200");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unknown_zones_are_refused_not_taken_for_utc),
	    cmocka_unit_test(zones_are_taken_by_name_file_and_rule),
	    cmocka_unit_test(without_a_zone_the_environment_decides_then_utc),
	    cmocka_unit_test(a_date_means_the_end_of_that_local_day),
	    cmocka_unit_test(times_are_inclusive_to_their_last_unit),
	    cmocka_unit_test(an_hour_that_comes_twice_means_the_later),
	    cmocka_unit_test(what_is_no_time_is_refused),
	    cmocka_unit_test(rfc3339_is_in_utc_and_tables_are_local),
	};

	return cmocka_run_group_tests_name("core_clock", tests, NULL, NULL);
}
