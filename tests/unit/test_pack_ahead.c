/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "pack/job.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#define FILES 40u

static char dir[SCRATCH_MAX];
static int root;
static struct job *job;
static struct ahead a;
static struct err e;

static void
name_of(size_t i, char name[16])
{
	(void)snprintf(name, 16, "d/f%02zu", i);
}

static void
add(const char *path, enum entry_type type)
{
	struct job_item *it = job_add(job, JOB_ENTRY, path, strlen(path), NULL, 0, &e);

	assert_non_null(it);
	it->type = type;
}

/* d/f00 ..., each holding its number as its length. */
static int
setup(void **state)
{
	char name[16], path[SCRATCH_MAX + 8];

	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	(void)snprintf(path, sizeof(path), "%s/d", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(job_new(&job, JOB_FILES, &e), 0);
	for (size_t i = 0; i < FILES; i++) {
		name_of(i, name);
		scratch_put(dir, name, "0123456789012345678901234567890123456789", i);
		add(name, ENTRY_FILE);
	}
	ahead_init(&a, root, 1);
	ahead_begin(&a, job);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ahead_done(&a);
	job_free(job);
	(void)close(root);
	scratch_remove(dir);
	return 0;
}

static void
unlink_item(size_t i)
{
	char name[16];

	name_of(i, name);
	assert_int_equal(unlinkat(root, name, 0), 0);
}

/* Item i is file f<i>. */
static void
expect_file(size_t i)
{
	struct facts now;
	int fd;

	assert_int_equal(ahead_take(&a, i, &fd, &now), SOURCE_OK);
	assert_int_equal(now.size, i);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_ino, now.ino);
	assert_int_equal(close(fd), 0);
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
each_item_gets_its_own_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < FILES; i++)
		expect_file(i);
}

static void
items_that_are_no_files_are_passed_over(void **state)
{
	(void)state;
	ahead_end(&a);
	job_free(job);
	assert_int_equal(job_new(&job, JOB_FILES, &e), 0);
	add("d", ENTRY_DIR);
	add("d/f01", ENTRY_FILE);
	add("d/f02", ENTRY_SYMLINK);
	add("d/f03", ENTRY_FILE);
	ahead_begin(&a, job);
	struct facts now;
	int fd, before = open_descriptors();
	assert_int_equal(ahead_take(&a, 1, &fd, &now), SOURCE_OK);
	assert_int_equal(now.size, 1);
	/* Its directory, f01 and f03. */
	assert_int_equal(open_descriptors(), before + 3);
	assert_int_equal(close(fd), 0);
	assert_int_equal(ahead_take(&a, 3, &fd, &now), SOURCE_OK);
	assert_int_equal(now.size, 3);
	assert_int_equal(close(fd), 0);
}

static void
the_next_ones_are_open_before_their_turn(void **state)
{
	(void)state;
	expect_file(0);
	for (size_t i = 1; i <= AHEAD_MAX; i++)
		unlink_item(i);
	for (size_t i = 1; i <= AHEAD_MAX; i++)
		expect_file(i);
}

static void
what_is_gone_is_told_at_its_turn(void **state)
{
	struct facts now;
	int fd;

	(void)state;
	unlink_item(2);
	expect_file(0);
	expect_file(1);
	assert_int_equal(ahead_take(&a, 2, &fd, &now), SOURCE_VANISHED);
	assert_int_equal(fd, -1);
	expect_file(3);
}

static void
the_end_closes_what_was_not_taken(void **state)
{
	int before = open_descriptors();

	(void)state;
	expect_file(0);
	assert_true(open_descriptors() > before);
	ahead_end(&a);
	assert_int_equal(open_descriptors(), before + 1); /* the directory */
}

static void
many_workers_leave_descriptors_to_others(void **state)
{
	struct rlimit rl;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	ahead_done(&a);
	ahead_init(&a, root, (unsigned)(rl.rlim_cur < 1u << 20 ? rl.rlim_cur : 1u << 20));
	ahead_begin(&a, job);
	int before = open_descriptors();
	expect_file(0);
	assert_int_equal(open_descriptors(), before + 1);
	expect_file(1);
}

/* The ones ahead are given up, and tried again at their turn. */
static void
want_of_descriptors_ahead_is_no_failure(void **state)
{
	struct rlimit rl, tight;
	struct facts now;
	int first, fd;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	first = dup(root); /* the lowest that is free */
	assert_true(first >= 0);
	assert_int_equal(close(first), 0);
	tight = rl;
	tight.rlim_cur = (rlim_t)first + 3; /* the directory, the file, one ahead */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	enum source_result result = ahead_take(&a, 0, &fd, &now);
	enum source_result second = SOURCE_FAILED, third = SOURCE_FAILED;
	(void)close(fd);
	second = ahead_take(&a, 1, &fd, &now);
	(void)close(fd);
	third = ahead_take(&a, 2, &fd, &now);
	(void)close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	assert_int_equal(result, SOURCE_OK);
	assert_int_equal(second, SOURCE_OK);
	assert_int_equal(third, SOURCE_OK);
	assert_int_equal(now.size, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(each_item_gets_its_own_file, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		items_that_are_no_files_are_passed_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_next_ones_are_open_before_their_turn, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_gone_is_told_at_its_turn, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_end_closes_what_was_not_taken, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		many_workers_leave_descriptors_to_others, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		want_of_descriptors_ahead_is_no_failure, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
