/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/err.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#define NAME "s-20260101_000000"

static char dir[SCRATCH_MAX];
static struct repo *repo;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	assert_int_equal(repo_open(&repo, dir, &e), 0);
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	scratch_puts(dir, NAME ".tar.gz", "content");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	repo_close(repo);
	scratch_remove(dir);
	return 0;
}

static void
there_is(const char *want)
{
	char got[512];

	scratch_list(dir, got, sizeof(got));
	assert_string_equal(got, want);
}

static struct stat before;

static int
open_it(void)
{
	int fd = repo_open_part(repo, REPO_ARCHIVE, NAME, &e);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &before), 0);
	return fd;
}

static void
scratch_has_no_name(void **state)
{
	struct stat st;
	int fd = repo_scratch(repo, NAME, &e);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_mode & 077, 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	there_is(".lock " NAME ".tar.gz ");
	(void)close(fd);
}

static void
a_path_has_one_that_recovery_removes(void **state)
{
	struct buf path = {0};

	(void)state;
	assert_int_equal(repo_scratch_path(repo, NAME, &path, &e), 0);
	there_is(".lock ." NAME ".manifest.gz.new " NAME ".tar.gz ");
	assert_int_equal(access(buf_str(&path), W_OK), 0);
	/* As after a crash. */
	assert_int_equal(repo_recover(repo, &e), 0);
	there_is(".lock " NAME ".tar.gz ");
	/* One that stands in the way is told. */
	scratch_puts(dir, "." NAME ".manifest.gz.new", "");
	buf_clear(&path);
	assert_int_equal(repo_scratch_path(repo, NAME, &path, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	buf_done(&path);
}

static void
a_path_has_no_link_in_it(void **state)
{
	char link[SCRATCH_MAX + 16], want[SCRATCH_MAX + 64];
	struct buf path = {0};
	struct repo *linked;
	char *real = realpath(dir, NULL);

	(void)state;
	assert_non_null(real);
	(void)snprintf(link, sizeof(link), "%s.link", dir);
	assert_int_equal(symlink(dir, link), 0);
	repo_close(repo);
	assert_int_equal(repo_open(&linked, link, &e), 0);
	repo = linked;
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	assert_int_equal(repo_scratch_path(repo, NAME, &path, &e), 0);
	(void)snprintf(want, sizeof(want), "%s/." NAME ".manifest.gz.new", real);
	assert_string_equal(buf_str(&path), want);
	/* Another directory under its name by now is not ours to write to. */
	assert_int_equal(unlink(want), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("/", link), 0);
	buf_clear(&path);
	assert_int_equal(repo_scratch_path(repo, NAME, &path, &e), -1);
	assert_non_null(strstr(e.msg, "is not the directory any more"));
	assert_int_equal(access(want, F_OK), -1);
	assert_int_equal(unlink(link), 0);
	buf_done(&path);
	free(real);
}

static void
the_archive_that_was_read_goes(void **state)
{
	int fd = open_it();

	(void)state;
	assert_int_equal(repo_remove_unsealed(repo, NAME, &before, &e), 0);
	there_is(".lock ");
	(void)close(fd);
}

static void
one_with_a_seal_stays(void **state)
{
	int fd = open_it();

	(void)state;
	scratch_puts(dir, NAME ".seal", "whatever it is");
	assert_int_equal(repo_remove_unsealed(repo, NAME, &before, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	there_is(".lock " NAME ".seal " NAME ".tar.gz ");
	(void)close(fd);
}

static void
another_file_under_its_name_stays(void **state)
{
	char path[SCRATCH_MAX + 64];
	int fd = open_it();

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/%s.tar.gz", dir, NAME);
	assert_int_equal(unlink(path), 0);
	scratch_puts(dir, NAME ".tar.gz", "CONTENT");
	assert_int_equal(repo_remove_unsealed(repo, NAME, &before, &e), -1);
	assert_non_null(strstr(e.msg, "was replaced"));
	(void)close(fd);
	/* A link to it is no archive. */
	fd = open_it();
	scratch_puts(dir, "other", "");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("other", path), 0);
	assert_int_equal(repo_remove_unsealed(repo, NAME, &before, &e), -1);
	there_is(".lock other " NAME ".tar.gz ");
	(void)close(fd);
}

/* By a program that knows nothing of us: the bytes that it wrote were not read. */
static void
one_that_was_written_to_stays(void **state)
{
	int fd = open_it(), to;

	(void)state;
	to = openat(repo_fd(repo), NAME ".tar.gz", O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_true(to >= 0);
	assert_int_equal(write(to, "more", 4), 4);
	assert_int_equal(close(to), 0);
	assert_int_equal(repo_remove_unsealed(repo, NAME, &before, &e), -1);
	assert_non_null(strstr(e.msg, "was changed: left alone"));
	there_is(".lock " NAME ".tar.gz ");
	(void)close(fd);
}

static void
without_the_lock_nothing_is_done(void **state)
{
	struct repo *other;
	struct buf path = {0};
	int fd = open_it();

	(void)state;
	assert_int_equal(repo_open(&other, dir, &e), 0);
	assert_int_equal(repo_scratch(other, NAME, &e), -1);
	assert_int_equal(repo_scratch_path(other, NAME, &path, &e), -1);
	assert_int_equal(repo_remove_unsealed(other, NAME, &before, &e), -1);
	there_is(".lock " NAME ".tar.gz ");
	repo_close(other);
	buf_done(&path);
	(void)close(fd);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(scratch_has_no_name),
	    T(a_path_has_one_that_recovery_removes),
	    T(a_path_has_no_link_in_it),
	    T(the_archive_that_was_read_goes),
	    T(one_with_a_seal_stays),
	    T(another_file_under_its_name_stays),
	    T(one_that_was_written_to_stays),
	    T(without_the_lock_nothing_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
