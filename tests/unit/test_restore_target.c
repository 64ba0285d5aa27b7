/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/entry.h"
#include "core/err.h"
#include "restore/target.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX];
static struct restore_target target;
static struct restore_parent parent;

static int
setup(void **state)
{
	struct err e = {0};

	(void)state;
	scratch_new(dir);
	parent = (struct restore_parent){.fd = -1};
	return restore_target_open(&target, dir, &e);
}

static int
teardown(void **state)
{
	(void)state;
	restore_parent_done(&parent);
	restore_target_close(&target);
	scratch_remove(dir);
	return 0;
}

/* The mode that a file for en is made with. */
static mode_t
made_with(const struct entry *en)
{
	struct stat st;
	int fd = restore_make_file(&parent, &target, "a/f", en);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(close(fd), 0);
	restore_unmake_file(&parent, &target, "a/f");
	assert_int_equal(fstatat(target.fd, "a/f", &st, AT_SYMLINK_NOFOLLOW), -1);
	return st.st_mode & 07777;
}

static void
where_nobody_reaches_in_a_file_has_its_mode_at_once_but_for_set_id_bits(void **state)
{
	const struct entry en = {.type = ENTRY_FILE, .mode = 06777};

	(void)state;
	assert_true(target.closed);
	assert_int_equal(made_with(&en), 0777);
}

static void
attributes_and_acls_come_before_the_mode(void **state)
{
	static const struct entry_xattr xattr = {"user.a", "x", 1};
	struct entry en = {.type = ENTRY_FILE, .mode = 0444, .xattrs = &xattr, .n_xattrs = 1};

	(void)state;
	assert_int_equal(made_with(&en), 0600);
	en.n_xattrs = 0;
	en.acl_access = "";
	assert_int_equal(made_with(&en), 0600);
}

static void
in_a_target_that_cannot_be_closed_a_file_is_its_makers_at_first(void **state)
{
	const struct entry en = {.type = ENTRY_FILE, .mode = 0644};

	(void)state;
	target.closed = false;
	assert_int_equal(made_with(&en), 0600);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(where_nobody_reaches_in_a_file_has_its_mode_at_once_but_for_set_id_bits),
	    TEST(attributes_and_acls_come_before_the_mode),
	    TEST(in_a_target_that_cannot_be_closed_a_file_is_its_makers_at_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
