/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "tests/unit/scratch.h"

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
	    "Europe/", "EET-25", "EET-2:60", "EET-2:5:60", "EET-2:", "EE-2", "<EE>-2", "<EET-2",
	    "<E_T>-2", "EET-2 ", " EET-2", "EET--2", "EET-2EEST,M3.6.0,M10.5.0",
	    "EET-2EEST,M3.0.0,M10.5.0", "EET-2EEST,M3.5.7,M10.5.0", "EET-2EEST,M 3.5.0,M10.5.0",
	    "EET-2EEST,M3.5.+0,M10.5.0", "EET-2EEST,J0,J300", "EET-2EEST,J60,J366",
	    "EET-2EEST,60,366", "EET-2EEST,M3.5.0/168,M10.5.0", "EET-2EEST,M3.5.0/3,M10.5.0/",
	    "EET-2EEST,M3.5.0,M10.5.0,", "EET-2EEST,M3.5.0,M10.5.0x", "EET-2EEST,,",
	    "EET-2,M3.5.0,M10.5.0", "EET-2EEST3x", ":Europe/Kiew", ":", "/", "/usr/share/zoneinfo"};
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
assert_stamp(time_t t, const char *want)
{
	char stamp[32];

	clock_stamp(t, stamp);
	assert_string_equal(stamp, want);
}

