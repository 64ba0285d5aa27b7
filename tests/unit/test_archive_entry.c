/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
expect(const struct entry *en, const void *text, size_t len)
{
	uint8_t got[SHA256_LEN], want[SHA256_LEN];

	assert_true(entry_xattr_digest(en, got));
	sha256_of(text, len, want);
	assert_memory_equal(got, want, SHA256_LEN);
}

static void
an_entry_without_attributes_has_no_digest(void **state)
{
	struct entry en = {.type = ENTRY_FILE};
	uint8_t out[SHA256_LEN] = {7};

	(void)state;
	assert_false(entry_xattr_digest(&en, out));
	assert_int_equal(out[0], 7);
}

static void
the_digest_is_over_name_length_and_value(void **state)
{
	static const struct entry_xattr x[] = {{"user.a", "v\0w", 3}, {"user.b", NULL, 0}};
	static const char text[] = "user.a\0003\0v\0wuser.b\0000\0";
	struct entry en = {.type = ENTRY_FILE, .xattrs = x, .n_xattrs = 2};

	(void)state;
	expect(&en, text, sizeof(text) - 1);
}

static void
acls_stand_where_their_names_sort(void **state)
{
	static const struct entry_xattr x[] = {
	    {"security.x", "1", 1}, {"system.posix_acl_b", "2", 1}, {"user.a", "0123456789", 10}};
	static const char text[] = "security.x\0001\0001"
				   "system.posix_acl_access\0002\0AA"
				   "system.posix_acl_b\0001\0002"
				   "system.posix_acl_default\0001\0D"
				   "user.a\00010\0000123456789";
	struct entry en = {.type = ENTRY_DIR,
	    .xattrs = x,
	    .n_xattrs = 3,
	    .acl_access = "AA",
	    .acl_access_len = 2,
	    .acl_default = "D",
	    .acl_default_len = 1};

	(void)state;
	expect(&en, text, sizeof(text) - 1);
	en.n_xattrs = 0;
	en.acl_access = NULL;
	expect(&en, "system.posix_acl_default\0001\0D", 28);
}

static void
acl_names_are_no_names_of_attributes(void **state)
{
	(void)state;
	assert_true(entry_xattr_name_ok("user.a"));
	assert_true(entry_xattr_name_ok("system.posix_acl"));
	assert_false(entry_xattr_name_ok(""));
	assert_false(entry_xattr_name_ok("system.posix_acl_access"));
	assert_false(entry_xattr_name_ok("system.posix_acl_default"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_entry_without_attributes_has_no_digest),
	    cmocka_unit_test(the_digest_is_over_name_length_and_value),
	    cmocka_unit_test(acls_stand_where_their_names_sort),
	    cmocka_unit_test(acl_names_are_no_names_of_attributes),
	};

	return cmocka_run_group_tests_name("archive/entry", tests, NULL, NULL);
}
