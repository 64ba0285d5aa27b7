/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/io.h"
#include "core/stop.h"
#include "tests/unit/scratch.h"

static int
scratch(void)
{
	FILE *f = tmpfile();
	int fd;

	assert_non_null(f);
	fd = dup(fileno(f));
	assert_true(fd >= 0);
	(void)fclose(f);
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
offsets_beyond_all_files_are_no_surprise(void **state)
{
	struct err e = {0};
	char data[8] = {0};
	int fd = scratch();

	(void)state;
	assert_int_equal(io_pread(fd, data, 8, INT64_MAX, &e), 0);
	assert_int_equal(io_pread(fd, data, 8, INT64_MAX - 4, &e), 0);
	assert_int_equal(io_pread(fd, data, 8, UINT64_MAX - 4, &e), 0);
	assert_int_equal(io_pread_exact(fd, data, 8, UINT64_MAX, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(io_pwrite(fd, data, 8, INT64_MAX - 4, &e), -1);
	assert_int_equal(e.sys, EFBIG);
	assert_int_equal(io_pwrite(fd, data, 8, UINT64_MAX, &e), -1);
	assert_int_equal(e.sys, EFBIG);
	assert_int_equal(io_pread(fd, NULL, 0, 0, &e), 0);
	assert_int_equal(io_write(fd, NULL, 0, &e), 0);
	(void)close(fd);
}

/* Reads a pipe slowly until its end; gives the number of bytes. */
static void *
read_slowly(void *arg)
{
	static size_t got;
	char data[3000];
	ssize_t n;

	for (got = 0; (n = read(*(int *)arg, data, sizeof(data))) > 0; got += (size_t)n)
		(void)usleep(100);
	return &got;
}

static void
a_slow_reader_gets_all(int flags)
{
	static const char data[300000];
	struct err e = {0};
	pthread_t t;
	void *got;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	if (flags != 0)
		assert_int_equal(fcntl(fds[1], F_SETFL, flags), 0);
	assert_int_equal(pthread_create(&t, NULL, read_slowly, &fds[0]), 0);
	assert_int_equal(io_write(fds[1], data, sizeof(data), &e), 0);
	assert_int_equal(io_close(&fds[1], &e), 0);
	assert_int_equal(pthread_join(t, &got), 0);
	assert_int_equal(*(size_t *)got, sizeof(data));
	(void)close(fds[0]);
}

static void
pipes_take_all_also_when_they_do_not_block(void **state)
{
	(void)state;
	a_slow_reader_gets_all(0);
	a_slow_reader_gets_all(O_NONBLOCK);
}

static void
a_stop_ends_a_write_that_nobody_reads(void **state)
{
	static const char data[300000];
	struct err e = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	stop_request(SIGTERM);
	assert_int_equal(io_write(fds[1], data, sizeof(data), &e), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	stop_request(0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
a_reader_that_went_away_is_an_error(void **state)
{
	struct err e = {0};
	int fds[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	(void)close(fds[0]);
	assert_int_equal(io_write(fds[1], "x", 1, &e), -1);
	assert_int_equal(e.sys, EPIPE);
	assert_string_equal(e.msg, "write: Broken pipe");
	(void)close(fds[1]);
}

static void
a_file_is_read_whole_up_to_a_bound(void **state)
{
	char dir[SCRATCH_MAX];
	struct buf b = {0}, big = {0};
	struct err e = {0};
	int dirfd;

	(void)state;
	scratch_new(dir);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	scratch_puts(dir, "f", "0123456789");
	scratch_puts(dir, "empty", "");
	buf_zeros(&big, 200000);
	scratch_put(dir, "big", big.data, big.len);
	buf_puts(&b, "before ");
	assert_int_equal(io_read_file(dirfd, "f", 10, &b, &e), 0);
	assert_string_equal(buf_str(&b), "before 0123456789");
	assert_int_equal(io_read_file(dirfd, "f", 9, &b, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_string_equal(e.msg, "longer than 9 bytes");
	assert_int_equal(io_read_file(dirfd, "none", 9, &b, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(io_read_file(dirfd, "empty", 0, &b, &e), 0);
	assert_string_equal(buf_str(&b), "before 0123456789");
	/* A bound in the middle of the pieces it is read by. */
	assert_int_equal(io_read_file(dirfd, "big", 199999, &b, &e), -1);
	assert_int_equal(b.len, 17);
	assert_int_equal(io_read_file(dirfd, "big", 200000, &b, &e), 0);
	assert_int_equal(b.len, 200017);
	assert_int_equal(io_read_file(dirfd, "big", SIZE_MAX, &b, &e), 0);
	assert_int_equal(b.len, 400017);
	(void)close(dirfd);
	scratch_remove(dir);
	buf_done(&b);
	buf_done(&big);
}

static void
in_a_repository_only_regular_files_are_read(void **state)
{
	char dir[SCRATCH_MAX], name[SCRATCH_MAX + 8];
	struct buf b = {0};
	struct err e = {0};
	int dirfd, fds[2];

	(void)state;
	scratch_new(dir);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkfifoat(dirfd, "fifo", 0600), 0);
	assert_int_equal(symlinkat("/dev/zero", dirfd, "zero"), 0);
	assert_int_equal(io_read_file(dirfd, "fifo", 100, &b, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(io_read_file(dirfd, "zero", 100, &b, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(io_read_file(dirfd, ".", 100, &b, &e), -1);
	assert_int_equal(e.sys, EISDIR);
	/* What a shell's <(...) gives. */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "key", 3), 3);
	(void)close(fds[1]);
	(void)snprintf(name, sizeof(name), "/dev/fd/%d", fds[0]);
	assert_int_equal(io_read_file(AT_FDCWD, name, 100, &b, &e), 0);
	assert_string_equal(buf_str(&b), "key");
	(void)close(fds[0]);
	assert_int_equal(io_read_file(AT_FDCWD, "/dev/zero", 100, &b, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(b.len, 3);
	(void)close(dirfd);
	scratch_remove(dir);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(a_full_device_is_an_error),
	    cmocka_unit_test(a_bad_descriptor_is_an_error),
	    cmocka_unit_test(offsets_beyond_all_files_are_no_surprise),
	    cmocka_unit_test(pipes_take_all_also_when_they_do_not_block),
	    cmocka_unit_test(a_stop_ends_a_write_that_nobody_reads),
	    cmocka_unit_test(a_reader_that_went_away_is_an_error),
	    cmocka_unit_test(a_file_is_read_whole_up_to_a_bound),
	    cmocka_unit_test(in_a_repository_only_regular_files_are_read),
	};

	return cmocka_run_group_tests_name("core_io", tests, NULL, NULL);
}
