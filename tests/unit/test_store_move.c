/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/priv.h"
#include "tests/unit/scratch.h"

static char dir[SCRATCH_MAX];
static int dirfd;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	return dirfd < 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(dirfd);
	scratch_remove(dir);
	return 0;
}

static const enum repo_move ways[] = {REPO_MOVE_RENAMEAT2, REPO_MOVE_LINK, REPO_MOVE_CHECKED};

static void
each_way_moves(void **state)
{
	char names[64];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		scratch_puts(dir, "from", "x");
		assert_int_equal(repo_move(dirfd, "from", "to", ways[i], &e), 0);
		scratch_list(dir, names, sizeof(names));
		assert_string_equal(names, "to ");
		assert_int_equal(unlinkat(dirfd, "to", 0), 0);
	}
}

static void
no_way_replaces(void **state)
{
	struct buf b = {0};

	(void)state;
	scratch_puts(dir, "from", "new");
	scratch_puts(dir, "to", "old");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(repo_move(dirfd, "from", "to", ways[i], &e), -1);
		assert_int_equal(e.kind, ERR_SYS);
		assert_int_equal(e.sys, EEXIST);
	}
	assert_true(scratch_has(dir, "from"));
	scratch_get(dir, "to", &b);
	assert_string_equal(buf_str(&b), "old");
	buf_done(&b);
}

static void
a_missing_source_is_an_error_each_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(repo_move(dirfd, "from", "to", ways[i], &e), -1);
		assert_int_equal(e.sys, ENOENT);
	}
}

static void
a_link_that_is_there_already_is_finished(void **state)
{
	char names[64];

	(void)state;
	scratch_puts(dir, "from", "x");
	assert_int_equal(linkat(dirfd, "from", dirfd, "to", 0), 0);
	assert_int_equal(repo_move(dirfd, "from", "to", REPO_MOVE_LINK, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, "to ");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(each_way_moves),
	    T(no_way_replaces),
	    T(a_missing_source_is_an_error_each_way),
	    T(a_link_that_is_there_already_is_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
