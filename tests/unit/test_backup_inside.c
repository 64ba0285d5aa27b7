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

#include "backup/inside.h"
#include "core/err.h"
#include "tests/unit/scratch.h"

static char dir[SCRATCH_MAX];
static int root;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0 || mkdirat(root, "a", 0755) != 0 || mkdirat(root, "a/b", 0755) != 0 ||
	    mkdirat(root, "a/b/c", 0755) != 0 || mkdirat(root, "ab", 0755) != 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(root);
	scratch_remove(dir);
	return 0;
}

static int
check(const char *source, const char *repo)
{
	int s = openat(root, source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = openat(root, repo, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	err_clear(&e);
	int rc = inside_check(s, source, r, repo, &e);
	(void)close(s);
	(void)close(r);
	return rc;
}

static void
inside_lets_neighbours_pass(void **state)
{
	(void)state;
	assert_int_equal(check("a", "ab"), 0);
	assert_int_equal(check("a/b", "ab"), 0);
}

static void
inside_refuses_either_in_the_other(void **state)
{
	(void)state;
	assert_int_equal(check("a", "a/b/c"), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, "repository a/b/c is inside the source a"));
	assert_int_equal(check("a/b/c", "a"), -1);
	assert_non_null(strstr(e.msg, "source a/b/c is inside the repository a"));
	assert_int_equal(check("a", "a"), -1);
	assert_non_null(strstr(e.msg, "the same"));
	assert_int_equal(check("/", "a"), -1);
}

static void
inside_sees_through_links(void **state)
{
	(void)state;
	assert_int_equal(symlinkat("a/b", root, "l"), 0);
	assert_int_equal(check("a", "l"), -1);
	assert_int_equal(check("l", "a"), -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(inside_lets_neighbours_pass),
	    T(inside_refuses_either_in_the_other),
	    T(inside_sees_through_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