static void
posix_rules_mean_what_they_say(void **state)
{
	static const struct {
		const char *zone, *winter, *summer;
	} cases[] = {
	    {"AAA-24", "20260209_220005", "20260701_204005"},
	    {"<-03>3", "20260208_190005", "20260630_174005"},
	    {"ABC+0:30:15", "20260208_212950", "20260630_200950"},
	    {"EST5EDT,M3.2.0,M11.1.0", "20260208_170005", "20260630_164005"},
	    {"EST5EDT", "20260208_170005", "20260630_164005"},
	    {"EET-2EEST,J60/-1,J300/167:59:59", "20260209_000005", "20260630_234005"},
	    {"EET-2EEST-4,0/0,364", "20260209_020005", "20260701_004005"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		zone(cases[i].zone);
		assert_stamp(1770588005, cases[i].winter);
		assert_stamp(1782852005, cases[i].summer);
	}
}

static void
zone_files_are_looked_for_where_tzdir_says(void **state)
{
	char dir[SCRATCH_MAX];
	struct buf tokyo = {0};
	struct err e = {0};

	(void)state;
	scratch_new(dir);
	scratch_get("/usr/share/zoneinfo", "Asia/Tokyo", &tokyo);
	scratch_put(dir, "Mine", tokyo.data, tokyo.len);
	scratch_puts(dir, "Text", "TZ? no");
	scratch_puts(dir, "Short", "TZi");
	assert_int_equal(setenv("TZDIR", dir, 1), 0);
	zone("Mine");
	assert_stamp(1770588005, "20260209_070005");
	assert_int_equal(clock_zone_set("Text", &e), -1);
	assert_int_equal(clock_zone_set("Short", &e), -1);
	assert_int_equal(clock_zone_set("Europe/Kyiv", &e), -1);
	/* A refusal changes nothing. */
	assert_stamp(1770588005, "20260209_070005");
	zone("UTC");
	assert_stamp(1770588005, "20260208_220005");
	zone(":UTC");
	assert_stamp(1770588005, "20260208_220005");
	assert_int_equal(unsetenv("TZDIR"), 0);
	scratch_remove(dir);
	buf_done(&tokyo);
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
	/* No summer time was involved here. */
	zone("Europe/Moscow");
	assert_int_equal(parse("2014-10-26 01:30:00"), parse("2014-10-25T22:30:00Z"));
	/* Half an hour comes twice here, and in Dublin the winter is the exception. */
	zone("Australia/Lord_Howe");
	assert_int_equal(parse("2026-04-05 01:45:00"), parse("2026-04-04T15:15:00Z"));
	zone("Europe/Dublin");
	assert_int_equal(parse("2026-10-25 01:30:00"), parse("2026-10-25T01:30:00Z"));
}

static void
an_hour_that_is_left_out_counts_on(void **state)
{
	(void)state;
	zone("Europe/Kyiv");
	assert_int_equal(parse("2026-03-29 03:30:00"), parse("2026-03-29T01:30:00Z"));
	assert_int_equal(parse("2026-03-29 04:00:00"), parse("2026-03-29T01:00:00Z"));
	/* A whole day: Samoa went from the 29th to the 31st. */
	zone("Pacific/Apia");
	assert_int_equal(parse("2011-12-29 23:59:59"), parse("2011-12-30T09:59:59Z"));
	assert_int_equal(parse("2011-12-31 00:00:00"), parse("2011-12-30T10:00:00Z"));
}

/* A backup's time as the tables show it, given back, finds that backup. */
static void
what_is_shown_can_be_given_back(void **state)
{
	static const char *const zones[] = {"Europe/Kyiv", "Australia/Lord_Howe",
	    "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca", "Antarctica/Troll",
	    "Pacific/Apia", "UTC"};
	char shown[64], again[64];
	time_t t, back;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		zone(zones[i]);
		for (t = 1767225600; t < 1798761600; t += 900) {
			clock_table(t, shown);
			shown[19] = '\0';
			back = parse(shown);
			clock_table(back, again);
			again[19] = '\0';
			assert_string_equal(shown, again);
			assert_in_range(back - t, 0, 3 * 3600);
		}
	}
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {"", "yesterday", "2026", "2026-13-01", "2026-02-30",
	    "2026-00-10", "2026-02-00", "2027-02-29", "2026-2-9", "2026-02-09x", "2026-02-09 24:00",
	    "2026-02-09 10", "2026-02-09 10:60", "2026-02-09 10:00:61", "2026-02-09T10:00:00+2",
	    "2026-02-09 10:00Z ", "-026-02-09", "2026-02-09 10:00:00.", "2026-02-09Z",
	    "2026-02-09 ", "2026-02-09 -1:00", "2026-02-09 10:00:00+24:00", "2026-02-09  10:00",
	    "2026-02-09 10:00:00 +02:00", "02026-02-09", "1e99-01-01", "2026-02-09T10:00:00.5.5Z"};
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
years_out_of_reach_are_shown_as_seconds(void **state)
{
	char text[64], stamp[32];

	(void)state;
	zone("UTC");
	clock_table(INT64_MAX, text);
	assert_string_equal(text, "@9223372036854775807");
	clock_rfc3339(INT64_MIN, text);
	assert_string_equal(text, "@-9223372036854775808");
	clock_stamp(INT64_MIN, stamp);
	assert_string_equal(stamp, "@-9223372036854775808");
	clock_rfc3339(-1, text);
	assert_string_equal(text, "1969-12-31T23:59:59Z");
	/* The largest years that fit: nothing may be cut or left unset. */
	clock_date(67767976233446399, text);
	assert_non_null(strstr(text, "2147483"));
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

static void
monotonic_time_counts_nanoseconds(void **state)
{
	const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	uint64_t before = clock_mono_ns(), took;

	(void)state;
	assert_int_equal(nanosleep(&pause, NULL), 0);
	took = clock_mono_ns() - before;
	assert_true(took >= 20000000);
	assert_true(took < 60000000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(monotonic_time_counts_nanoseconds),
	    cmocka_unit_test(unknown_zones_are_refused_not_taken_for_utc),
	    cmocka_unit_test(zones_are_taken_by_name_file_and_rule),
	    cmocka_unit_test(without_a_zone_the_environment_decides_then_utc),
	    cmocka_unit_test(a_date_means_the_end_of_that_local_day),
	    cmocka_unit_test(times_are_inclusive_to_their_last_unit),
	    cmocka_unit_test(an_hour_that_comes_twice_means_the_later),
	    cmocka_unit_test(posix_rules_mean_what_they_say),
	    cmocka_unit_test(zone_files_are_looked_for_where_tzdir_says),
	    cmocka_unit_test(an_hour_that_is_left_out_counts_on),
	    cmocka_unit_test(what_is_shown_can_be_given_back),
	    cmocka_unit_test(years_out_of_reach_are_shown_as_seconds),
	    cmocka_unit_test(what_is_no_time_is_refused),
	    cmocka_unit_test(rfc3339_is_in_utc_and_tables_are_local),
	};

	return cmocka_run_group_tests_name("core_clock", tests, NULL, NULL);
}
