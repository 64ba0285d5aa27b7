/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/spell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

/*
 * Names on a file system that tells them apart.  Those that do not: tests/interop/restore_folds.sh.
 */
static char dir[SCRATCH_MAX];
static int fd;

static int
setup(void **state)
{
	(void)state;
	scratch_new(dir);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(fd);
	scratch_remove(dir);
	return 0;
}

static void
a_try_leaves_nothing_behind(void **state)
{
	char names[256];

	(void)state;
	assert_false(spell_folds(fd));
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, "");
	(void)close(fd);
	fd = -1;
	assert_false(spell_folds(fd));
}

static void
what_is_not_there_or_has_that_name_is_good(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(fd, "a", 0700), 0);
	assert_int_equal(symlinkat("nowhere", fd, "link"), 0);
	assert_int_equal(spell_check(fd, "a"), 0);
	assert_int_equal(spell_check(fd, "link"), 0);
	assert_int_equal(spell_check(fd, "A"), 0);
	assert_int_equal(spell_check(fd, "b"), 0);
}

static void
a_name_that_no_list_has_is_another_spelling(void **state)
{
	(void)state;
	/* "." is there, and no list here has it. */
	assert_int_equal(spell_check(fd, "."), -1);
	assert_int_equal(errno, ENOTUNIQ);
}

static void
a_path_is_looked_at_as_far_as_it_goes(void **state)
{
	char path[4096];

	(void)state;
	assert_int_equal(mkdirat(fd, "a", 0700), 0);
	assert_int_equal(mkdirat(fd, "a/b", 0700), 0);
	assert_int_equal(spell_check_path(fd, ""), 0);
	assert_int_equal(spell_check_path(fd, "a"), 0);
	assert_int_equal(spell_check_path(fd, "a/b"), 0);
	assert_int_equal(spell_check_path(fd, "a/b/c/d"), 0);
	assert_int_equal(spell_check_path(fd, "x/y"), 0);
	memset(path, 'n', 300);
	(void)strcpy(path + 300, "/x");
	assert_int_equal(spell_check_path(fd, path), 0);
}

static void
a_link_on_the_way_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(fd, "a", 0700), 0);
	assert_int_equal(symlinkat("a", fd, "link"), 0);
	assert_int_equal(spell_check_path(fd, "link/."), 0);
	assert_int_equal(spell_check_path(fd, "a/."), -1);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_try_leaves_nothing_behind),
	    T(what_is_not_there_or_has_that_name_is_good),
	    T(a_name_that_no_list_has_is_another_spelling),
	    T(a_path_is_looked_at_as_far_as_it_goes),
	    T(a_link_on_the_way_is_not_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
