/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/posixacl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"

enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, GROUP = 8, MASK = 16, OTHER = 32 };
#define NONE 0xffffffffu

struct ace {
	unsigned tag, perm;
	uint32_t id;
};

static void
make(struct buf *acl, const struct ace *aces, size_t n)
{
	buf_clear(acl);
	buf_append(acl, "\2\0\0\0", 4);
	for (size_t i = 0; i < n; i++) {
		uint32_t words[2] = {aces[i].tag | aces[i].perm << 16, aces[i].id};

		for (size_t j = 0; j < 8; j++)
			buf_putc(acl, (char)(words[j / 4] >> j % 4 * 8));
	}
}

static void
acls_become_text_and_come_back(void **state)
{
	static const struct {
		struct ace aces[8];
		size_t n;
		const char *text;
	} good[] = {
	    {{{USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE}, {OTHER, 0, NONE}}, 3,
		"user::rw-,group::r--,other::---"},
	    {{{USER_OBJ, 7, NONE}, {GROUP_OBJ, 5, NONE}, {MASK, 1, NONE}, {OTHER, 2, NONE}}, 4,
		"user::rwx,group::r-x,mask::--x,other::-w-"},
	    {{{USER_OBJ, 6, NONE}, {USER, 4, 1000}, {USER, 7, 0}, {GROUP_OBJ, 4, NONE},
		 {GROUP, 3, 0xfffffffe}, {MASK, 7, NONE}, {OTHER, 0, NONE}},
		7,
		"user::rw-,user:1000:r--,user:0:rwx,group::r--,group:4294967294:-wx,mask::rwx,"
		"other::---"},
	};
	struct buf acl = {0}, out = {0};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		make(&acl, good[i].aces, good[i].n);
		buf_clear(&out);
		assert_int_equal(posixacl_to_text(acl.data, acl.len, &out, &e), 0);
		assert_string_equal(buf_str(&out), good[i].text);
		buf_clear(&out);
		assert_int_equal(
		    posixacl_from_text(good[i].text, strlen(good[i].text), &out, &e), 0);
		assert_int_equal(out.len, acl.len);
		assert_memory_equal(out.data, acl.data, acl.len);
	}
	buf_done(&acl);
	buf_done(&out);
}

