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

#include "archive/cut.h"
#include "core/err.h"
#include "pack/holes.h"
#include "tests/unit/scratch.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define UNIT (64 * KIB)

static char dir[SCRATCH_MAX], file[SCRATCH_MAX + 8];
static int fd;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	(void)snprintf(file, sizeof(file), "%s/f", dir);
	fd = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	return fd < 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (fd >= 0)
		(void)close(fd);
	scratch_remove(dir);
	return 0;
}

static void
put(uint64_t offset, const char *text)
{
	assert_int_equal(pwrite(fd, text, strlen(text), (off_t)offset), strlen(text));
}

static void
feed(struct holes *h, uint64_t len, bool zeros)
{
	assert_int_equal(holes_feed(h, len, zeros, &e), 0);
}

static void
expect_extent(const struct holes *h, size_t i, uint64_t offset, uint64_t len)
{
	assert_true(i < h->n);
	assert_int_equal(h->extents[i].offset, offset);
	assert_int_equal(h->extents[i].len, len);
}

static void
holes_is_zero_sees_one_bit(void **state)
{
	static uint8_t data[1000];

	(void)state;
	assert_true(holes_is_zero(data, sizeof(data)));
	assert_true(holes_is_zero(data, 0));
	assert_true(holes_is_zero(data, 1));
	for (size_t i = 0; i < sizeof(data); i += 111) {
		data[i] = 1;
		assert_false(holes_is_zero(data, sizeof(data)));
		assert_true(holes_is_zero(data, i));
		data[i] = 0;
	}
}

static void
holes_are_whole_units_of_zeros(void **state)
{
	struct holes h;

	(void)state;
	holes_init(&h, 10 * UNIT + 100);
	feed(&h, UNIT, true);
	feed(&h, UNIT / 2, true); /* one half has data: no hole */
	feed(&h, UNIT / 2, false);
	feed(&h, UNIT, false);
	feed(&h, 5 * UNIT, true);
	feed(&h, 2 * UNIT, true);
	feed(&h, 100, false); /* the last one is shorter */
	assert_int_equal(h.saved, 8 * UNIT);
	assert_int_equal(h.n, 2);
	expect_extent(&h, 0, UNIT, 2 * UNIT);
	expect_extent(&h, 1, 10 * UNIT, 100);
	holes_done(&h);
}

static void
holes_do_not_depend_on_how_they_are_fed(void **state)
{
	struct holes a, b;
	uint64_t size = 40 * UNIT + 7;

	(void)state;
	holes_init(&a, size);
	holes_init(&b, size);
	feed(&a, 3 * UNIT, true);
	feed(&a, UNIT, false);
	feed(&a, 36 * UNIT + 7, true);
	for (uint64_t at = 0; at < size;) {
		uint64_t n = size - at < UNIT / 4 ? size - at : UNIT / 4;
		feed(&b, n, at / UNIT != 3);
		at += n;
	}
	assert_int_equal(a.saved, b.saved);
	assert_int_equal(a.saved, 39 * UNIT + 7);
	assert_int_equal(a.n, 1);
	assert_int_equal(b.n, 1);
	assert_int_equal(a.extents[0].offset, b.extents[0].offset);
	assert_int_equal(a.extents[0].len, b.extents[0].len);
	holes_done(&a);
	holes_done(&b);
}

static void
holes_of_a_huge_file_have_larger_units(void **state)
{
	struct holes h;

	(void)state;
	holes_init(&h, 256 * 1024 * MIB);
	assert_int_equal(h.unit, 4 * MIB);
	assert_int_equal(holes_piece(&h), CUT_CHUNK);
	feed(&h, 3 * MIB, true);
	feed(&h, MIB, false);
	feed(&h, 4 * MIB, true);
	assert_int_equal(h.saved, 4 * MIB);
	expect_extent(&h, 0, 0, 4 * MIB);
	holes_done(&h);
}

static void
holes_are_worth_it_beyond_64_mib(void **state)
{
	struct holes h;

	(void)state;
	holes_init(&h, 100 * MIB);
	feed(&h, 64 * MIB, true);
	assert_false(holes_worth(&h));
	feed(&h, UNIT, true);
	assert_true(holes_worth(&h));
	holes_done(&h);
}

static void
holes_scan_finds_holes_and_written_zeros_alike(void **state)
{
	struct holes h;
	static const uint8_t zeros[UNIT];

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(20 * MIB + 5)), 0);
	put(3 * MIB + 17, "x");
	put(20 * MIB + 4, "y");
	for (uint64_t at = 8 * MIB; at < 10 * MIB; at += sizeof(zeros))
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), (off_t)at), sizeof(zeros));
	holes_init(&h, 20 * MIB + 5);
	assert_int_equal(holes_scan(&h, fd, &e), 0);
	assert_int_equal(h.n, 2);
	expect_extent(&h, 0, 3 * MIB, UNIT);
	expect_extent(&h, 1, 20 * MIB, 5);
	assert_int_equal(h.saved, 20 * MIB - UNIT);
	holes_done(&h);
}

static void
holes_known_is_what_the_file_system_says(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(10 * MIB)), 0);
	put(5 * MIB, "x");
	uint64_t known = holes_known(fd, 10 * MIB);
	if (known == 0)
		skip(); /* it does not tell */
	assert_true(known >= 9 * MIB && known < 10 * MIB);
	assert_int_equal(holes_known(fd, 0), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(holes_is_zero_sees_one_bit),
	    T(holes_are_whole_units_of_zeros),
	    T(holes_do_not_depend_on_how_they_are_fed),
	    T(holes_of_a_huge_file_have_larger_units),
	    T(holes_are_worth_it_beyond_64_mib),
	    T(holes_scan_finds_holes_and_written_zeros_alike),
	    T(holes_known_is_what_the_file_system_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
