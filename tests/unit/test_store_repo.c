/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/stop.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"

static char dir[SCRATCH_MAX];
static struct repo *repo;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	return repo_open(&repo, dir, &e);
}

static int
teardown(void **state)
{
	(void)state;
	repo_close(repo);
	repo = NULL;
	scratch_remove(dir);
	return 0;
}

static void
a_missing_directory_is_a_failure(void **state)
{
	struct repo *r = NULL;

	(void)state;
	assert_int_equal(repo_open(&r, "/nonexistent/repo", &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_string_equal(e.msg, "repository /nonexistent/repo: no such directory");
	scratch_puts(dir, "file", "");
	char path[SCRATCH_MAX + 8];
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	assert_int_equal(repo_open(&r, path, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_null(r);
}

static void
the_directory_is_as_given(void **state)
{
	(void)state;
	assert_string_equal(repo_dir(repo), dir);
	assert_true(repo_fd(repo) >= 0);
	assert_true(repo_writable(repo));
}

/* In a process of its own: an OFD lock belongs to the open file. */
static int
lock_in_child(uint64_t wait_seconds)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct repo *r;
		struct err ce = {0};
		if (repo_open(&r, dir, &ce) < 0)
			_exit(100);
		_exit(repo_lock(r, wait_seconds, &ce) == 0 ? 0 : (int)ce.kind);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
a_second_writer_is_locked_out_at_once(void **state)
{
	(void)state;
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	assert_int_equal(lock_in_child(0), ERR_LOCKED);
	repo_close(repo);
	repo = NULL;
	assert_int_equal(lock_in_child(0), 0);
	assert_true(scratch_has(dir, ".lock"));
}

static void
a_lock_in_the_same_process_counts_too(void **state)
{
	struct repo *other;

	(void)state;
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	assert_int_equal(repo_open(&other, dir, &e), 0);
	assert_int_equal(repo_lock(other, 0, &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	repo_close(other);
	assert_int_equal(lock_in_child(0), ERR_LOCKED);
}

static void
a_lock_that_was_given_back_can_be_had_again(void **state)
{
	(void)state;
	repo_unlock(repo);
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	repo_unlock(repo);
	assert_int_equal(lock_in_child(0), 0);
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	assert_int_equal(lock_in_child(0), ERR_LOCKED);
}

static void
a_writer_that_waits_gets_the_lock_or_gives_up(void **state)
{
	int status;
	struct timespec half = {.tv_nsec = 400000000};

	(void)state;
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	assert_int_equal(lock_in_child(1), ERR_LOCKED);
	pid_t pid = fork();
	if (pid == 0) {
		struct repo *r;
		struct err ce = {0};
		/* The lock came along with fork, and must go here. */
		repo_close(repo);
		if (repo_open(&r, dir, &ce) < 0)
			_exit(100);
		_exit(repo_lock(r, 30, &ce) == 0 ? 0 : (int)ce.kind);
	}
	(void)nanosleep(&half, NULL);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	repo_close(repo);
	repo = NULL;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
a_waiter_hears_a_stop_request(void **state)
{
	int status;

	(void)state;
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct repo *r;
		struct err ce = {0};
		stop_request(15);
		if (repo_open(&r, dir, &ce) < 0)
			_exit(100);
		_exit(repo_lock(r, 1000, &ce) == 0 ? 0 : (int)ce.kind);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), ERR_STOPPED);
}

static void
a_lock_file_that_is_something_else_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifoat(repo_fd(repo), ".lock", 0600), 0);
	assert_int_equal(repo_lock(repo, 0, &e), -1);
	assert_int_equal(unlinkat(repo_fd(repo), ".lock", 0), 0);
	assert_int_equal(symlinkat("elsewhere", repo_fd(repo), ".lock"), 0);
	assert_int_equal(repo_lock(repo, 0, &e), -1);
	assert_false(scratch_has(dir, "elsewhere"));
}

static void
the_lock_is_for_all_who_may_write_to_the_directory(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(fchmod(repo_fd(repo), 02770), 0);
	if (geteuid() == 0)
		assert_int_equal(fchown(repo_fd(repo), 1234, 5678), 0);
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	assert_int_equal(fstatat(repo_fd(repo), ".lock", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 1234);
		assert_int_equal(st.st_gid, 5678);
	}
}

static void
parts_open_and_have_a_size(void **state)
{
	uint64_t size = 0;
	char got[64] = "";
	int fd;

	(void)state;
	scratch_puts(dir, "a.tar.gz", "four");
	assert_int_equal(repo_stat_part(repo, REPO_ARCHIVE, "a", &size, &e), 0);
	assert_int_equal(size, 4);
	fd = repo_open_part(repo, REPO_ARCHIVE, "a", &e);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, sizeof(got)), 4);
	assert_int_equal(close(fd), 0);
}

static void
a_missing_part_is_not_found(void **state)
{
	uint64_t size;

	(void)state;
	assert_int_equal(repo_open_part(repo, REPO_MANIFEST, "a", &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_string_equal(e.msg, "a.manifest.gz: is missing");
	assert_int_equal(repo_stat_part(repo, REPO_SEAL, "a", &size, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_int_equal(repo_open_part(repo, REPO_MANIFEST, "../a", &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
}

static void
links_fifos_and_directories_are_no_parts(void **state)
{
	uint64_t size;

	(void)state;
	scratch_puts(dir, "real", "x");
	assert_int_equal(symlinkat("real", repo_fd(repo), "l.tar.gz"), 0);
	assert_int_equal(mkfifoat(repo_fd(repo), "f.tar.gz", 0600), 0);
	assert_int_equal(mkdirat(repo_fd(repo), "d.tar.gz", 0700), 0);
	for (const char *name = "lfd"; *name != '\0'; name++) {
		char one[2] = {*name};
		assert_int_equal(repo_open_part(repo, REPO_ARCHIVE, one, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(repo_stat_part(repo, REPO_ARCHIVE, one, &size, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
}

static void
free_space_is_told(void **state)
{
	uint64_t bytes = 0, inodes = 0;

	(void)state;
	assert_int_equal(repo_free_space(repo, &bytes, &inodes, &e), 0);
	assert_true(bytes > 0 && inodes > 0);
}

static void
a_free_name_is_the_stamp_or_the_next_number(void **state)
{
	char name[SEAL_NAME_MAX + 1];

	(void)state;
	assert_int_equal(clock_zone_set("UTC", &e), 0);
	assert_int_equal(repo_free_name(repo, "auto", 0, name, &e), 0);
	assert_string_equal(name, "auto-19700101_000000");
	scratch_puts(dir, "auto-19700101_000000.tar.gz", "somebody's archive");
	assert_int_equal(repo_free_name(repo, "auto", 0, name, &e), 0);
	assert_string_equal(name, "auto-19700101_000000-2");
	scratch_puts(dir, ".auto-19700101_000000-2.seal.new", "");
	scratch_puts(dir, "auto-19700101_000000-3.seal", "");
	assert_int_equal(
	    symlinkat("nowhere", repo_fd(repo), "auto-19700101_000000-4.manifest.gz"), 0);
	assert_int_equal(repo_free_name(repo, "auto", 0, name, &e), 0);
	assert_string_equal(name, "auto-19700101_000000-5");
}

static void
a_series_that_makes_no_name_is_refused(void **state)
{
	char name[SEAL_NAME_MAX + 1], series[SEAL_NAME_MAX + 1];

	(void)state;
	assert_int_equal(repo_free_name(repo, "a/b", 0, name, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	memset(series, 'x', SEAL_NAME_MAX);
	series[SEAL_NAME_MAX] = '\0';
	assert_int_equal(repo_free_name(repo, series, 0, name, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

static void
the_path_of_a_part_has_one_slash(void **state)
{
	char with_slash[SCRATCH_MAX + 2];
	struct repo *other;
	struct buf path = {0};

	(void)state;
	(void)snprintf(with_slash, sizeof(with_slash), "%s/", dir);
	assert_int_equal(repo_open(&other, with_slash, &e), 0);
	assert_int_equal(repo_part_path(repo, REPO_SEAL, "s-1", &path, &e), 0);
	assert_int_equal(strncmp(buf_str(&path), dir, strlen(dir)), 0);
	assert_string_equal(buf_str(&path) + strlen(dir), "/s-1.seal");
	assert_int_equal(repo_part_path(other, REPO_ARCHIVE, "s-1", &path, &e), 0);
	assert_string_equal(buf_str(&path) + strlen(dir), "/s-1.tar.gz");
	buf_done(&path);
	repo_close(other);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_missing_directory_is_a_failure),
	    T(the_directory_is_as_given),
	    T(the_path_of_a_part_has_one_slash),
	    T(a_second_writer_is_locked_out_at_once),
	    T(a_lock_in_the_same_process_counts_too),
	    T(a_lock_that_was_given_back_can_be_had_again),
	    T(a_writer_that_waits_gets_the_lock_or_gives_up),
	    T(a_waiter_hears_a_stop_request),
	    T(a_lock_file_that_is_something_else_is_refused),
	    T(the_lock_is_for_all_who_may_write_to_the_directory),
	    T(parts_open_and_have_a_size),
	    T(a_missing_part_is_not_found),
	    T(links_fifos_and_directories_are_no_parts),
	    T(free_space_is_told),
	    T(a_free_name_is_the_stamp_or_the_next_number),
	    T(a_series_that_makes_no_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
