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

#include "core/err.h"
#include "tests/unit/scratch.h"
#include "tree/names.h"

static char dir[SCRATCH_MAX];
static int fd;
static struct names l;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&l, 0, sizeof(l));
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0;
}

static int
teardown(void **state)
{
	(void)state;
	names_done(&l);
	(void)close(fd);
	scratch_remove(dir);
	return 0;
}

static void
names_of_an_empty_directory_are_none(void **state)
{
	(void)state;
	assert_int_equal(names_read(&l, fd, &e), 0);
	assert_int_equal(l.n, 0);
}

static void
names_come_bytewise(void **state)
{
	static const char *const sorted[] = {"\001", " ", "-", "...", ".a", "A", "a", "a b", "a-b",
	    "a.b", "ab", "\177", "\200", "\377"};
	size_t n = sizeof(sorted) / sizeof(*sorted);

	(void)state;
	for (size_t i = 0; i < n; i++)
		scratch_puts(dir, sorted[(i * 5) % n], "");
	assert_int_equal(names_read(&l, fd, &e), 0);
	assert_int_equal(l.n, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(names_get(&l, i), sorted[i]);
}

static void
names_of_many_files_are_all_there(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'n', sizeof(name));
	for (int i = 0; i < 3000; i++) { /* several buffers of the kernel's */
		(void)snprintf(name + 200, 55, "%04d", 2999 - i);
		int file = openat(fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(file >= 0);
		(void)close(file);
	}
	assert_int_equal(names_read(&l, fd, &e), 0);
	assert_int_equal(l.n, 3000);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(atoi(names_get(&l, i) + 200), i);
}

static void
names_do_not_stay_for_the_next_directory(void **state)
{
	(void)state;
	scratch_puts(dir, "a", "");
	assert_int_equal(names_read(&l, fd, &e), 0);
	assert_int_equal(unlinkat(fd, "a", 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(names_read(&l, fd, &e), 0);
	assert_int_equal(l.n, 0);
}

static void
names_of_what_is_no_directory_are_an_errno(void **state)
{
	(void)state;
	scratch_puts(dir, "a", "");
	int file = openat(fd, "a", O_RDONLY | O_CLOEXEC);
	assert_int_equal(names_read(&l, file, &e), 1);
	assert_int_equal(errno, ENOTDIR);
	(void)close(file);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(names_of_an_empty_directory_are_none),
	    T(names_come_bytewise),
	    T(names_of_many_files_are_all_there),
	    T(names_do_not_stay_for_the_next_directory),
	    T(names_of_what_is_no_directory_are_an_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
