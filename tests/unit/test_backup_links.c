/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backup/links.h"
#include "core/err.h"

static struct links *l;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	return links_new(&l, &e);
}

static int
teardown(void **state)
{
	(void)state;
	links_free(l);
	return 0;
}

static void
add(uint64_t dev, uint64_t ino, uint32_t nlink, const char *path)
{
	struct facts f = {.dev = dev, .ino = ino, .nlink = nlink, .size = ino};

	assert_int_equal(links_add(l, &f, path, strlen(path), &e), 0);
}

static void
links_finds_by_device_and_inode(void **state)
{
	(void)state;
	add(1, 7, 3, "a/first");
	add(2, 7, 2, "other device");
	const struct links_file *f = links_find(l, 1, 7);
	assert_non_null(f);
	assert_string_equal(f->path, "a/first");
	assert_int_equal(f->path_len, 7);
	assert_string_equal(links_find(l, 2, 7)->path, "other device");
	assert_null(links_find(l, 1, 8));
	assert_null(links_find(l, 3, 7));
}

static void
links_drops_a_file_with_its_last_name(void **state)
{
	(void)state;
	add(1, 7, 3, "a");
	links_seen(l, links_find(l, 1, 7));
	assert_non_null(links_find(l, 1, 7));
	links_seen(l, links_find(l, 1, 7));
	assert_null(links_find(l, 1, 7));
	assert_int_equal(links_count(l), 0);
}

static void
links_forgets_a_file_that_is_another(void **state)
{
	(void)state;
	add(1, 7, 9, "a");
	links_drop(l, links_find(l, 1, 7));
	assert_null(links_find(l, 1, 7));
	add(1, 7, 2, "b");
	assert_string_equal(links_find(l, 1, 7)->path, "b");
}

static void
links_takes_what_was_read_in_the_end(void **state)
{
	struct facts f = {.dev = 1, .ino = 7, .nlink = 3, .size = 99};

	(void)state;
	add(1, 7, 3, "a");
	links_update(l, links_find(l, 1, 7), &f);
	assert_int_equal(links_find(l, 1, 7)->facts.size, 99);
	assert_string_equal(links_find(l, 1, 7)->path, "a");
	links_seen(l, links_find(l, 1, 7));
	links_seen(l, links_find(l, 1, 7));
	assert_null(links_find(l, 1, 7)); /* as many names as before */
}

static void
links_moves_a_file_to_another_of_its_names(void **state)
{
	(void)state;
	add(1, 7, 4, "a");
	links_seen(l, links_find(l, 1, 7)); /* "b" */
	assert_int_equal(links_move(l, links_find(l, 1, 7), "b", 1, &e), 0);
	assert_int_equal(links_count(l), 1);
	assert_string_equal(links_find(l, 1, 7)->path, "b");
	assert_int_equal(links_find(l, 1, 7)->facts.size, 7);
	links_seen(l, links_find(l, 1, 7)); /* "c" */
	assert_non_null(links_find(l, 1, 7));
	links_seen(l, links_find(l, 1, 7)); /* "d" */
	assert_null(links_find(l, 1, 7));
}

static void
links_grows_and_keeps_all(void **state)
{
	char path[32];

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++) {
		(void)snprintf(path, sizeof(path), "dir/%llu", (unsigned long long)i);
		add(i % 3, i, 2, path);
	}
	assert_int_equal(links_count(l), 20000);
	for (uint64_t i = 1; i <= 20000; i++) {
		const struct links_file *f = links_find(l, i % 3, i);
		assert_non_null(f);
		assert_int_equal(f->facts.size, i);
		if (i % 2 == 0)
			links_seen(l, f);
	}
	assert_int_equal(links_count(l), 10000);
	assert_null(links_find(l, 2, 20000));
	assert_non_null(links_find(l, 19999 % 3, 19999));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(links_finds_by_device_and_inode, setup, teardown),
	    cmocka_unit_test_setup_teardown(links_drops_a_file_with_its_last_name, setup, teardown),
	    cmocka_unit_test_setup_teardown(links_forgets_a_file_that_is_another, setup, teardown),
	    cmocka_unit_test_setup_teardown(links_takes_what_was_read_in_the_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		links_moves_a_file_to_another_of_its_names, setup, teardown),
	    cmocka_unit_test_setup_teardown(links_grows_and_keeps_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
