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

#include <sys/xattr.h>

#include "core/err.h"
#include "pack/attrs.h"
#include "tests/unit/scratch.h"

static char dir[SCRATCH_MAX], file[SCRATCH_MAX + 8];
static int dirfd_, fd;
static struct attrs a;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&a, 0, sizeof(a));
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	scratch_puts(dir, "f", "x");
	(void)snprintf(file, sizeof(file), "%s/f", dir);
	dirfd_ = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	return dirfd_ < 0 || fd < 0;
}

static int
teardown(void **state)
{
	(void)state;
	attrs_done(&a);
	(void)close(fd);
	(void)close(dirfd_);
	scratch_remove(dir);
	return 0;
}

/* Skips where the file system has none. */
static void
set(const char *name, const void *value, size_t len)
{
	if (setxattr(file, name, value, len, 0) != 0 && (errno == EOPNOTSUPP || errno == EPERM))
		skip();
}

static void
attrs_of_a_bare_file_are_none(void **state)
{
	struct entry en = {0};

	(void)state;
	assert_int_equal(attrs_read_fd(&a, fd, &e), 0);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.denied, 0);
	attrs_entry(&a, &en);
	assert_null(en.xattrs);
	assert_null(en.acl_access);
}

static void
attrs_are_sorted_and_exact(void **state)
{
	static char large[3000];

	(void)state;
	memset(large, 'v', sizeof(large));
	set("user.z", "", 0);
	set("user.b", "a\0b", 3);
	set("user.a", large, sizeof(large));
	assert_int_equal(attrs_read_fd(&a, fd, &e), 0);
	assert_int_equal(a.n, 3);
	assert_string_equal(a.list[0].name, "user.a");
	assert_int_equal(a.list[0].len, sizeof(large));
	assert_memory_equal(a.list[0].value, large, sizeof(large));
	assert_string_equal(a.list[1].name, "user.b");
	assert_memory_equal(a.list[1].value, "a\0b", 3);
	assert_string_equal(a.list[2].name, "user.z");
	assert_int_equal(a.list[2].len, 0);
}

static void
attrs_of_one_file_do_not_stay_for_the_next(void **state)
{
	(void)state;
	set("user.a", "1", 1);
	assert_int_equal(attrs_read_fd(&a, fd, &e), 0);
	assert_int_equal(a.n, 1);
	assert_int_equal(removexattr(file, "user.a"), 0);
	assert_int_equal(attrs_read_fd(&a, fd, &e), 0);
	assert_int_equal(a.n, 0);
}

static void
attrs_take_acls_out_of_the_list(void **state)
{
	/* user::rw- user:1:r-- group::r-- mask::r-- other::--- */
	static const uint8_t acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 1, 0,
	    0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255,
	    255, 255, 255};

	(void)state;
	set("user.a", "1", 1);
	set("system.posix_acl_access", acl, sizeof(acl));
	assert_int_equal(attrs_read_fd(&a, fd, &e), 0);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.list[0].name, "user.a");
	assert_memory_equal(a.list[0].value, "1", 1);
	assert_int_equal(a.acl_access_len, sizeof(acl));
	assert_memory_equal(a.acl_access, acl, sizeof(acl));
	assert_null(a.acl_default);
}

static void
attrs_are_read_without_opening(void **state)
{
	(void)state;
	set("user.a", "1", 1);
	assert_int_equal(attrs_read_at(&a, dirfd_, "f", &e), 0);
	assert_int_equal(a.n, 1);
	/* A link's own, not those of what it names. */
	assert_int_equal(symlinkat("f", dirfd_, "l"), 0);
	assert_int_equal(attrs_read_at(&a, dirfd_, "l", &e), 0);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.denied, 0);
}

static void
attrs_of_what_is_gone_are_none(void **state)
{
	(void)state;
	assert_int_equal(attrs_read_at(&a, dirfd_, "missing", &e), 0);
	assert_int_equal(a.n, 0);
	assert_int_equal(a.denied, 0);
}

static void
attributes_are_packed_and_unpacked(void **state)
{
	static const uint8_t acl[] = {2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 4, 0, 5, 0,
	    0xff, 0xff, 0xff, 0xff, 32, 0, 5, 0, 0xff, 0xff, 0xff, 0xff};
	static const struct entry_xattr list[] = {{"trusted.empty", "", 0}, {"user.x", "a\0b", 3}};
	const struct entry en = {
	    .xattrs = list, .n_xattrs = 2, .acl_default = acl, .acl_default_len = sizeof(acl)};
	struct entry got = {0};
	struct buf packed = {0};

	(void)state;
	attrs_pack(&en, &packed);
	assert_int_equal(attrs_unpack(&a, packed.data, packed.len, &e), 0);
	attrs_entry(&a, &got);
	assert_int_equal(got.n_xattrs, 2);
	assert_string_equal(got.xattrs[0].name, "trusted.empty");
	assert_int_equal(got.xattrs[0].len, 0);
	assert_string_equal(got.xattrs[1].name, "user.x");
	assert_int_equal(got.xattrs[1].len, 3);
	assert_memory_equal(got.xattrs[1].value, "a\0b", 3);
	assert_null(got.acl_access);
	assert_int_equal(got.acl_default_len, sizeof(acl));
	assert_memory_equal(got.acl_default, acl, sizeof(acl));
	/* Cut anywhere but between two, it is refused. */
	size_t whole = 0;
	for (size_t len = 0; len < packed.len; len++) {
		err_clear(&e);
		if (attrs_unpack(&a, packed.data, len, &e) == 0)
			whole++;
		else
			assert_int_equal(e.kind, ERR_CORRUPT);
	}
	assert_int_equal(whole, 3);
	/* None at all. */
	assert_int_equal(attrs_unpack(&a, NULL, 0, &e), 0);
	attrs_entry(&a, &got);
	assert_int_equal(got.n_xattrs, 0);
	assert_null(got.acl_default);
	buf_done(&packed);
}

static void
what_does_not_fit_is_known_before(void **state)
{
	static const struct entry_xattr big = {"user.big", "", ATTRS_MAX};
	const struct entry small = {
	    .xattrs = &(struct entry_xattr){"user.s", "", ATTRS_MAX - 100}, .n_xattrs = 1};
	const struct entry large = {.xattrs = &big, .n_xattrs = 1};

	(void)state;
	assert_true(attrs_fit(&small));
	assert_false(attrs_fit(&large));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(attrs_of_a_bare_file_are_none, setup, teardown),
	    cmocka_unit_test_setup_teardown(attrs_are_sorted_and_exact, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		attrs_of_one_file_do_not_stay_for_the_next, setup, teardown),
	    cmocka_unit_test_setup_teardown(attrs_take_acls_out_of_the_list, setup, teardown),
	    cmocka_unit_test_setup_teardown(attrs_are_read_without_opening, setup, teardown),
	    cmocka_unit_test_setup_teardown(attrs_of_what_is_gone_are_none, setup, teardown),
	    cmocka_unit_test_setup_teardown(attributes_are_packed_and_unpacked, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_does_not_fit_is_known_before, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
