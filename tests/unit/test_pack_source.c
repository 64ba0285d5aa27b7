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
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/err.h"
#include "pack/source.h"
#include "tests/unit/scratch.h"

static char dir[SCRATCH_MAX], file[SCRATCH_MAX + 8];
static int dirfd_, fd, wfd;
static struct facts now, listed;
static struct source_file f;
static struct err e;
static unsigned reads; /* calls of source_pread */

#define CONTENT "0123456789"

static int
setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	memset(&e, 0, sizeof(e));
	reads = 0;
	scratch_new(dir);
	scratch_puts(dir, "f", CONTENT);
	(void)snprintf(file, sizeof(file), "%s/f", dir);
	dirfd_ = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	wfd = open(file, O_WRONLY | O_CLOEXEC);
	if (source_open(dirfd_, "f", &fd, &now) != SOURCE_OK)
		return -1;
	listed = now;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	source_pread = pread;
	source_file_done(&f);
	(void)close(fd);
	(void)close(wfd);
	(void)close(dirfd_);
	scratch_remove(dir);
	return 0;
}

/* A change that shows in the times, however coarse the clock is. */
static void
touch(time_t when)
{
	struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};

	assert_int_equal(futimens(wfd, times), 0);
}

static void
source_reads_a_quiet_file_once(void **state)
{
	(void)state;
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_int_equal(f.data.len, 10);
	assert_memory_equal(f.data.data, CONTENT, 10);
	assert_int_equal(f.facts.size, 10);
	assert_false(f.changed || f.grew || f.bad.len > 0);
}

static ssize_t
append_after_first(int from, void *data, size_t len, off_t offset)
{
	ssize_t n = pread(from, data, len, offset);

	if (reads++ == 0)
		assert_int_equal(pwrite(wfd, "more", 4, 10), 4);
	return n;
}

static void
source_keeps_the_prefix_of_a_file_that_grew(void **state)
{
	(void)state;
	source_pread = append_after_first;
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_true(f.grew);
	assert_false(f.changed);
	assert_int_equal(f.facts.size, 10);
	assert_int_equal(f.data.len, 10);
	assert_memory_equal(f.data.data, CONTENT, 10);
	assert_int_equal(reads, 2); /* the second one proves the prefix */
}

static ssize_t
grow_and_rewrite(int from, void *data, size_t len, off_t offset)
{
	ssize_t n = pread(from, data, len, offset);

	if (reads++ == 0) {
		assert_int_equal(pwrite(wfd, "X", 1, 3), 1);
		assert_int_equal(pwrite(wfd, "more", 4, 10), 4);
	}
	return n;
}

static void
source_reads_again_when_what_it_read_was_rewritten(void **state)
{
	(void)state;
	source_pread = grow_and_rewrite;
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_false(f.grew || f.changed);
	assert_int_equal(f.facts.size, 14);
	assert_memory_equal(f.data.data, "012X456789more", 14);
}

static ssize_t
touch_each_time(int from, void *data, size_t len, off_t offset)
{
	touch((time_t)++reads);
	return pread(from, data, len, offset);
}

static void
source_flags_a_file_that_never_rests(void **state)
{
	(void)state;
	source_pread = touch_each_time;
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_true(f.changed);
	assert_int_equal(reads, SOURCE_TRIES);
	assert_int_equal(f.data.len, 10);
}

static ssize_t
touch_twice(int from, void *data, size_t len, off_t offset)
{
	if (reads++ < 2)
		touch((time_t)reads);
	return pread(from, data, len, offset);
}

static void
source_forgives_two_changes(void **state)
{
	(void)state;
	source_pread = touch_twice;
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_false(f.changed);
	assert_int_equal(f.facts.mtime_sec, 2); /* those of the read that is kept */
}

static ssize_t
truncate_first(int from, void *data, size_t len, off_t offset)
{
	if (reads++ == 0) {
		assert_int_equal(ftruncate(wfd, 4), 0);
		touch(1);
	}
	return pread(from, data, len, offset);
}

static void
source_takes_the_new_size_of_a_file_that_shrank(void **state)
{
	(void)state;
	source_pread = truncate_first;
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_false(f.changed);
	assert_int_equal(f.facts.size, 4);
	assert_int_equal(f.data.len, 4);
	assert_memory_equal(f.data.data, "0123", 4);
}

