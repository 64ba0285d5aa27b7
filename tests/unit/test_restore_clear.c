/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "restore/clear.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX], other[SCRATCH_MAX], names[256];
static int fd;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	err_clear(&e);
	scratch_new(dir);
	scratch_new(other);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(fd);
	scratch_remove(dir);
	scratch_remove(other);
	return 0;
}

static void
is_empty(void)
{
	assert_int_equal(clear_dir(fd, dir, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, "");
}

/* Deeper than there are descriptors, and longer than a path may be; directories that nobody may
 * write. */
static void
a_deep_tree_goes(void **state)
{
	int at = dup(fd), next;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(mkdirat(at, "directory", 0700), 0);
		assert_int_equal(mkdirat(at, "0", 0700), 0); /* a name that clear_dir uses */
		next = openat(at, "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		assert_int_equal(mknodat(next, "file", S_IFREG | 0600, 0), 0);
		if (i % 100 == 0)
			assert_int_equal(fchmod(at, i == 0 ? 0700 : 0500), 0);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	is_empty();
}

static void
no_link_is_followed(void **state)
{
	(void)state;
	scratch_puts(other, "kept", "x");
	assert_int_equal(symlinkat(other, fd, "link"), 0);
	assert_int_equal(mkdirat(fd, "d", 0700), 0);
	assert_int_equal(symlinkat(other, fd, "d/link"), 0);
	is_empty();
	assert_true(scratch_has(other, "kept"));
}

static void
a_mount_stays(void **state)
{
	char point[SCRATCH_MAX + 8];

	(void)state;
	if (geteuid() != 0)
		skip();
	(void)snprintf(point, sizeof(point), "%s/d", dir);
	scratch_puts(other, "kept", "x");
	assert_int_equal(mkdirat(fd, "d", 0700), 0);
	if (mount(other, point, NULL, MS_BIND, NULL) != 0)
		skip();
	assert_int_equal(clear_dir(fd, dir, &e), -1);
	assert_int_equal(umount(point), 0);
	assert_true(scratch_has(other, "kept"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_deep_tree_goes),
	    TEST(no_link_is_followed),
	    TEST(a_mount_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
