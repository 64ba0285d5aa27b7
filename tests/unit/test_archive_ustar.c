/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/ustar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
numbers_are_octal_with_all_digits(void **state)
{
	char f[12];

	(void)state;
	ustar_put_number(f, 8, 0644);
	assert_memory_equal(f, "0000644", 8);
	ustar_put_number(f, 8, 07777777);
	assert_memory_equal(f, "7777777", 8);
	ustar_put_number(f, 12, 077777777777);
	assert_memory_equal(f, "77777777777", 12);
}

static void
numbers_too_long_or_negative_are_base_256(void **state)
{
	char f[12];

	(void)state;
	ustar_put_number(f, 8, 010000000);
	assert_memory_equal(f, "\x80\0\0\0\0\x20\0\0", 8);
	ustar_put_number(f, 12, 0100000000000);
	assert_memory_equal(f, "\x80\0\0\0\0\0\0\2\0\0\0\0", 12);
	ustar_put_number(f, 12, -1);
	assert_memory_equal(f, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
	ustar_put_number(f, 12, INT64_MIN);
	assert_memory_equal(f, "\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 12);
}

static void
numbers_come_back(void **state)
{
	static const int64_t numbers[] = {0, 1, 07777777, 010000000, UINT32_MAX, 077777777777,
	    0100000000000, INT64_MAX, -1, -2, INT32_MIN, INT64_MIN};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		char f[12];
		int64_t v = 7;

		ustar_put_number(f, 12, numbers[i]);
		assert_int_equal(ustar_get_number(f, 12, &v), 0);
		assert_true(v == numbers[i]);
		if (numbers[i] < INT32_MIN || numbers[i] > UINT32_MAX)
			continue;
		ustar_put_number(f, 8, numbers[i]);
		assert_int_equal(ustar_get_number(f, 8, &v), 0);
		assert_true(v == numbers[i]);
	}
}

static void
what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = {
	    "\0\0\0\0\0\0\0\0\0\0\0",
	    "           ",
	    " 0000000001",
	    "00000000008",
	    "0000000001x",
	    "0000000 001",
	    "-0000000001",
	    "+0000000001",
	    "0x000000001",
	    "\x80\0\0\1\0\0\0\0\0\0\0", /* beyond 64 bits */
	    "\x80\0\0\0\x80\0\0\0\0\0\0", /* beyond int64_t */
	    "\x81\0\0\0\0\0\0\0\0\0\0",
	    "\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff",
	    "\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff",
	    "\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t v = 42;

		assert_int_equal(ustar_get_number(bad[i], 12, &v), -1);
		assert_int_equal(v, 42);
	}
}

static void
numbers_may_end_with_spaces_or_nothing(void **state)
{
	int64_t v;

	(void)state;
	assert_int_equal(ustar_get_number("000644 \0", 8, &v), 0);
	assert_int_equal(v, 0644);
	assert_int_equal(ustar_get_number("777777777777", 12, &v), 0);
	assert_true(v == 0777777777777);
}

/* Length of a name of n bytes as ustar holds it, or 0 when it does not. */
static size_t
fits(const char *name, size_t len)
{
	struct ustar h;
	char out[257];
	size_t n;

	ustar_init(&h, '0');
	if (!ustar_put_name(&h, name, len)) {
		assert_memory_equal(h.name, name, sizeof(h.name));
		assert_int_equal(h.prefix[0], 0);
		return 0;
	}
	n = ustar_get_name(&h, out);
	assert_int_equal(n, len);
	assert_memory_equal(out, name, n);
	assert_int_equal(out[n], 0);
	return n;
}

static void
names_are_split_where_both_parts_fit(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name));
	assert_int_equal(fits("a", 1), 1);
	assert_int_equal(fits(name, 100), 100);
	assert_int_equal(fits(name, 101), 0);
	name[0] = '/'; /* an empty prefix would lose the slash */
	assert_int_equal(fits(name, 101), 0);
	name[0] = 'n';
	name[1] = '/';
	assert_int_equal(fits(name, 102), 102);
	assert_int_equal(fits(name, 103), 0);
	name[155] = '/';
	assert_int_equal(fits(name, 256), 256);
	assert_int_equal(fits(name, 257), 0);
	name[156] = '/';
	assert_int_equal(fits(name, 257), 0);
	name[1] = 'n';
	name[155] = 'n'; /* the only '/' leaves a prefix of 156 */
	assert_int_equal(fits(name, 200), 0);
	memset(name, 'n', sizeof(name));
	name[149] = '/'; /* only at the end: nothing would follow the prefix */
	assert_int_equal(fits(name, 150), 0);
}

static void
a_header_is_sound_until_a_bit_changes(void **state)
{
	struct ustar h;

	(void)state;
	ustar_init(&h, '5');
	(void)ustar_put_name(&h, "dir/", 4);
	ustar_put_checksum(&h);
	assert_true(ustar_is_sound(&h));
	assert_false(ustar_is_zero(&h));
	for (size_t bit = 0; bit < sizeof(h) * 8; bit++) {
		uint8_t *p = (uint8_t *)&h + bit / 8;

		*p ^= (uint8_t)(1u << bit % 8);
		/* Behind the checksum's digits stand NUL and space, which mean the same. */
		if (ustar_is_sound(&h))
			assert_true(bit / 8 >= offsetof(struct ustar, checksum) + 6 &&
			    bit / 8 < offsetof(struct ustar, typeflag));
		*p ^= (uint8_t)(1u << bit % 8);
	}
	memset(&h, 0, sizeof(h));
	assert_true(ustar_is_zero(&h));
	assert_false(ustar_is_sound(&h));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_octal_with_all_digits),
	    cmocka_unit_test(numbers_too_long_or_negative_are_base_256),
	    cmocka_unit_test(numbers_come_back),
	    cmocka_unit_test(what_is_no_number_is_refused),
	    cmocka_unit_test(numbers_may_end_with_spaces_or_nothing),
	    cmocka_unit_test(names_are_split_where_both_parts_fit),
	    cmocka_unit_test(a_header_is_sound_until_a_bit_changes),
	};

	return cmocka_run_group_tests_name("archive/ustar", tests, NULL, NULL);
}
