/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "backup/space.h"
#include "core/err.h"
#include "core/log.h"
#include "seal/seal.h"
#include "store/repo.h"
#include "tests/unit/child.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"
#include "tree/walk.h"

static char dir[SCRATCH_MAX], source[SCRATCH_MAX];
static struct repo *repo;
static int source_fd;
static struct walk_opts walk;
static struct space s;
static struct err e;

/* A source of 4000 bytes. */
static int
setup(void **state)
{
	static char bytes[4000];

	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_NORMAL);
	scratch_new(dir);
	scratch_new(source);
	scratch_put(source, "file", bytes, sizeof(bytes));
	source_fd = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return source_fd < 0 || repo_open(&repo, dir, &e) != 0;
}

static int
teardown(void **state)
{
	(void)state;
	repo_close(repo);
	(void)close(source_fd);
	scratch_remove(dir);
	scratch_remove(source);
	return 0;
}

static int
measure(const struct seal *last, bool thorough, bool shares)
{
	const struct space_opts opts = {.last = last,
	    .source_fd = source_fd,
	    .walk = &walk,
	    .thorough = thorough,
	    .shares = shares};

	return space_measure(repo, &opts, &s, &e);
}

static uint64_t
needed(uint64_t bytes, uint64_t archive, bool thorough)
{
	struct seal last = {.bytes = bytes, .archive_size = archive - 10, .manifest_size = 10};

	assert_int_equal(measure(&last, thorough, false), 0);
	return s.needed;
}

static void
the_last_backup_is_the_estimate(void **state)
{
	(void)state;
	assert_int_equal(needed(4000, 100000, false), 100000);
	assert_true(s.room > 0);
	/* What fits is not measured: it may have shrunk, or grown. */
	assert_int_equal(needed(8000, 100000, false), 100000);
	assert_int_equal(needed(2000, 100000, false), 100000);
	assert_int_equal(needed(0, 100000, false), 100000);
}

static void
a_source_that_shrank_needs_less_and_when_measured_anyway_one_that_grew_more(void **state)
{
	const uint64_t huge = (uint64_t)1 << 60;

	(void)state;
	assert_int_equal(needed(8000, huge, false), huge / 2);
	assert_int_equal(needed(2000, huge, false), huge);
	assert_int_equal(needed(2000, 100000, true), 200000);
	assert_int_equal(needed(4000, 100000, true), 100000);
	assert_int_equal(needed(0, 100000, true), 100000);
}

static void
some_room_is_needed_in_any_case(void **state)
{
	(void)state;
	assert_int_equal(measure(NULL, true, false), 0);
	assert_int_equal(s.needed, 65536);
	assert_int_equal(needed(4000, 20, false), 65536);
	assert_int_equal(needed((uint64_t)1 << 50, 100000, true), 65536);
}

static void
one_that_shares_blocks_needs_its_manifest_whatever_the_archive_and_the_source(void **state)
{
	const struct seal last = {
	    .bytes = 1, .archive_size = (uint64_t)1 << 60, .manifest_size = 300000};

	(void)state;
	assert_int_equal(measure(&last, false, true), 0);
	assert_int_equal(s.needed, 300000 + 65536);
	assert_int_equal(measure(&last, true, true), 0);
	assert_int_equal(s.needed, 300000 + 65536);
	assert_int_equal(measure(NULL, true, true), 0);
	assert_int_equal(s.needed, 65536);
}

static int
judge(void *ctx)
{
	struct err why = {0};

	log_init("backup", LOG_NORMAL);
	return space_judge(repo, ctx, &why) == 0 ? (int)log_warnings() : 100 + (int)why.kind;
}

static int
judged(uint64_t room, uint64_t need)
{
	struct space space = {.room = room, .needed = need};
	struct child c;

	child_run(&c, judge, &space);
	return c.status;
}

static void
a_little_too_few_is_warned_of_and_half_is_refused(void **state)
{
	(void)state;
	assert_int_equal(judged(200000, 200000), 0);
	assert_int_equal(judged(199999, 200000), 1);
	assert_int_equal(judged(100000, 200000), 1);
	assert_int_equal(judged(99999, 200000), 100 + ERR_SYS);
	assert_int_equal(judged(65535, 65536), 100 + ERR_SYS);
	assert_int_equal(judged(0, 65536), 100 + ERR_SYS);
	assert_true(space_is_short(&(struct space){.room = 1, .needed = 2}));
	assert_false(space_is_short(&(struct space){.room = 2, .needed = 2}));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_last_backup_is_the_estimate),
	    T(a_source_that_shrank_needs_less_and_when_measured_anyway_one_that_grew_more),
	    T(some_room_is_needed_in_any_case),
	    T(one_that_shares_blocks_needs_its_manifest_whatever_the_archive_and_the_source),
	    T(a_little_too_few_is_warned_of_and_half_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