static void
what_the_kernel_would_not_take_is_refused(void **state)
{
	static const struct {
		struct ace aces[6];
		size_t n;
	} bad[] = {
	    {{{0}}, 0},
	    {{{USER_OBJ, 6, NONE}}, 1},
	    {{{USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE}}, 2},
	    {{{USER_OBJ, 6, NONE}, {OTHER, 0, NONE}}, 2},
	    {{{GROUP_OBJ, 6, NONE}, {OTHER, 0, NONE}}, 2},
	    {{{USER_OBJ, 6, NONE}, {USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE}, {OTHER, 0, NONE}}, 4},
	    {{{USER_OBJ, 8, NONE}, {GROUP_OBJ, 4, NONE}, {OTHER, 0, NONE}}, 3},
	    {{{USER_OBJ, 6, 0}, {GROUP_OBJ, 4, NONE}, {OTHER, 0, NONE}}, 3},
	    /* A named entry wants a mask, and an id. */
	    {{{USER_OBJ, 6, NONE}, {USER, 4, 1}, {GROUP_OBJ, 4, NONE}, {OTHER, 0, NONE}}, 4},
	    {{{USER_OBJ, 6, NONE}, {USER, 4, NONE}, {GROUP_OBJ, 4, NONE}, {MASK, 7, NONE},
		 {OTHER, 0, NONE}},
		5},
	    {{{USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE}, {OTHER, 0, NONE}, {OTHER, 0, NONE}}, 4},
	    {{{USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE}, {64, 0, NONE}}, 3},
	    {{{USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE}, {MASK | OTHER, 0, NONE}}, 3},
	};
	struct buf acl = {0}, out = {0};
	struct err e = {0};

	(void)state;
	buf_puts(&out, "before");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make(&acl, bad[i].aces, bad[i].n);
		assert_int_equal(posixacl_to_text(acl.data, acl.len, &out, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_string_equal(buf_str(&out), "before");
	}
	make(&acl, (struct ace[]){{USER_OBJ, 6, NONE}, {GROUP_OBJ, 4, NONE}, {OTHER, 0, NONE}}, 3);
	for (size_t n = 0; n < acl.len; n++)
		assert_int_equal(posixacl_to_text(acl.data, n, &out, &e), -1);
	acl.data[0] = 1;
	assert_int_equal(posixacl_to_text(acl.data, acl.len, &out, &e), -1);
	buf_done(&acl);
	buf_done(&out);
}

static void
text_of_another_form_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    ",",
	    "user::rw-,group::r--,other::---,",
	    ",user::rw-,group::r--,other::---",
	    "user::rw-,,group::r--,other::---",
	    "user::rw-,group::r--,other::--",
	    "user::rw-,group::r--,other::----",
	    "user::rw-,group::r--,other::-r-",
	    "user::rw-,group::r--,other::RWX",
	    "user::rw-,group::r--,other:---",
	    "user:rw-,group::r--,other::---",
	    "user::rw-\ngroup::r--\nother::---",
	    "user::rw-,user:root:rwx,group::r--,mask::rwx,other::---",
	    "user::rw-,user:01:rwx,group::r--,mask::rwx,other::---",
	    "user::rw-,user:-1:rwx,group::r--,mask::rwx,other::---",
	    "user::rw-,user:4294967295:rwx,group::r--,mask::rwx,other::---",
	    "user::rw-,user:4294967296:rwx,group::r--,mask::rwx,other::---",
	    "user::rw-,user:1000:rwx:1000,group::r--,mask::rwx,other::---",
	    "user::rw-,group::r--,mask:1:rwx,other::---",
	    "user::rw-,group::r--,nobody::---",
	    "user::rw-,group::r--",
	    "other::---,group::r--,user::rw-",
	    "default:user::rw-,group::r--,other::---",
	};
	struct buf out = {0};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t len = strlen(bad[i]);
		char *copy = malloc(len + 1); /* without a NUL, for asan */

		assert_non_null(copy);
		memcpy(copy, bad[i], len);
		assert_int_equal(posixacl_from_text(copy, len, &out, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(out.len, 0);
		free(copy);
	}
	buf_done(&out);
}

/* Where the file system knows ACLs, the kernel takes ours and gives it back. */
static void
the_kernel_gives_back_what_we_made(void **state)
{
	static const char text[] = "user::rw-,user:1000:r--,group::r--,mask::rw-,other::---";
	char path[] = "/tmp/tarseal-acl-XXXXXX", got[256];
	struct buf acl = {0}, out = {0};
	struct err e = {0};
	int fd = mkstemp(path);
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(posixacl_from_text(text, strlen(text), &acl, &e), 0);
	if (fsetxattr(fd, "system.posix_acl_access", acl.data, acl.len, 0) != 0) {
		assert_int_equal(close(fd), 0);
		buf_done(&acl);
		skip();
	}
	n = fgetxattr(fd, "system.posix_acl_access", got, sizeof(got));
	assert_true(n > 0);
	assert_int_equal(posixacl_to_text(got, (size_t)n, &out, &e), 0);
	assert_string_equal(buf_str(&out), text);
	assert_int_equal(close(fd), 0);
	buf_done(&acl);
	buf_done(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(acls_become_text_and_come_back),
	    cmocka_unit_test(what_the_kernel_would_not_take_is_refused),
	    cmocka_unit_test(text_of_another_form_is_refused),
	    cmocka_unit_test(the_kernel_gives_back_what_we_made),
	};

	return cmocka_run_group_tests_name("archive/posixacl", tests, NULL, NULL);
}
