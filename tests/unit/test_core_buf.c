/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"

static void
appends_add_up(void **state)
{
	struct buf b = {0};
	struct err e = {0};
	size_t i;

	(void)state;
	assert_string_equal(buf_str(&b), "");
	for (i = 0; i < 10000; i++)
		buf_putc(&b, (char)('a' + i % 26));
	buf_puts(&b, "xyz");
	buf_printf(&b, "%05d", 42);
	buf_zeros(&b, 3);
	assert_int_equal(b.len, 10011);
	assert_memory_equal(b.data + 10000, "xyz00042\0\0\0", 11);
	assert_int_equal(buf_check(&b, &e), 0);
	buf_done(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
}

static void
clear_keeps_the_memory(void **state)
{
	struct buf b = {0};
	size_t cap;

	(void)state;
	buf_zeros(&b, 1000);
	cap = b.cap;
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.cap, cap);
	buf_done(&b);
}

static void
reserve_gives_room_that_the_caller_fills(void **state)
{
	struct buf b = {0};
	char *p;

	(void)state;
	p = buf_reserve(&b, 5);
	assert_non_null(p);
	memcpy(p, "hello", 5);
	b.len += 5;
	assert_string_equal(buf_str(&b), "hello");
	buf_done(&b);
}

static void
running_out_of_memory_is_sticky(void **state)
{
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	buf_puts(&b, "kept");
	assert_null(buf_reserve(&b, SIZE_MAX / 2));
	assert_null(buf_reserve(&b, SIZE_MAX));
	buf_puts(&b, "lost");
	assert_int_equal(buf_check(&b, &e), -1);
	assert_string_equal(e.msg, "out of memory");
	assert_string_equal(buf_str(&b), "");
	buf_clear(&b);
	assert_int_equal(buf_check(&b, &e), 0);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(appends_add_up),
	    cmocka_unit_test(clear_keeps_the_memory),
	    cmocka_unit_test(reserve_gives_room_that_the_caller_fills),
	    cmocka_unit_test(running_out_of_memory_is_sticky),
	};

	return cmocka_run_group_tests_name("core_buf", tests, NULL, NULL);
}
