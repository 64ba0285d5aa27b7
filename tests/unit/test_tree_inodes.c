/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "core/err.h"
#include "tree/inodes.h"

#define FILES 300u

static struct inodes t;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	t = (struct inodes){0};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	inodes_done(&t);
	return 0;
}

static void
put(uint64_t dev, uint64_t ino, uint32_t left)
{
	const struct inode f = {.dev = dev, .ino = ino, .origin = dev * 1000 + ino, .left = left};

	assert_int_equal(inodes_put(&t, &f, &e), 0);
}

static void
an_empty_table_knows_nobody(void **state)
{
	(void)state;
	assert_null(inodes_find(&t, 0, 0));
	put(0, 0, 1);
	assert_non_null(inodes_find(&t, 0, 0));
	assert_null(inodes_find(&t, 0, 1));
	assert_null(inodes_find(&t, 1, 0));
}

static void
a_file_goes_with_its_last_name(void **state)
{
	(void)state;
	put(1, 2, 2);
	inodes_seen(&t, inodes_find(&t, 1, 2));
	assert_int_equal(inodes_find(&t, 1, 2)->left, 1);
	inodes_seen(&t, inodes_find(&t, 1, 2));
	assert_null(inodes_find(&t, 1, 2));
	assert_int_equal(t.n, 0);
}

/* Against an array: many come and go in a table that is as full as it gets. */
static void
whoever_goes_takes_nobody_along(void **state)
{
	uint32_t left[FILES] = {0};
	size_t n = 0;

	(void)state;
	srandom(1);
	for (unsigned round = 0; round < 200000; round++) {
		uint64_t i = (uint64_t)random() % FILES;
		struct inode *f = inodes_find(&t, i % 3, i);

		assert_int_equal(f != NULL, left[i] > 0);
		if (f == NULL) {
			left[i] = 1 + (uint32_t)random() % 3;
			put(i % 3, i, left[i]);
			n++;
			continue;
		}
		assert_int_equal(f->left, left[i]);
		assert_int_equal(f->origin, i % 3 * 1000 + i);
		inodes_seen(&t, f);
		n -= --left[i] == 0;
		assert_int_equal(t.n, n);
	}
	assert_true(t.cap <= 512);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(an_empty_table_knows_nobody),
	    T(a_file_goes_with_its_last_name),
	    T(whoever_goes_takes_nobody_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
