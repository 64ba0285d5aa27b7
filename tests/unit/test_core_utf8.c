/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/utf8.h"
#include "tests/unit/unit.h"

/* The table of RFC 3629, section 3, the other way round. */
static size_t
encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xF0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

static void
every_code_point_is_read_and_nothing_else(void **state)
{
	char text[4];
	uint32_t c, got;
	size_t n;

	(void)state;
	for (c = 0; c < 0x200000; c++) {
		n = encode(c, text);
		got = 7;
		if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
			assert_int_equal(utf8_next(text, n, &got), 0);
			assert_int_equal(got, 7);
		} else if (utf8_next(text, n, &got) != n || got != c) {
			fail_msg("U+%X", (unsigned)c);
		}
	}
}

static void
what_is_malformed_is_refused(void **state)
{
	static const char *const bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2z",
	    "\xC2\xC2", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE2\x82", "\xE2z\x82", "\xE2\x82z",
	    "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE",
	    "\xFF"};
	uint32_t c = 7;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_int_equal(utf8_next(bad[i], strlen(bad[i]), &c), 0);
	assert_int_equal(c, 7);
}

static void
nothing_behind_the_end_is_read(void **state)
{
	char euro[3] = "\xE2\x82\xAC";
	uint32_t c;

	(void)state;
	assert_int_equal(utf8_next(euro, 1, &c), 0);
	assert_int_equal(utf8_next(euro, 2, &c), 0);
	assert_int_equal(utf8_next(euro, 3, &c), 3);
	assert_int_equal(c, 0x20AC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_code_point_is_read_and_nothing_else),
	    cmocka_unit_test(what_is_malformed_is_refused),
	    cmocka_unit_test(nothing_behind_the_end_is_read),
	};

	return cmocka_run_group_tests_name("core_utf8", tests, NULL, NULL);
}
