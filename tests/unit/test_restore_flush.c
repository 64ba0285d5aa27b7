/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <unistd.h>

#include "restore/flush.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

/* The lowest descriptor that is free. */
static int
next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	return fd;
}

static void
it_ends_when_told_and_leaves_nothing_open(void **state)
{
	char dir[SCRATCH_MAX];
	struct restore_flush f;
	int fd, free_fd;

	(void)state;
	scratch_new(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	free_fd = next_fd();
	restore_flush_begin(&f, fd);
	assert_true(f.fd >= 0);
	assert_int_not_equal(f.fd, fd); /* that is told of errors at the end */
	restore_flush_end(&f);
	assert_int_equal(next_fd(), free_fd);
	assert_int_equal(close(fd), 0);
	scratch_remove(dir);
}

static void
without_a_descriptor_there_is_none_and_no_harm(void **state)
{
	struct restore_flush f;

	(void)state;
	restore_flush_begin(&f, -1);
	assert_int_equal(f.fd, -1);
	restore_flush_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_ends_when_told_and_leaves_nothing_open),
	    cmocka_unit_test(without_a_descriptor_there_is_none_and_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