static ssize_t
fail_at_four(int from, void *data, size_t len, off_t offset)
{
	reads++;
	if (offset >= 4) {
		errno = EIO;
		return -1;
	}
	return pread(from, data, len < 4 ? len : 4, offset);
}

static void
source_fills_with_zeros_what_gives_an_io_error(void **state)
{
	(void)state;
	source_pread = fail_at_four;
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_int_equal(f.data.len, 10);
	assert_memory_equal(f.data.data, "0123\0\0\0\0\0\0", 10);
	assert_int_equal(f.bad.offset, 4);
	assert_int_equal(f.bad.len, 6);
	assert_int_equal(reads, 2); /* a disk that fails is not asked again */
}

static ssize_t
give_half(int from, void *data, size_t len, off_t offset)
{
	reads++;
	return offset >= 5 ? 0 : pread(from, data, len < 5 ? len : 5, offset);
}

static void
source_flags_a_file_that_has_less_than_its_size(void **state)
{
	(void)state;
	source_pread = give_half;
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_true(f.changed);
	assert_int_equal(f.data.len, 10);
	assert_memory_equal(f.data.data, "01234\0\0\0\0\0", 10);
}

static void
source_read_range_fills_what_is_not_there(void **state)
{
	uint8_t out[8];
	struct section_range bad;

	(void)state;
	memset(out, 'x', sizeof(out));
	assert_false(source_read_range(fd, 6, out, sizeof(out), &bad));
	assert_memory_equal(out, "6789\0\0\0\0", 8);
	assert_int_equal(bad.len, 0);
}

static void
source_reads_a_file_over_max_up_to_its_listed_size(void **state)
{
	(void)state;
	listed.size = 4;
	assert_int_equal(source_read(&f, fd, &now, &listed, 8, &e), 0);
	assert_int_equal(f.data.len, 4);
	assert_int_equal(f.facts.size, 4);
	assert_true(f.changed);
	assert_int_equal(f.data.len, 4);
}

static void
source_open_does_not_wait_for_a_fifo(void **state)
{
	int other;

	(void)state;
	assert_int_equal(mkfifoat(dirfd_, "p", 0600), 0);
	assert_int_equal(source_open(dirfd_, "p", &other, &now), SOURCE_VANISHED);
	assert_int_equal(other, -1);
}

static void
source_open_takes_nothing_but_files(void **state)
{
	int other;

	(void)state;
	assert_int_equal(symlinkat("f", dirfd_, "l"), 0);
	assert_int_equal(source_open(dirfd_, "l", &other, &now), SOURCE_VANISHED);
	assert_int_equal(source_open(dirfd_, ".", &other, &now), SOURCE_VANISHED);
	assert_int_equal(source_open(dirfd_, "missing", &other, &now), SOURCE_VANISHED);
	if (geteuid() == 0)
		return;
	assert_int_equal(fchmod(wfd, 0), 0);
	assert_int_equal(source_open(dirfd_, "f", &other, &now), SOURCE_UNREADABLE);
	assert_int_equal(errno, EACCES);
}

static void
source_open_without_descriptors_does_not_blame_the_file(void **state)
{
	struct rlimit old, low;
	int other;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	enum source_result result = source_open(dirfd_, "f", &other, &now);
	int saved = errno;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(result, SOURCE_FAILED);
	assert_int_equal(saved, EMFILE);
}

static void
source_open_leaves_atime_alone(void **state)
{
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
	struct stat st;

	(void)state;
	assert_int_equal(futimens(wfd, times), 0);
	assert_int_equal(source_read(&f, fd, &now, &listed, 100, &e), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_atim.tv_sec, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(source_reads_a_quiet_file_once),
	    T(source_keeps_the_prefix_of_a_file_that_grew),
	    T(source_reads_again_when_what_it_read_was_rewritten),
	    T(source_flags_a_file_that_never_rests),
	    T(source_forgives_two_changes),
	    T(source_takes_the_new_size_of_a_file_that_shrank),
	    T(source_fills_with_zeros_what_gives_an_io_error),
	    T(source_flags_a_file_that_has_less_than_its_size),
	    T(source_read_range_fills_what_is_not_there),
	    T(source_reads_a_file_over_max_up_to_its_listed_size),
	    T(source_open_does_not_wait_for_a_fifo),
	    T(source_open_takes_nothing_but_files),
	    T(source_open_without_descriptors_does_not_blame_the_file),
	    T(source_open_leaves_atime_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
