/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "core/err.h"
#include "restore/place.h"
#include "restore/target.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX], temp[SCRATCH_MAX];
static struct restore_merge merge;
static struct restore_target target;
static struct restore_parent parent;
static const struct timespec day = {86400, 0};

static int
open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int
setup(void **state)
{
	(void)state;
	(void)umask(0);
	scratch_new(dir);
	scratch_new(temp);
	parent = (struct restore_parent){.fd = -1};
	merge = (struct restore_merge){.temp_fd = open_dir(temp)};
	target = (struct restore_target){.fd = open_dir(dir)};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	restore_parent_done(&parent);
	(void)close(target.fd);
	(void)close(merge.temp_fd);
	scratch_remove(dir);
	scratch_remove(temp);
	return 0;
}

/* The mode that a file for en is made with. */
static mode_t
made_with(const struct entry *en)
{
	struct restore_place l;
	struct stat st;
	int fd;

	assert_int_equal(restore_place_begin(&l, &parent, &target, "a/f", &day), 1);
	fd = restore_make_file(&l, en);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(close(fd), 0);
	restore_place_drop(&l, &parent, &target, "a/f");
	assert_int_equal(fstatat(target.fd, "a/f", &st, AT_SYMLINK_NOFOLLOW), -1);
	return st.st_mode & 07777;
}

static void
a_file_has_its_mode_at_once_but_for_set_id_bits(void **state)
{
	const struct entry en = {.type = ENTRY_FILE, .mode = 06777};

	(void)state;
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

/* Put "new" at path: what restore_place_begin says, or how the end failed. */
static int
put(const char *path)
{
	const struct entry en = {.type = ENTRY_FILE, .mode = 0644};
	struct restore_place l;
	int rc = restore_place_begin(&l, &parent, &target, path, &day), fd;

	if (rc != 1)
		return rc;
	fd = restore_make_file(&l, &en);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "new", 3), 3);
	assert_int_equal(close(fd), 0);
	return restore_place_end(&l, &parent, &target, path) == 0 ? 1 : -1;
}

static void
has(const char *name, const char *text)
{
	struct buf b = {0};

	scratch_get(dir, name, &b);
	assert_string_equal(buf_str(&b), text);
	buf_done(&b);
}

static void
nothing_is_left_aside(void)
{
	char names[256];

	scratch_list(temp, names, sizeof(names));
	assert_string_equal(names, "");
}

static void
in_what_is_new_nothing_is_replaced(void **state)
{
	const struct entry en = {.type = ENTRY_FILE, .mode = 0644};
	struct restore_place l;

	(void)state;
	scratch_puts(dir, "f", "old");
	assert_int_equal(restore_place_begin(&l, &parent, &target, "f", &day), 1);
	assert_int_equal(restore_make_file(&l, &en), -1);
	assert_int_equal(errno, EEXIST);
	has("f", "old");
}

static void
merged_a_file_is_replaced_when_it_is_whole(void **state)
{
	const struct entry en = {.type = ENTRY_FILE, .mode = 0644};
	struct restore_place l;
	int fd;

	(void)state;
	target.merge = &merge;
	scratch_puts(dir, "f", "old");
	assert_int_equal(restore_place_begin(&l, &parent, &target, "f", &day), 1);
	fd = restore_make_file(&l, &en);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	has("f", "old");
	restore_place_drop(&l, &parent, &target, "f");
	has("f", "old");
	nothing_is_left_aside();
	assert_int_equal(put("f"), 1);
	has("f", "new");
	nothing_is_left_aside();
	assert_int_equal(merge.replaced, 1);
	assert_int_equal(put("sub/g"), 1);
	has("sub/g", "new");
	assert_int_equal(merge.replaced, 1);
}

static void
set_time(const char *name, time_t sec)
{
	const struct timespec times[2] = {{sec, 0}, {sec, 0}};

	assert_int_equal(utimensat(target.fd, name, times, 0), 0);
}

static void
what_is_there_may_stay(void **state)
{
	(void)state;
	target.merge = &merge;
	scratch_puts(dir, "f", "old");
	merge.overwrite = OVERWRITE_NEVER;
	assert_int_equal(put("f"), 0);
	merge.overwrite = OVERWRITE_IF_NEWER;
	set_time("f", 86400);
	assert_int_equal(put("f"), 0);
	assert_int_equal(merge.kept, 2);
	has("f", "old");
	set_time("f", 86399);
	assert_int_equal(put("f"), 1);
	has("f", "new");
}

static void
no_directory_is_replaced(void **state)
{
	(void)state;
	target.merge = &merge;
	assert_int_equal(mkdirat(target.fd, "d", 0755), 0);
	assert_int_equal(put("d"), -1);
	assert_int_equal(errno, EISDIR);
	nothing_is_left_aside();
}

static void
a_directory_takes_the_place_of_what_is_none(void **state)
{
	struct stat st;

	(void)state;
	scratch_puts(dir, "d", "old");
	assert_int_equal(restore_place_dir(&parent, &target, "d", &day), -1);
	assert_int_equal(errno, EEXIST);
	target.merge = &merge;
	merge.overwrite = OVERWRITE_NEVER;
	assert_int_equal(restore_place_dir(&parent, &target, "d", &day), -1);
	has("d", "old");
	merge.overwrite = OVERWRITE_ALWAYS;
	assert_int_equal(restore_place_dir(&parent, &target, "d", &day), 0);
	assert_int_equal(fstatat(target.fd, "d", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISDIR(st.st_mode));
}

static void
what_is_locked_stays(void **state)
{
	int fd;

	(void)state;
	target.merge = &merge;
	scratch_puts(dir, "f", "old");
	fd = openat(target.fd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_SH), 0);
	assert_int_equal(put("f"), -1);
	assert_int_equal(errno, EBUSY);
	merge.force = true;
	assert_int_equal(put("f"), 1);
	has("f", "new");
	assert_int_equal(close(fd), 0);
}

static void
no_link_is_followed(void **state)
{
	(void)state;
	target.merge = &merge;
	assert_int_equal(symlinkat(temp, target.fd, "out"), 0);
	assert_int_equal(put("out/f"), -1);
	nothing_is_left_aside();
	/* The link itself is replaced, not what it leads to. */
	assert_int_equal(put("out"), 1);
	has("out", "new");
}

static void
nothing_gets_into_the_work_directory(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(target.fd, ".tarseal-restore", 0700), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(put(".tarseal-restore/state"), -1);
		assert_int_equal(errno, EEXIST);
		assert_int_equal(restore_place_dir(&parent, &target, ".tarseal-restore", &day), -1);
		assert_int_equal(
		    restore_place_dir(&parent, &target, ".tarseal-restore/old", &day), -1);
		target.merge = &merge;
	}
	assert_int_equal(put(".tarseal-restored"), 1);
	assert_false(scratch_has(dir, ".tarseal-restore/state"));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(a_file_has_its_mode_at_once_but_for_set_id_bits),
	    TEST(attributes_and_acls_come_before_the_mode),
	    TEST(in_what_is_new_nothing_is_replaced),
	    TEST(merged_a_file_is_replaced_when_it_is_whole),
	    TEST(what_is_there_may_stay),
	    TEST(no_directory_is_replaced),
	    TEST(a_directory_takes_the_place_of_what_is_none),
	    TEST(what_is_locked_stays),
	    TEST(no_link_is_followed),
	    TEST(nothing_gets_into_the_work_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
