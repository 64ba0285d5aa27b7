/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/num.h"
#include "tests/unit/unit.h"

static void
u64_reads_canonical_decimals(void **state)
{
	uint64_t n = 5;

	(void)state;
	assert_int_equal(num_u64("0", 1, UINT64_MAX, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(num_u64("123x", 3, UINT64_MAX, &n), 0);
	assert_int_equal(n, 123);
	assert_int_equal(num_u64("18446744073709551615", 20, UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(num_u64("255", 3, 255, &n), 0);
}

static void
u64_refuses_everything_else_and_writes_nothing(void **state)
{
	static const char *const bad[] = {"", "00", "01", "-1", "+1", " 1", "1 ", "1x", "0x1",
	    "18446744073709551616", "28446744073709551615", "99999999999999999999", "1.0", "\xB2"};
	uint64_t n = 77;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(num_u64(bad[i], strlen(bad[i]), UINT64_MAX, &n), -1);
	assert_int_equal(num_u64("256", 3, 255, &n), -1);
	assert_int_equal(num_u64("1\0", 2, 255, &n), -1);
	assert_int_equal(n, 77);
}

static void
i64_reads_its_whole_range(void **state)
{
	int64_t n = 7;

	(void)state;
	assert_int_equal(num_i64("-9223372036854775808", 20, &n), 0);
	assert_true(n == INT64_MIN);
	assert_int_equal(num_i64("9223372036854775807", 19, &n), 0);
	assert_true(n == INT64_MAX);
	assert_int_equal(num_i64("-1", 2, &n), 0);
	assert_int_equal(n, -1);
	assert_int_equal(num_i64("0", 1, &n), 0);
	assert_int_equal(n, 0);
}

static void
i64_refuses_what_is_not_canonical(void **state)
{
	static const char *const bad[] = {
	    "", "-", "--1", "-0", "-01", "+1", "9223372036854775808", "-9223372036854775809", "1-"};
	int64_t n = 77;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(num_i64(bad[i], strlen(bad[i]), &n), -1);
	assert_int_equal(n, 77);
}

static void
octal_takes_leading_zeros_but_no_other_digits(void **state)
{
	uint64_t n = 77;

	(void)state;
	assert_int_equal(num_octal("0644", 4, 07777, &n), 0);
	assert_int_equal(n, 0644);
	assert_int_equal(num_octal("1777777777777777777777", 22, UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(num_octal("2000000000000000000000", 22, UINT64_MAX, &n), -1);
	assert_int_equal(num_octal("0008", 4, UINT64_MAX, &n), -1);
	assert_int_equal(num_octal("", 0, UINT64_MAX, &n), -1);
	assert_int_equal(num_octal("10000", 5, 07777, &n), -1);
	assert_int_equal(num_octal("/7", 2, UINT64_MAX, &n), -1);
}

static void
digits_are_those_of_printf(void **state)
{
	static const uint64_t numbers[] = {
	    0, 1, 9, 10, 99, 100, 1000000000, 9999999999, UINT64_MAX - 1, UINT64_MAX};
	char expected[32], out[NUM_DIGITS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		memset(out, 0, sizeof(out));
		size_t n = num_digits(numbers[i], out);
		(void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)numbers[i]);
		assert_int_equal(n, strlen(expected));
		assert_string_equal(out, expected);
	}
}

static void
human_sizes_are_those_of_ls(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
	    {0, "0"},
	    {1, "1"},
	    {1023, "1023"},
	    {1024, "1.0K"},
	    {1025, "1.1K"},
	    {1234567, "1.2M"},
	    {10188, "10K"},
	    {10239, "10K"},
	    {10241, "11K"},
	    {1023 * 1024, "1023K"},
	    {1023 * 1024 + 1, "1.0M"},
	    {1024 * 1024 - 1, "1.0M"},
	    {1024 * 1024, "1.0M"},
	    {245366784, "234M"},
	    {245366785, "235M"},
	    {UINT64_C(1) << 40, "1.0T"},
	    {UINT64_C(1) << 60, "1.0E"},
	    {UINT64_MAX, "16E"},
	};
	char out[16];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		num_human(cases[i].bytes, out);
		assert_string_equal(out, cases[i].text);
	}
}

static void
durations_have_one_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} cases[] = {{"0", 0}, {"90", 90}, {"90s", 90}, {"15m", 900}, {"26h", 93600},
	    {"7d", 604800}, {"2w", 1209600}, {"18446744073709551615s", UINT64_MAX},
	    {"213503982334601d", UINT64_C(213503982334601) * 86400}};
	struct err e = {0};
	uint64_t s;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_int_equal(num_duration(cases[i].text, &s, &e), 0);
		assert_true(s == cases[i].seconds);
	}
}

static void
other_durations_are_usage_errors(void **state)
{
	static const char *const bad[] = {"", "s", "h", "-1h", "1.5h", "1 h", " 1h", "1hh", "1h30m",
	    "1y", "01h", "1H", "213503982334602d", "99999999999999999999"};
	struct err e;
	uint64_t s = 77;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		err_clear(&e);
		assert_int_equal(num_duration(bad[i], &s, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	assert_int_equal(s, 77);
}

static void
sizes_have_a_unit(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = {{"0K", 0}, {"1K", 1024}, {"1KB", 1000}, {"1KiB", 1024}, {"500M", 524288000},
	    {"5GB", UINT64_C(5000000000)}, {"5GiB", UINT64_C(5368709120)},
	    {"2T", UINT64_C(2199023255552)}, {"16777215T", UINT64_C(16777215) << 40}};
	struct err e = {0};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(num_size(cases[i].text, &n, &e), 0);
		assert_true(n == cases[i].bytes);
	}
}

static void
other_sizes_are_usage_errors(void **state)
{
	static const char *const bad[] = {"", "B", "iB", "K", "KB", "5", "5B", "5iB", "5k", "5kb",
	    "5Kib", "5KIB", "1.5G", "-1G", " 1G", "1 G", "1GG", "1GBB", "01G", "1P", "16777216T"};
	struct err e;
	uint64_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		err_clear(&e);
		assert_int_equal(num_size(bad[i], &n, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	assert_int_equal(n, 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(u64_reads_canonical_decimals),
	    cmocka_unit_test(u64_refuses_everything_else_and_writes_nothing),
	    cmocka_unit_test(i64_reads_its_whole_range),
	    cmocka_unit_test(i64_refuses_what_is_not_canonical),
	    cmocka_unit_test(octal_takes_leading_zeros_but_no_other_digits),
	    cmocka_unit_test(digits_are_those_of_printf),
	    cmocka_unit_test(human_sizes_are_those_of_ls),
	    cmocka_unit_test(durations_have_one_unit),
	    cmocka_unit_test(other_durations_are_usage_errors),
	    cmocka_unit_test(sizes_have_a_unit),
	    cmocka_unit_test(other_sizes_are_usage_errors),
	};

	return cmocka_run_group_tests_name("core_num", tests, NULL, NULL);
}
