/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/err.h"
#include "core/log.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX], names[4096];
static struct repo *repo;
static struct buf new, got;
static struct err e;

static int
setup(void **state)
{
	struct seal gone = {.name = "n-0", .sequence = 1};

	(void)state;
	err_clear(&e);
	log_init("test", LOG_QUIET);
	scratch_new(dir);
	stub_backup(dir, "n-1", &(struct stub){.sequence = 2}, NULL);
	stub_seal("n-1",
	    &(struct stub){.sequence = 2, .holds = (const struct seal *const[]){&gone, NULL}}, &new,
	    NULL);
	return repo_open(&repo, dir, &e) < 0 || repo_lock(repo, 0, &e) < 0;
}

static int
teardown(void **state)
{
	(void)state;
	repo_close(repo);
	buf_done(&new);
	buf_done(&got);
	scratch_remove(dir);
	return 0;
}

static void
assert_seal_is_new(bool is_new)
{
	buf_clear(&got);
	scratch_get(dir, "n-1.seal", &got);
	assert_int_equal(got.len == new.len &&memcmp(got.data, new.data, new.len) == 0, is_new);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock n-1.manifest.gz n-1.seal n-1.tar.gz ");
}

static void
the_new_seal_takes_the_old_ones_place(void **state)
{
	char path[SCRATCH_MAX + 16];
	struct stat st;

	(void)state;
	assert_int_equal(repo_put_seal(repo, "n-1", new.data, new.len, &e), 0);
	assert_seal_is_new(true);
	(void)snprintf(path, sizeof(path), "%s/n-1.seal", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
without_the_lock_nothing_happens(void **state)
{
	struct repo *other;

	(void)state;
	assert_int_equal(repo_open(&other, dir, &e), 0);
	assert_int_equal(repo_put_seal(other, "n-1", new.data, new.len, &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	repo_close(other);
	assert_seal_is_new(false);
	assert_int_equal(repo_put_seal(repo, "../n-1", new.data, new.len, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

static void
after_a_crash_before_the_rename_the_old_seal_stands(void **state)
{
	(void)state;
	scratch_put(dir, ".n-1.seal.new", new.data, new.len);
	assert_int_equal(repo_recover(repo, &e), 0);
	assert_seal_is_new(false);
	scratch_put(dir, ".n-1.seal.new", new.data, new.len / 2);
	assert_int_equal(repo_recover(repo, &e), 0);
	assert_seal_is_new(false);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_new_seal_takes_the_old_ones_place),
	    T(without_the_lock_nothing_happens),
	    T(after_a_crash_before_the_rename_the_old_seal_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
