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

#include "archive/cut.h"
#include "core/err.h"
#include "pack/bigfile.h"
#include "pack/statkey.h"
#include "tests/unit/scratch.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define UNIT (64 * KIB)

static char dir[SCRATCH_MAX], file[SCRATCH_MAX + 8];
static int fd;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	(void)snprintf(file, sizeof(file), "%s/f", dir);
	fd = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	return fd < 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (fd >= 0)
		(void)close(fd);
	scratch_remove(dir);
	return 0;
}

static void
put(uint64_t offset, const char *text)
{
	assert_int_equal(pwrite(fd, text, strlen(text), (off_t)offset), strlen(text));
}

static struct bigfile *
prepared(void)
{
	struct bigfile *b;
	int own = fd;

	fd = -1;
	assert_int_equal(bigfile_new(&b, own, STATKEY_MARGIN, "a/f", 3, &e), 0);
	assert_int_equal(bigfile_look(b), 0);
	assert_int_equal(bigfile_survey(b, &e), 0);
	return b;
}

static void
bigfile_chunks_tile_a_plain_file(void **state)
{
	struct bigfile_chunk c = {0};
	struct entry_extent run;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(2 * MIB + 10)), 0);
	struct bigfile *b = prepared();
	assert_false(b->sparse);
	for (uint64_t at = 0; at < 3 * MIB; at += MIB) {
		assert_true(bigfile_next_chunk(b, &c));
		assert_int_equal(c.offset, at);
		assert_int_equal(c.last, at == 2 * MIB);
		assert_true(bigfile_chunk_run(b, &c, 0, &run));
		assert_int_equal(run.offset, at);
		assert_int_equal(run.len, at == 2 * MIB ? 10 : MIB);
		assert_false(bigfile_chunk_run(b, &c, 1, &run));
		c.offset += CUT_CHUNK;
	}
	assert_false(bigfile_next_chunk(b, &c));
	bigfile_unref(b);
}

static void
bigfile_with_a_multiple_of_chunks_has_no_empty_one(void **state)
{
	struct bigfile_chunk c = {.offset = MIB};

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(2 * MIB)), 0);
	struct bigfile *b = prepared();
	assert_true(bigfile_next_chunk(b, &c));
	assert_true(c.last);
	c.offset += CUT_CHUNK;
	assert_false(bigfile_next_chunk(b, &c));
	bigfile_unref(b);
}

static void
bigfile_is_sparse_when_that_saves_enough(void **state)
{
	struct bigfile_chunk c = {0};
	struct entry_extent run;
	struct entry en;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(200 * MIB)), 0);
	put(10 * MIB - 1, "ab"); /* two units, in two chunks */
	put(10 * MIB + 3 * UNIT, "c"); /* a second run in the second of them */
	put(150 * MIB, "d");
	struct bigfile *b = prepared();
	if (!b->sparse)
		skip(); /* the file system hides its holes: found when packing */
	assert_int_equal(b->n_extents, 3);
	bigfile_entry(b, &en);
	assert_true(en.sparse);
	assert_int_equal(en.size, 200 * MIB);

	assert_true(bigfile_next_chunk(b, &c));
	assert_int_equal(c.offset, 9 * MIB);
	assert_true(bigfile_chunk_run(b, &c, 0, &run));
	assert_int_equal(run.offset, 10 * MIB - UNIT);
	assert_int_equal(run.len, UNIT);
	assert_false(bigfile_chunk_run(b, &c, 1, &run));
	assert_false(c.last);

	c.offset += CUT_CHUNK;
	assert_true(bigfile_next_chunk(b, &c));
	assert_int_equal(c.offset, 10 * MIB);
	assert_true(bigfile_chunk_run(b, &c, 0, &run));
	assert_int_equal(run.offset, 10 * MIB);
	assert_true(bigfile_chunk_run(b, &c, 1, &run));
	assert_int_equal(run.offset, 10 * MIB + 3 * UNIT);
	assert_int_equal(run.len, UNIT);

	c.offset += CUT_CHUNK;
	assert_true(bigfile_next_chunk(b, &c));
	assert_int_equal(c.offset, 150 * MIB);
	assert_true(c.last);
	c.offset += CUT_CHUNK;
	assert_false(bigfile_next_chunk(b, &c));
	bigfile_unref(b);
}

static void
bigfile_of_nothing_but_hole_has_no_chunk(void **state)
{
	struct bigfile_chunk c = {0};

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(100 * MIB)), 0);
	struct bigfile *b = prepared();
	if (!b->sparse)
		skip();
	assert_int_equal(b->n_extents, 0);
	assert_false(bigfile_next_chunk(b, &c));
	bigfile_unref(b);
}

static void
bigfile_closes_with_its_last_reference(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(fd, 1), 0);
	struct bigfile *b = prepared();
	int own = b->fd;
	bigfile_unref(bigfile_ref(b));
	assert_true(fcntl(own, F_GETFD) >= 0);
	bigfile_unref(b);
	assert_int_equal(fcntl(own, F_GETFD), -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(bigfile_chunks_tile_a_plain_file),
	    T(bigfile_with_a_multiple_of_chunks_has_no_empty_one),
	    T(bigfile_is_sparse_when_that_saves_enough),
	    T(bigfile_of_nothing_but_hole_has_no_chunk),
	    T(bigfile_closes_with_its_last_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
