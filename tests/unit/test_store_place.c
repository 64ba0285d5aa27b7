/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/err.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX];
static struct err e;

static int
setup(void **state)
{
	(void)state;
	err_clear(&e);
	scratch_new(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

static enum repo_place
place_of(const char *path)
{
	enum repo_place place;
	struct repo *r;

	assert_int_equal(repo_open(&r, path, &e), 0);
	assert_int_equal(repo_place(r, &place, &e), 0);
	repo_close(r);
	return place;
}

static void
an_empty_directory_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(place_of(dir), REPO_PLACE_OTHER);
	scratch_puts(dir, "notes.txt", "");
	scratch_puts(dir, "catalog.sqlite3", "");
	scratch_puts(dir, "a.tar", "");
	assert_int_equal(place_of(dir), REPO_PLACE_OTHER);
}

static void
a_lock_or_a_file_of_a_backup_tells_a_repository(void **state)
{
	static const char *const files[] = {".lock", "n-1.seal", "n-1.tar.gz", "n-1.manifest.gz"};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		scratch_remove(dir);
		scratch_new(dir);
		scratch_puts(dir, files[i], "");
		assert_int_equal(place_of(dir), REPO_PLACE_USED);
	}
}

static void
the_root_of_a_file_system_is_a_mount(void **state)
{
	(void)state;
	assert_int_equal(place_of("/proc"), REPO_PLACE_MOUNT);
	assert_int_equal(place_of("/proc/self"), REPO_PLACE_OTHER);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_empty_directory_is_nothing),
	    T(a_lock_or_a_file_of_a_backup_tells_a_repository),
	    T(the_root_of_a_file_system_is_a_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
