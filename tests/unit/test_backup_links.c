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

/* Names of all lengths, in many directories, that come and go and take each other's memory. */
static void
links_keeps_names_apart_while_files_come_and_go(void **state)
{
	enum { FILES = 4000, LONGEST = 700 };
	char path[LONGEST + 64];

	(void)state;
	for (uint64_t round = 0; round < 4; round++) {
		for (uint64_t i = 1; i <= FILES; i++) {
			int len = (int)((i * 31 + round * 7) % LONGEST) + 4;
			(void)snprintf(path, sizeof(path), "%s%0*u",
			    i % 5 == 0	     ? ""
				: i % 5 == 1 ? "a/"
				: i % 50 < 9 ? "a/deeper/place/"
					     : "b/",
			    len, (unsigned)(i + round));
			const struct links_file *f = links_find(l, 1, i);
			if (f == NULL) {
				add(1, i, 2, path);
				continue;
			}
			if (i % 3 == round % 3)
				links_drop(l, f);
			else
				links_seen(l, f);
			add(1, i, 2, path);
		}
		assert_int_equal(links_count(l), FILES);
		for (uint64_t i = 1; i <= FILES; i++) {
			int len = (int)((i * 31 + round * 7) % LONGEST) + 4;
			(void)snprintf(path, sizeof(path), "%0*u", len, (unsigned)(i + round));
			const struct links_file *f = links_find(l, 1, i);
			assert_string_equal(f->path + f->path_len - len, path);
			assert_int_equal(f->path_len - (size_t)len,
			    i % 5 == 0	     ? 0
				: i % 5 == 1 ? 2
				: i % 50 < 9 ? 15
					     : 2);
		}
	}
}

/* What a later name is held against, and what its entry gets. */
static void
links_keeps_the_facts(void **state)
{
	const struct facts f = {.dev = 1,
	    .ino = 2,
	    .size = 3,
	    .blocks = 4,
	    .mtime_sec = -5,
	    .ctime_sec = FACTS_NO_CTIME,
	    .mtime_nsec = 7,
	    .ctime_nsec = 8,
	    .mode = 0100644,
	    .uid = 10,
	    .gid = UINT32_MAX,
	    .nlink = 12};

	(void)state;
	assert_int_equal(links_add(l, &f, "d/f", 3, &e), 0);
	const struct facts *g = &links_find(l, 1, 2)->facts;
	assert_int_equal(g->dev, 1);
	assert_int_equal(g->ino, 2);
	assert_int_equal(g->size, 3);
	assert_int_equal(g->mtime_sec, -5);
	assert_true(g->ctime_sec == FACTS_NO_CTIME);
	assert_int_equal(g->mtime_nsec, 7);
	assert_int_equal(g->ctime_nsec, 8);
	assert_int_equal(g->mode, 0100644);
	assert_int_equal(g->uid, 10);
	assert_int_equal(g->gid, UINT32_MAX);
	assert_int_equal(g->nlink, 12);
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
	    cmocka_unit_test_setup_teardown(
		links_keeps_names_apart_while_files_come_and_go, setup, teardown),
	    cmocka_unit_test_setup_teardown(links_keeps_the_facts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
