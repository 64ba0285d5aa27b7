/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/pax.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"

static void
expect_text(struct buf *b, const char *want)
{
	assert_string_equal(buf_str(b), want);
	buf_clear(b);
}

static void
records_count_their_own_length(void **state)
{
	struct buf b = {0};

	(void)state;
	pax_put_string(&b, "a", "");
	expect_text(&b, "5 a=\n");
	pax_put_string(&b, "a", "1234");
	expect_text(&b, "9 a=1234\n");
	pax_put_string(&b, "a", "12345"); /* 10 bytes would be 11 with two digits */
	expect_text(&b, "11 a=12345\n");
	pax_put_number(&b, "size", UINT64_MAX);
	expect_text(&b, "29 size=18446744073709551615\n");
	pax_put_number(&b, "size", 0);
	expect_text(&b, "9 size=0\n");
	buf_done(&b);
}

/* Around each power of ten, where the length grows a digit. */
static void
records_of_every_length_come_back(void **state)
{
	struct buf b = {0};
	char *value = malloc(10100);

	(void)state;
	assert_non_null(value);
	memset(value, '\n', 10100);
	for (size_t len = 0; len < 10100; len++) {
		struct pax_record r;
		char *at, *end;

		if (len == 120)
			len = 880;
		if (len == 1020)
			len = 9880;
		buf_clear(&b);
		pax_put(&b, "key", value, len);
		pax_put_string(&b, "next", "x");
		at = (char *)b.data;
		end = at + b.len;
		assert_int_equal(pax_next(&at, end, &r), 1);
		assert_string_equal(r.keyword, "key");
		assert_int_equal(r.len, len);
		assert_memory_equal(r.value, value, len);
		assert_int_equal(r.value[len], 0);
		assert_int_equal(pax_next(&at, end, &r), 1);
		assert_string_equal(r.keyword, "next");
		assert_int_equal(pax_next(&at, end, &r), 0);
	}
	free(value);
	buf_done(&b);
}

static void
what_is_no_record_is_refused(void **state)
{
	static const char *const bad[] = {
	    "\n",
	    " a=b\n",
	    "5 a=b\n",
	    "7 a=b\n",
	    "6 a=bc\n",
	    "6 a=b\n6",
	    "6 abc\n",
	    "5 =b\n",
	    "06 a=b\n",
	    "+6 a=b\n",
	    "-6 a=b\n",
	    "0 a=b\n",
	    "1 a=b\n",
	    "2 \na=b\n",
	    "3 \n",
	    "18446744073709551622 a=b\n",
	    "99999999999999999999999999999999999 a=b\n",
	    "6\ta=b\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t len = strlen(bad[i]);
		char *copy = malloc(len + 1), *at = copy; /* of its own, for asan */
		struct pax_record r;
		int rc;

		assert_non_null(copy);
		memcpy(copy, bad[i], len);
		while ((rc = pax_next(&at, copy + len, &r)) == 1)
			;
		assert_int_equal(rc, -1);
		free(copy);
	}
}

static void
a_keyword_with_nul_is_refused(void **state)
{
	char text[] = "8 a\0b=c\n", *at = text;
	struct pax_record r;

	(void)state;
	assert_int_equal(pax_next(&at, text + 8, &r), -1);
}

static void
times_are_decimal_values(void **state)
{
	static const struct {
		int64_t sec;
		uint32_t nsec;
		const char *text;
	} t[] = {
	    {0, 0, "0.000000000"},
	    {1, 1, "1.000000001"},
	    {-1, 0, "-1.000000000"},
	    {-1, 500000000, "-0.500000000"},
	    {-1, 999999999, "-0.000000001"},
	    {-2, 250000000, "-1.750000000"},
	    {INT64_MAX, 999999999, "9223372036854775807.999999999"},
	    {INT64_MIN, 0, "-9223372036854775808.000000000"},
	    {INT64_MIN, 1, "-9223372036854775807.999999999"},
	};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int64_t sec;
		uint32_t nsec;

		struct pax_record r;
		char *at;

		buf_clear(&b);
		pax_put_time(&b, "m", t[i].sec, t[i].nsec);
		at = (char *)b.data;
		assert_int_equal(pax_next(&at, at + b.len, &r), 1);
		assert_string_equal(r.value, t[i].text);
		assert_int_equal(pax_get_time(t[i].text, strlen(t[i].text), &sec, &nsec), 0);
		assert_true(sec == t[i].sec);
		assert_int_equal(nsec, t[i].nsec);
	}
	buf_done(&b);
}

static void
times_may_have_fewer_digits(void **state)
{
	int64_t sec;
	uint32_t nsec;

	(void)state;
	assert_int_equal(pax_get_time("5", 1, &sec, &nsec), 0);
	assert_true(sec == 5 && nsec == 0);
	assert_int_equal(pax_get_time("-5.25", 5, &sec, &nsec), 0);
	assert_true(sec == -6 && nsec == 750000000);
	assert_int_equal(pax_get_time("-9223372036854775808", 20, &sec, &nsec), 0);
	assert_true(sec == INT64_MIN && nsec == 0);
}

static void
what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {"", "-", ".", ".5", "5.", "--1", "+1", "1.0000000001",
	    "1.5x", "1e3", " 1", "1 ", "01", "9223372036854775808", "-9223372036854775809",
	    "-9223372036854775808.000000001", "1.-5", "1,5"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t sec = 77;
		uint32_t nsec = 78;

		assert_int_equal(pax_get_time(bad[i], strlen(bad[i]), &sec, &nsec), -1);
	}
}

static void
attribute_names_are_escaped_as_gnu_tar_does(void **state)
{
	struct buf b = {0};
	char name[] = "user.a%3Db%25c d", bad[] = "user.%41", cut[] = "user.%2", empty[] = "";

	(void)state;
	pax_put_xattr(&b, "user.a=b%c d", "v\n", 2);
	expect_text(&b, "36 SCHILY.xattr.user.a%3Db%25c d=v\n\n");
	assert_int_equal(pax_unescape_xattr(name), 0);
	assert_string_equal(name, "user.a=b%c d");
	assert_int_equal(pax_unescape_xattr(bad), -1);
	assert_int_equal(pax_unescape_xattr(cut), -1);
	assert_int_equal(pax_unescape_xattr(empty), -1);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_count_their_own_length),
	    cmocka_unit_test(records_of_every_length_come_back),
	    cmocka_unit_test(what_is_no_record_is_refused),
	    cmocka_unit_test(a_keyword_with_nul_is_refused),
	    cmocka_unit_test(times_are_decimal_values),
	    cmocka_unit_test(times_may_have_fewer_digits),
	    cmocka_unit_test(what_is_no_time_is_refused),
	    cmocka_unit_test(attribute_names_are_escaped_as_gnu_tar_does),
	};

	return cmocka_run_group_tests_name("archive/pax", tests, NULL, NULL);
}
