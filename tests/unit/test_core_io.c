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
#include <unistd.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/io.h"

static int
scratch(void)
{
	char name[] = "/tmp/tarseal-io-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	(void)unlink(name);
	return fd;
}

static void
what_is_written_is_read(void **state)
{
	struct err e = {0};
	char data[] = "hello world", back[32];
	int fd = scratch();

	(void)state;
	assert_int_equal(io_write(fd, data, 11, &e), 0);
	assert_int_equal(io_pwrite(fd, "W", 1, 6, &e), 0);
	assert_int_equal(io_pread(fd, back, sizeof(back), 0, &e), 11);
	assert_memory_equal(back, "hello World", 11);
	assert_int_equal(io_pread(fd, back, 5, 11, &e), 0);
	assert_int_equal(io_pread(fd, back, 5, UINT64_MAX, &e), 0);
	assert_int_equal(io_pread_exact(fd, back, 5, 6, &e), 0);
	assert_int_equal(io_pread_exact(fd, back, 6, 6, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(io_fsync(fd, &e), 0);
	assert_int_equal(io_close(&fd, &e), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(io_close(&fd, &e), 0);
}

static void
a_full_device_is_an_error(void **state)
{
	struct err e = {0};
	char data[4096] = {0};
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(io_write(fd, data, sizeof(data), &e), -1);
	assert_int_equal(e.sys, ENOSPC);
	(void)close(fd);
}

static void
a_bad_descriptor_is_an_error(void **state)
{
	struct err e = {0};
	int fd = 9999;
	char c;

	(void)state;
	assert_int_equal(io_pread(fd, &c, 1, 0, &e), -1);
	assert_int_equal(e.sys, EBADF);
	assert_int_equal(io_fsync(fd, &e), -1);
	assert_int_equal(io_close(&fd, &e), -1);
}

static void
a_file_is_read_whole_up_to_a_bound(void **state)
{
	char dir[] = "/tmp/tarseal-io-XXXXXX", name[64];
	struct buf b = {0};
	struct err e = {0};
	int dirfd, fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	fd = openat(dirfd, "f", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(io_write(fd, "0123456789", 10, &e), 0);
	(void)close(fd);
	buf_puts(&b, "before ");
	assert_int_equal(io_read_file(dirfd, "f", 10, &b, &e), 0);
	assert_string_equal(buf_str(&b), "before 0123456789");
	assert_int_equal(io_read_file(dirfd, "f", 9, &b, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(io_read_file(dirfd, "none", 9, &b, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	(void)snprintf(name, sizeof(name), "%s/f", dir);
	(void)unlink(name);
	(void)rmdir(dir);
	(void)close(dirfd);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(a_full_device_is_an_error),
	    cmocka_unit_test(a_bad_descriptor_is_an_error),
	    cmocka_unit_test(a_file_is_read_whole_up_to_a_bound),
	};

	return cmocka_run_group_tests_name("core_io", tests, NULL, NULL);
}
