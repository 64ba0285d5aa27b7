/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "core/err.h"
#include "tests/unit/unit.h"

static char many[10000];

static void
sys_errors_hold_what_failed_and_why(void **state)
{
	struct err e = {0};

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open '%s'", "x"), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.msg, "open 'x': No such file or directory");
}

static void
where_goes_in_front_and_keeps_kind_and_errno(void **state)
{
	struct err e = {0};

	(void)state;
	errno = EACCES;
	(void)err_sys(&e, "open");
	assert_int_equal(err_where(&e, "%s", "a/b"), -1);
	assert_int_equal(err_where(&e, "backup %d", 7), -1);
	assert_string_equal(e.msg, "backup 7: a/b: open: Permission denied");
	assert_int_equal(e.kind, ERR_SYS);
	assert_int_equal(e.sys, EACCES);
}

static void
errno_is_left_as_it_was(void **state)
{
	struct err e = {0};

	(void)state;
	errno = EIO;
	(void)err_set(&e, ERR_CORRUPT, "bad");
	(void)err_where(&e, "here");
	(void)err_sys(&e, "read");
	(void)err_nomem(&e);
	assert_int_equal(errno, EIO);
}

static void
a_null_err_is_harmless(void **state)
{
	(void)state;
	err_clear(NULL);
	assert_int_equal(err_set(NULL, ERR_USAGE, "x"), -1);
	assert_int_equal(err_sys(NULL, "x"), -1);
	assert_int_equal(err_nomem(NULL), -1);
	assert_int_equal(err_where(NULL, "x"), -1);
}

static void
clear_and_set_forget_the_error_before(void **state)
{
	struct err e = {0};

	(void)state;
	errno = EIO;
	(void)err_sys(&e, "read");
	(void)err_set(&e, ERR_TRUST, "unknown key");
	assert_int_equal(e.sys, 0);
	assert_int_equal(e.kind, ERR_TRUST);
	assert_string_equal(e.msg, "unknown key");
	err_clear(&e);
	assert_int_equal(e.kind, ERR_NONE);
	assert_string_equal(e.msg, "");
	(void)err_nomem(&e);
	assert_int_equal(e.kind, ERR_SYS);
	assert_int_equal(e.sys, ENOMEM);
	assert_string_equal(e.msg, "out of memory");
}

static void
a_message_may_be_made_from_itself(void **state)
{
	struct err e = {0};

	(void)state;
	(void)err_set(&e, ERR_CORRUPT, "bad");
	(void)err_set(&e, ERR_USAGE, "very %s", e.msg);
	assert_string_equal(e.msg, "very bad");
	(void)err_where(&e, "not %s", e.msg);
	assert_string_equal(e.msg, "not very bad: very bad");
}

static void
a_long_path_never_hides_the_reason(void **state)
{
	struct err e = {0};

	(void)state;
	errno = ENOSPC;
	(void)err_sys(&e, "write '%s'", many);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, "...aaa", 6);
	assert_string_equal(strchr(e.msg, '\''), "': No space left on device");
	(void)err_where(&e, "%s!", many);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, "...", 3);
	assert_null(strchr(e.msg, '!'));
	assert_string_equal(strchr(e.msg, '\''), "': No space left on device");

	(void)err_set(&e, ERR_CORRUPT, "why");
	(void)err_where(&e, "%s", many);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, "...aaa", 6);
	assert_string_equal(e.msg + strlen(e.msg) - 8, "aaa: why");
}

static void
a_message_that_just_fits_is_not_cut(void **state)
{
	struct err e = {0};

	(void)state;
	(void)err_set(&e, ERR_CORRUPT, "%.*s", (int)sizeof(e.msg) - 1, many);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, many, sizeof(e.msg) - 1);
	(void)err_set(&e, ERR_CORRUPT, "%.*s", (int)sizeof(e.msg), many);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_memory_equal(e.msg, "...a", 4);
}

static void
a_cut_does_not_split_a_character(void **state)
{
	char text[9001];
	struct err e = {0};
	size_t i, shift;

	(void)state;
	for (i = 0; i < 9000; i += 3)
		memcpy(text + i, "\xE2\x82\xAC", 3);
	for (shift = 0; shift < 3; shift++) {
		text[9000] = '\0';
		(void)err_set(&e, ERR_CORRUPT, "%s%.*s", text, (int)shift, "zz");
		assert_memory_equal(e.msg, "...\xE2\x82\xAC", 6);
	}
}

static void
where_without_a_reason_is_still_a_failure(void **state)
{
	struct err e = {0};

	(void)state;
	(void)err_where(&e, "x");
	assert_int_equal(e.kind, ERR_SYS);
	assert_string_equal(e.msg, "x: failed without a reason");
}

static void
an_error_is_passed_on_whole(void **state)
{
	struct err why = {0}, e = {0};

	(void)state;
	errno = EIO;
	(void)err_sys(&why, "read");
	assert_int_equal(err_pass(&e, &why), -1);
	assert_memory_equal(&e, &why, sizeof(e));
	assert_int_equal(err_pass(NULL, &why), -1);
}

static void
a_stop_and_shortages_are_our_own(void **state)
{
	static const int ours[] = {ENOMEM, EMFILE, ENFILE, EINTR}, others[] = {EIO, EACCES, 0};
	struct err e = {.kind = ERR_STOPPED};

	(void)state;
	assert_true(err_is_ours(&e));
	for (size_t i = 0; i < 4; i++)
		assert_true(err_is_ours(&(struct err){.kind = ERR_SYS, .sys = ours[i]}));
	for (size_t i = 0; i < 3; i++)
		assert_false(err_is_ours(&(struct err){.kind = ERR_SYS, .sys = others[i]}));
	assert_false(err_is_ours(&(struct err){.kind = ERR_CORRUPT}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sys_errors_hold_what_failed_and_why),
	    cmocka_unit_test(where_goes_in_front_and_keeps_kind_and_errno),
	    cmocka_unit_test(errno_is_left_as_it_was),
	    cmocka_unit_test(a_null_err_is_harmless),
	    cmocka_unit_test(clear_and_set_forget_the_error_before),
	    cmocka_unit_test(a_message_may_be_made_from_itself),
	    cmocka_unit_test(a_long_path_never_hides_the_reason),
	    cmocka_unit_test(a_message_that_just_fits_is_not_cut),
	    cmocka_unit_test(a_cut_does_not_split_a_character),
	    cmocka_unit_test(where_without_a_reason_is_still_a_failure),
	    cmocka_unit_test(an_error_is_passed_on_whole),
	    cmocka_unit_test(a_stop_and_shortages_are_our_own),
	};

	memset(many, 'a', sizeof(many) - 1);
	return cmocka_run_group_tests_name("core_err", tests, NULL, NULL);
}
