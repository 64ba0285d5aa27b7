/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/err.h"
#include "core/stop.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

/* Where files do share blocks: tests/interop/share_blocks.sh. */

static void
memory_shares_no_blocks_and_nothing_is_left_behind(void **state)
{
	char dir[] = "/dev/shm/tarseal-test-XXXXXX";
	struct statfs fs;
	struct repo *r;
	struct err e = {0};

	(void)state;
	if (mkdtemp(dir) == NULL)
		skip();
	if (statfs(dir, &fs) != 0 || fs.f_type != TMPFS_MAGIC) {
		(void)rmdir(dir);
		skip();
	}
	assert_int_equal(repo_open(&r, dir, &e), 0);
	assert_int_equal(repo_share_block(r), 0);
	repo_close(r);
	assert_int_equal(rmdir(dir), 0); /* it is empty */
}

static void
a_directory_that_cannot_be_written_to_shares_nothing(void **state)
{
	struct repo *r;
	struct err e = {0};

	(void)state;
	assert_int_equal(repo_open(&r, "/proc", &e), 0);
	assert_int_equal(repo_share_block(r), 0);
	repo_close(r);
}

static void
free_space_is_not_waited_for_when_it_is_enough_nor_for_ever(void **state)
{
	char dir[SCRATCH_MAX];
	struct repo *r;
	struct err e = {0};
	uint64_t bytes = 0;

	(void)state;
	scratch_new(dir);
	assert_int_equal(repo_open(&r, dir, &e), 0);
	assert_int_equal(repo_settled_space(r, 0, &bytes, &e), 0);
	assert_true(bytes > 0);
	bytes = 0;
	assert_int_equal(repo_settled_space(r, UINT64_MAX, &bytes, &e), 0);
	assert_true(bytes > 0);
	/* Whoever waits can be stopped. */
	stop_request(15);
	assert_int_equal(repo_settled_space(r, UINT64_MAX, &bytes, &e), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	stop_request(0);
	repo_close(r);
	scratch_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_shares_no_blocks_and_nothing_is_left_behind),
	    cmocka_unit_test(free_space_is_not_waited_for_when_it_is_enough_nor_for_ever),
	    cmocka_unit_test(a_directory_that_cannot_be_written_to_shares_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
