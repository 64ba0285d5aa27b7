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

#include "core/beneath.h"
#include "core/buf.h"

/* A scratch directory, removed by rm(1): some names in it are longer than PATH_MAX. */
static char scratch[64];
static int root;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(scratch, sizeof(scratch), "/tmp/tarseal-beneath-XXXXXX");
	if (mkdtemp(scratch) == NULL || (root = open(scratch, O_RDONLY | O_DIRECTORY)) < 0)
		return -1;
	if (mkdirat(root, "root", 0755) != 0 || mkdirat(root, "outside", 0755) != 0)
		return -1;
	(void)close(openat(root, "outside/secret", O_CREAT | O_WRONLY, 0644));
	(void)close(root);
	(void)strcat(scratch, "/root");
	root = open(scratch, O_RDONLY | O_DIRECTORY);
	*strrchr(scratch, '/') = '\0';
	return root < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	char command[128];

	(void)state;
	(void)close(root);
	(void)snprintf(command, sizeof(command), "rm -rf %s", scratch);
	return system(command);
}

/* A path of components "d" until it is longer than PATH_MAX, then name. */
static void
long_path(struct buf *b, const char *name)
{
	while (b->len < 5000)
		buf_puts(b, "ddddddddddddddddddddddddddddddddddddddddddddddddd/");
	buf_puts(b, name);
	(void)buf_str(b);
}

static void
make_file(const char *path)
{
	const char *base;
	int dir = beneath_make_parent(root, path, &base), fd;

	assert_true(dir >= 0);
	fd = openat(dir, base, O_CREAT | O_WRONLY | O_EXCL, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	(void)close(dir);
}

static void
files_below_are_opened_and_the_root_by_an_empty_path(void **state)
{
	int fd;

	(void)state;
	make_file("a/b/c");
	make_file("a/b/d");
	fd = beneath_open(root, "a/b/c", O_RDONLY, 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	(void)close(fd);
	fd = beneath_open(root, "", O_RDONLY | O_DIRECTORY, 0);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(beneath_open(root, "a/b/none", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
}

static void
paths_longer_than_path_max_work_too(void **state)
{
	struct buf b = {0};
	const char *base;
	int fd;

	(void)state;
	long_path(&b, "file");
	make_file(buf_str(&b));
	fd = beneath_open(root, buf_str(&b), O_RDONLY, 0);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = beneath_parent(root, buf_str(&b), &base);
	assert_true(fd >= 0);
	assert_string_equal(base, "file");
	(void)close(fd);
	buf_done(&b);
}

static void
refused(const char *path)
{
	assert_int_equal(beneath_open(root, path, O_RDONLY, 0), -1);
	assert_true(errno == ELOOP || errno == ENOTDIR || errno == EXDEV);
}

static void
parent_refused(const char *path)
{
	const char *base;

	refused(path);
	assert_int_equal(beneath_parent(root, path, &base), -1);
	assert_int_equal(beneath_make_parent(root, path, &base), -1);
}

static void
a_link_in_any_component_is_refused(void **state)
{
	struct buf b = {0};

	(void)state;
	make_file("x/y/z");
	assert_int_equal(symlinkat("../outside", root, "first"), 0);
	assert_int_equal(symlinkat("../../outside", root, "x/middle"), 0);
	assert_int_equal(symlinkat("../../../outside/secret", root, "x/y/last"), 0);
	assert_int_equal(symlinkat("z", root, "x/y/inside"), 0);
	parent_refused("first/secret");
	parent_refused("x/middle/secret");
	refused("x/y/last");
	refused("x/y/inside");
	/* And component by component, where the kernel's call gives up. */
	long_path(&b, "file");
	make_file(buf_str(&b));
	buf_clear(&b);
	buf_puts(&b, "x/middle/");
	long_path(&b, "file");
	parent_refused(buf_str(&b));
	buf_done(&b);
}

static void
make_parent_makes_nothing_outside(void **state)
{
	const char *base;

	(void)state;
	assert_int_equal(symlinkat("../outside", root, "link"), 0);
	assert_int_equal(beneath_make_parent(root, "link/new/file", &base), -1);
	assert_int_equal(faccessat(root, "../outside/new", F_OK, 0), -1);
	assert_int_equal(beneath_make_parent(root, "p/q/file", &base) >= 0, 1);
	assert_string_equal(base, "file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		files_below_are_opened_and_the_root_by_an_empty_path, setup, teardown),
	    cmocka_unit_test_setup_teardown(paths_longer_than_path_max_work_too, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_link_in_any_component_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(make_parent_makes_nothing_outside, setup, teardown),
	};

	return cmocka_run_group_tests_name("core_beneath", tests, NULL, NULL);
}
