/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "core/within.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX];
static int root;

static int
setup(void **state)
{
	(void)state;
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
compare(const char *first, const char *second)
{
	int a = openat(root, first, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int b = openat(root, second, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = {0};
	int rc = within_compare(a, b, &e);

	(void)close(a);
	(void)close(b);
	return rc;
}

static void
neighbours_are_apart_whatever_their_names(void **state)
{
	(void)state;
	assert_int_equal(compare("a", "ab"), WITHIN_APART);
	assert_int_equal(compare("ab", "a"), WITHIN_APART);
	assert_int_equal(compare("a/b/c", "ab"), WITHIN_APART);
}

static void
either_may_lie_in_the_other(void **state)
{
	(void)state;
	assert_int_equal(compare("a/b/c", "a"), WITHIN_FIRST_INSIDE);
	assert_int_equal(compare("a", "a/b/c"), WITHIN_SECOND_INSIDE);
	assert_int_equal(compare("/", "a"), WITHIN_SECOND_INSIDE);
}

static void
links_hide_nothing(void **state)
{
	(void)state;
	assert_int_equal(symlinkat("a/b", root, "l"), 0);
	assert_int_equal(compare("l", "a/b"), WITHIN_SAME);
	assert_int_equal(compare("l/c", "a"), WITHIN_FIRST_INSIDE);
	assert_int_equal(compare("a/../a/b/.", "l"), WITHIN_SAME);
}

static void
what_is_no_descriptor_is_an_error(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(within_compare(-1, root, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(neighbours_are_apart_whatever_their_names),
	    T(either_may_lie_in_the_other),
	    T(links_hide_nothing),
	    T(what_is_no_descriptor_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
