/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/rename.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

typedef int rename_fn(int from_dir, const char *from, int to_dir, const char *to);

static rename_fn *const ways[] = {rename_new, rename_looked};
static char dir[SCRATCH_MAX], names[64];
static int dirfd;

static int
setup(void **state)
{
	(void)state;
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

static void
each_moves(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		scratch_puts(dir, "from", "x");
		assert_int_equal(ways[i](dirfd, "from", dirfd, "to"), 0);
		scratch_list(dir, names, sizeof(names));
		assert_string_equal(names, "to ");
		assert_int_equal(unlinkat(dirfd, "to", 0), 0);
	}
}

static void
none_replaces_even_a_link_to_nothing(void **state)
{
	(void)state;
	scratch_puts(dir, "from", "x");
	assert_int_equal(symlinkat("nothing", dirfd, "to"), 0);
	for (size_t i = 0; i < 2; i++) {
		errno = 0;
		assert_int_equal(ways[i](dirfd, "from", dirfd, "to"), -1);
		assert_int_equal(errno, EEXIST);
	}
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, "from to ");
}

static void
what_is_missing_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(ways[i](dirfd, "none", dirfd, "to"), -1);
		assert_int_equal(errno, ENOENT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_moves, setup, teardown),
	    cmocka_unit_test_setup_teardown(none_replaces_even_a_link_to_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_missing_is_told, setup, teardown),
	};

	return cmocka_run_group_tests_name("core_rename", tests, NULL, NULL);
}
