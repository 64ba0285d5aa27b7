/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "tests/unit/unit.h"

/* A sanitizer's malloc, too, shall say no instead of ending the program. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
appends_stand_one_after_the_other(void **state)
{
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	buf_append(&b, "ab\0c", 4);
	buf_puts(&b, "de");
	buf_putc(&b, 'f');
	buf_zeros(&b, 2);
	buf_printf(&b, "%d-%s", 42, "x");
	assert_int_equal(b.len, 13);
	assert_memory_equal(b.data, "ab\0cdef\0\00042-x", 13);
	assert_int_equal(buf_check(&b, &e), 0);
	buf_done(&b);
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
}

static void
nothing_appended_is_nothing(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_append(&b, NULL, 0);
	buf_puts(&b, "");
	buf_zeros(&b, 0);
	buf_printf(&b, "%s", "");
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_str(&b), "");
	buf_done(&b);
	buf_done(&b);
}

static void
printf_grows_at_each_length(void **state)
{
	struct buf b = {0};
	char text[301];
	size_t n;

	(void)state;
	for (n = 0; n <= 300; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		buf_done(&b);
		buf_printf(&b, "%s", text);
		assert_int_equal(b.len, n);
		assert_string_equal(buf_str(&b), text);
	}
	buf_done(&b);
}

static void
str_is_terminated_without_being_longer(void **state)
{
	struct buf b = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 200; i++) {
		buf_putc(&b, 'y');
		assert_int_equal(strlen(buf_str(&b)), i + 1);
		assert_int_equal(b.len, i + 1);
	}
	buf_clear(&b);
	assert_string_equal(buf_str(&b), "");
	buf_done(&b);
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
reserve_gives_room_and_changes_nothing(void **state)
{
	struct buf b = {0};
	char *room;

	(void)state;
	buf_puts(&b, "12");
	assert_non_null(room = buf_reserve(&b, 5000));
	memset(room, 'z', 5000);
	assert_int_equal(b.len, 2);
	b.len += 5000;
	assert_memory_equal(b.data, "12z", 3);
	buf_done(&b);
}

static void
running_out_of_memory_is_sticky_until_cleared(void **state)
{
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	buf_puts(&b, "abc");
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_null(buf_reserve(&b, 1));
	buf_puts(&b, "def");
	buf_putc(&b, 'g');
	buf_zeros(&b, 1);
	buf_printf(&b, "h");
	assert_int_equal(b.len, 3);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_check(&b, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_int_equal(e.sys, ENOMEM);
	buf_clear(&b);
	buf_puts(&b, "i");
	assert_string_equal(buf_str(&b), "i");
	assert_int_equal(buf_check(&b, &e), 0);
	buf_done(&b);
}

static void
absurd_lengths_fail_cleanly(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_zeros(&b, (size_t)PTRDIFF_MAX);
	assert_true(b.failed);
	buf_done(&b);
	buf_putc(&b, 'x');
	assert_null(buf_reserve(&b, (size_t)PTRDIFF_MAX));
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(appends_stand_one_after_the_other),
	    cmocka_unit_test(nothing_appended_is_nothing),
	    cmocka_unit_test(printf_grows_at_each_length),
	    cmocka_unit_test(str_is_terminated_without_being_longer),
	    cmocka_unit_test(clear_keeps_the_memory),
	    cmocka_unit_test(reserve_gives_room_and_changes_nothing),
	    cmocka_unit_test(running_out_of_memory_is_sticky_until_cleared),
	    cmocka_unit_test(absurd_lengths_fail_cleanly),
	};

	return cmocka_run_group_tests_name("core_buf", tests, NULL, NULL);
}
