/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"

static void
an_error_says_where_and_why_once(void **state)
{
	struct err e = {0};

	(void)state;
	errno = ENOSPC;
	assert_int_equal(err_sys(&e, "write"), -1);
	assert_int_equal(err_where(&e, "%s", "NAME.tar.gz"), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_int_equal(e.sys, ENOSPC);
	assert_string_equal(e.msg, "NAME.tar.gz: write: No space left on device");
	assert_int_equal(err_set(&e, ERR_TRUST, "unknown key %d", 7), -1);
	assert_int_equal(e.kind, ERR_TRUST);
	assert_string_equal(e.msg, "unknown key 7");
	assert_int_equal(err_nomem(&e), -1);
	assert_string_equal(e.msg, "out of memory");
	err_clear(&e);
	assert_int_equal(e.kind, ERR_NONE);
}

static void
errno_is_kept_for_the_caller(void **state)
{
	struct err e = {0};

	(void)state;
	errno = EXDEV;
	(void)err_sys(&e, "%0500d", 1);
	(void)err_where(&e, "x");
	assert_int_equal(errno, EXDEV);
}

static void
no_err_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_SYS, "x"), -1);
	assert_int_equal(err_sys(NULL, "x"), -1);
	assert_int_equal(err_where(NULL, "x"), -1);
	assert_int_equal(err_nomem(NULL), -1);
	err_clear(NULL);
}

static void
a_text_that_is_too_long_keeps_its_end(void **state)
{
	struct err e = {0};
	char path[6000];

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	errno = EIO;
	(void)err_sys(&e, "read");
	(void)err_where(&e, "%s", path);
	assert_true(strlen(e.msg) < sizeof(e.msg));
	assert_memory_equal(e.msg, "...", 3);
	assert_string_equal(strstr(e.msg, ": read"), ": read: Input/output error");
}

static void
a_layer_that_gave_no_reason_is_no_success(void **state)
{
	struct err e = {0};

	(void)state;
	(void)err_where(&e, "here");
	assert_int_not_equal(e.kind, ERR_NONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_error_says_where_and_why_once),
	    cmocka_unit_test(errno_is_kept_for_the_caller),
	    cmocka_unit_test(no_err_is_allowed),
	    cmocka_unit_test(a_text_that_is_too_long_keeps_its_end),
	    cmocka_unit_test(a_layer_that_gave_no_reason_is_no_success),
	};

	return cmocka_run_group_tests_name("core_err", tests, NULL, NULL);
}
