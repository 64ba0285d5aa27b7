/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/tarwrite.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "archive/entry.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/hash.h"
#include "core/utf8.h"
#include "entries.h"

struct fixture {
	struct tar_writer *w;
	struct buf out;
	struct err e;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(tar_writer_new(&f->w, &f->e), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	tar_writer_free(f->w);
	buf_done(&f->out);
	free(f);
	return 0;
}

static void
headers_are_whole_blocks(void **state)
{
	struct fixture *f = *state;
	const struct entry *all;
	size_t n;

	all = entries_all(&n);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&f->out);
		assert_int_equal(tar_write_header(f->w, &all[i], &f->out, &f->e), 0);
		assert_true(f->out.len >= TAR_BLOCK);
		assert_int_equal(f->out.len % TAR_BLOCK, 0);
	}
}

static void
a_plain_entry_is_one_ustar_header(void **state)
{
	struct fixture *f = *state;
	struct entry en = entries_file("dir/file", 5);
	uint8_t want[512] = {0};
	unsigned sum = 0;

	en.mtime_nsec = 0;
	en.uid = 1000;
	memcpy(want, "dir/file", 8);
	memcpy(want + 100, "0000644\0000001750\0000000000", 24);
	memcpy(want + 124, "00000000005\00015142203545", 24);
	memset(want + 148, ' ', 8);
	want[156] = '0';
	memcpy(want + 257, "ustar\00000", 8);
	memcpy(want + 329, "0000000\0000000000", 16);
	for (size_t i = 0; i < sizeof(want); i++)
		sum += want[i];
	for (size_t i = 6; i-- > 0; sum /= 8)
		want[148 + i] = (uint8_t)('0' + sum % 8);
	want[154] = 0;
	assert_int_equal(tar_write_header(f->w, &en, &f->out, &f->e), 0);
	assert_int_equal(f->out.len, 512);
	assert_memory_equal(f->out.data, want, 512);
}

static void
a_pax_header_holds_the_records_in_their_order(void **state)
{
	static const struct entry_xattr x[] = {{"user.x", "1\n2", 3}};
	static const struct entry_extent extent = {4096, 1};
	static const char want[] =
	    "21 hdrcharset=BINARY\n22 GNU.sparse.major=1\n"
	    "22 GNU.sparse.minor=0\n21 GNU.sparse.name=\377\n"
	    "30 GNU.sparse.realsize=100000\n15 uid=2097152\n"
	    "18 gid=4294967294\n22 mtime=-0.500000000\n27 SCHILY.xattr.user.x=1\n2\n";
	struct fixture *f = *state;
	struct entry en = entries_file("\377", 100000);
	const char *body;

	en.sparse = true;
	en.extents = &extent;
	en.n_extents = 1;
	en.uid = 2097152;
	en.gid = 4294967294;
	en.mtime_sec = -1;
	en.mtime_nsec = 500000000;
	en.xattrs = x;
	en.n_xattrs = 1;
	assert_int_equal(tar_write_header(f->w, &en, &f->out, &f->e), 0);
	assert_int_equal(f->out.len, 2048);
	body = (const char *)f->out.data;
	assert_string_equal(body, "././@PaxHeader");
	assert_int_equal(body[156], 'x');
	assert_memory_equal(body + 124, "00000000306", 12);
	assert_memory_equal(body + 512, want, sizeof(want));
	assert_string_equal(body + 1024, "GNUSparseFile.0/\377");
	assert_memory_equal(body + 1024 + 124, "00000001001", 12);
	assert_string_equal(body + 1536, "2\n4096\n1\n100000\n0\n");
}

/*
 * Archives are compared with older ones byte for byte.  If this fails, the format has
 * changed (or tests/unit/entries.c has): every member of every archive would be packed anew.
 */
static void
headers_are_what_they_always_were(void **state)
{
	static const char want[] =
	    "35588ac7db6b8e3d3edd9b2983a991b2f971b7fe50fbaf8f5c2c9ede219be403";
	struct fixture *f = *state;
	const struct entry *all;
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX_LEN + 1];
	size_t n;

	all = entries_all(&n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(tar_write_header(f->w, &all[i], &f->out, &f->e), 0);
	sha256_of(f->out.data, f->out.len, digest);
	sha256_hex(digest, hex);
	assert_string_equal(hex, want);
}

static void
a_header_does_not_depend_on_what_was_before(void **state)
{
	struct fixture *f = *state;
	const struct entry *all;
	struct buf fresh = {0};
	size_t n;

	all = entries_all(&n);
	assert_int_equal(setenv("TZ", "Asia/Kathmandu", 1), 0);
	tzset();
	(void)setlocale(LC_ALL, "");
	/* Backwards, all in one buffer, against each by a writer of its own. */
	for (size_t i = n; i-- > 0;) {
		struct tar_writer *w;
		size_t start = f->out.len;

		assert_int_equal(tar_writer_new(&w, &f->e), 0);
		buf_clear(&fresh);
		assert_int_equal(tar_write_header(w, &all[i], &fresh, &f->e), 0);
		assert_int_equal(tar_write_header(f->w, &all[i], &f->out, &f->e), 0);
		assert_int_equal(f->out.len - start, fresh.len);
		assert_memory_equal(f->out.data + start, fresh.data, fresh.len);
		tar_writer_free(w);
	}
	(void)setlocale(LC_ALL, "C");
	buf_done(&fresh);
}

static void
expect_refused(struct fixture *f, const struct entry *en)
{
	buf_clear(&f->out);
	buf_puts(&f->out, "before");
	err_clear(&f->e);
	assert_int_equal(tar_write_header(f->w, en, &f->out, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_UNSUPPORTED);
	assert_string_equal(buf_str(&f->out), "before");
}

static void
paths_and_links_that_are_not_clean_are_refused(void **state)
{
	static const char *const bad[] = {
	    "", "/a", "a/", "a//b", "./a", "a/.", "../a", "a/../b", "."};
	struct fixture *f = *state;
	struct entry en;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		en = entries_file(bad[i], 0);
		expect_refused(f, &en);
		en = (struct entry){.type = ENTRY_HARDLINK,
		    .path = "h",
		    .path_len = 1,
		    .link = bad[i],
		    .link_len = strlen(bad[i])};
		expect_refused(f, &en);
	}
	en = entries_file("a\0b", 0);
	en.path_len = 3;
	expect_refused(f, &en);
	en.path_len = 1;
	en.path = "ab"; /* not NUL-terminated where it should be */
	expect_refused(f, &en);
	en = entries_file("a", 0);
	en.type = ENTRY_SYMLINK;
	expect_refused(f, &en);
	en.link = "";
	expect_refused(f, &en);
	en.link = "x\0y";
	en.link_len = 3;
	expect_refused(f, &en);
	en = entries_file("a", 0);
	en.link = "x";
	en.link_len = 1;
	expect_refused(f, &en);
}

static void
numbers_out_of_range_are_refused(void **state)
{
	struct fixture *f = *state;
	struct entry en = entries_file("a", (uint64_t)INT64_MAX + 1);

	expect_refused(f, &en);
	en = entries_file("a", 5);
	en.type = ENTRY_DIR;
	expect_refused(f, &en);
	en = entries_file("a", 0);
	en.mode = 010000;
	expect_refused(f, &en);
	en = entries_file("a", 0);
	en.mtime_nsec = 1000000000;
	expect_refused(f, &en);
	en = entries_file("a", 0);
	en.type = (enum entry_type)'s';
	expect_refused(f, &en);
}

static void
maps_out_of_order_are_refused(void **state)
{
	static const struct entry_extent bad[][2] = {
	    {{5, 512}, {4, 2}},
	    {{0, 512}, {511, 2}},
	    {{0, 512}, {512, 2}}, /* not apart */
	    {{0, 5}, {7, 2}}, /* GNU tar wants whole blocks */
	    {{0, 512}, {700, 0}},
	    {{0, 512}, {9999, 2}},
	    {{0, 512}, {10000, 1}},
	    {{0, 512}, {700, UINT64_MAX - 3}},
	    {{UINT64_MAX - 511, 512}, {3, 1}},
	};
	struct fixture *f = *state;
	struct entry en = entries_file("a", 10000);

	en.sparse = true;
	en.n_extents = 2;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		en.extents = bad[i];
		expect_refused(f, &en);
	}
	en.n_extents = TAR_EXTENTS_MAX;
	expect_refused(f, &en);
	en.sparse = false;
	en.n_extents = 1;
	expect_refused(f, &en);
	en.sparse = true;
	en.n_extents = 0;
	en.type = ENTRY_FIFO;
	en.size = 0;
	expect_refused(f, &en);
}

static void
attributes_that_no_kernel_gives_are_refused(void **state)
{
	static const struct entry_xattr unsorted[] = {{"user.b", "", 0}, {"user.a", "", 0}},
					twice[] = {{"user.a", "", 0}, {"user.a", "", 0}},
					nameless[] = {{"", "", 0}},
					acl[] = {{"system.posix_acl_access", "", 0}};
	struct fixture *f = *state;
	struct entry en = entries_file("a", 0);

	en.n_xattrs = 2;
	en.xattrs = unsorted;
	expect_refused(f, &en);
	en.xattrs = twice;
	expect_refused(f, &en);
	en.n_xattrs = 1;
	en.xattrs = nameless;
	expect_refused(f, &en);
	en.xattrs = acl;
	expect_refused(f, &en);
	en.n_xattrs = 0;
	en.acl_access = "\2\0\0\0";
	en.acl_access_len = 4;
	expect_refused(f, &en);
}

static void
more_than_readers_take_is_refused(void **state)
{
	struct fixture *f = *state;
	struct entry_xattr x[2] = {{"user.a", NULL, 0}, {"user.b", "", 0}};
	struct entry en = entries_file("a", 0);
	char *big = calloc(1, TAR_PAX_MAX + 1);

	assert_non_null(big);
	en.mtime_nsec = 0;
	en.xattrs = x;
	en.n_xattrs = 1;
	x[0].value = big;
	x[0].len = TAR_PAX_MAX - strlen("1048576 SCHILY.xattr.user.a=\n");
	buf_clear(&f->out);
	assert_int_equal(tar_write_header(f->w, &en, &f->out, &f->e), 0);
	assert_int_equal(f->out.len, 512 + TAR_PAX_MAX + 512);
	x[0].len++;
	expect_refused(f, &en);
	x[0].len = TAR_PAX_MAX + 1;
	expect_refused(f, &en);
	x[0].len = TAR_PAX_MAX / 2;
	x[1].value = big;
	x[1].len = TAR_PAX_MAX / 2;
	en.n_xattrs = 2;
	expect_refused(f, &en);
	free(big);
}

static void
data_length_is_what_is_stored(void **state)
{
	static const struct entry_extent x[] = {{5, 7}, {20, 1}};
	struct entry en = entries_file("a", 100);

	(void)state;
	assert_int_equal(tar_data_len(&en), 100);
	en.sparse = true;
	assert_int_equal(tar_data_len(&en), 0);
	en.extents = x;
	en.n_extents = 2;
	assert_int_equal(tar_data_len(&en), 8);
	en.type = ENTRY_DIR;
	assert_int_equal(tar_data_len(&en), 0);
	assert_int_equal(tar_pad(0), 0);
	assert_int_equal(tar_pad(1), 511);
	assert_int_equal(tar_pad(512), 0);
	assert_int_equal(tar_pad(UINT64_C(0x100000001)), 511);
}

/* ---- the same stream as libarchive sees it ---- */

static bool
is_utf8(const char *s)
{
	uint32_t c;
	size_t n = 1;

	for (; *s != '\0' && n > 0; s += n)
		n = utf8_next(s, strlen(s), &c);
	return n > 0;
}

static void
check_acl(struct archive_entry *ae, const struct entry *en)
{
	int access = archive_entry_acl_count(ae, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
	int deflt = archive_entry_acl_count(ae, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT);

	/* libarchive counts no ACL that says no more than the mode. */
	assert_int_equal(access, en->acl_access == NULL ? 0 : (int)(en->acl_access_len - 4) / 8);
	assert_int_equal(deflt, en->acl_default == NULL ? 0 : (int)(en->acl_default_len - 4) / 8);
}

/* Names with = and % libarchive leaves as GNU tar escapes them. */
static void
check_xattrs(struct archive_entry *ae, const struct entry *en)
{
	const char *name;
	const void *value;
	size_t len, found = 0;

	assert_int_equal(archive_entry_xattr_reset(ae), (int)en->n_xattrs);
	while (archive_entry_xattr_next(ae, &name, &value, &len) == ARCHIVE_OK) {
		for (size_t i = 0; i < en->n_xattrs; i++) {
			const struct entry_xattr *x = &en->xattrs[i];

			if (strcmp(x->name, name) != 0)
				continue;
			assert_int_equal(x->len, len);
			if (len > 0)
				assert_memory_equal(x->value, value, len);
			found++;
		}
	}
	for (size_t i = 0; i < en->n_xattrs; i++)
		found += strpbrk(en->xattrs[i].name, "=%") != NULL;
	assert_int_equal(found, en->n_xattrs);
}

static mode_t
filetype(enum entry_type t)
{
	return t == ENTRY_DIR	 ? AE_IFDIR
	    : t == ENTRY_SYMLINK ? AE_IFLNK
	    : t == ENTRY_FIFO	 ? AE_IFIFO
	    : t == ENTRY_CHAR	 ? AE_IFCHR
	    : t == ENTRY_BLOCK	 ? AE_IFBLK
				 : AE_IFREG;
}

static void
check_facts(struct archive_entry *ae, const struct entry *en)
{
	const char *path = archive_entry_pathname(ae);

	if (en->path_len == 0)
		assert_string_equal(path, "./");
	else
		assert_memory_equal(path, en->path, en->path_len);
	assert_int_equal(
	    strlen(path), en->path_len == 0 ? 2 : en->path_len + (en->type == ENTRY_DIR));
	if (en->type == ENTRY_HARDLINK)
		assert_string_equal(archive_entry_hardlink(ae), en->link);
	else
		assert_int_equal(archive_entry_filetype(ae), filetype(en->type));
	if (en->type == ENTRY_SYMLINK)
		assert_string_equal(archive_entry_symlink(ae), en->link);
	if (en->acl_access == NULL) /* else it takes the mode from there, and not from the mask */
		assert_int_equal(archive_entry_perm(ae), en->mode);
	assert_true(archive_entry_uid(ae) == en->uid && archive_entry_gid(ae) == en->gid);
	assert_true(archive_entry_size(ae) == (int64_t)en->size);
	/* Before 1970, libarchive takes the fraction from the wrong side; and it reads no
	 * INT64_MIN. */
	if (en->mtime_sec >= 0 || (en->mtime_nsec == 0 && en->mtime_sec > INT64_MIN)) {
		assert_true(archive_entry_mtime(ae) == en->mtime_sec);
		assert_int_equal(archive_entry_mtime_nsec(ae), en->mtime_nsec);
	}
	if (en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK) {
		assert_true((uint32_t)archive_entry_rdevmajor(ae) == en->rdev_major);
		assert_true((uint32_t)archive_entry_rdevminor(ae) == en->rdev_minor);
	}
	assert_string_equal(archive_entry_uname(ae), "");
	assert_string_equal(archive_entry_gname(ae), "");
	assert_false(archive_entry_atime_is_set(ae));
	assert_false(archive_entry_ctime_is_set(ae));
	check_acl(ae, en);
	check_xattrs(ae, en);
}

static void
check_data(struct archive *a, const struct entry *en)
{
	const void *data;
	size_t len, got = 0;
	int64_t at;

	if (!en->sparse || tar_data_len(en) == 0 || tar_data_len(en) >= 1 << 20)
		return;
	while (archive_read_data_block(a, &data, &len, &at) == ARCHIVE_OK) {
		for (size_t i = 0; i < len; i++)
			assert_int_equal(
			    ((const uint8_t *)data)[i], entries_byte((uint64_t)at + i));
		got += len;
	}
	assert_true(got == tar_data_len(en));
}

static void
libarchive_reads_the_same_facts(void **state)
{
	struct fixture *f = *state;
	const struct entry *all;
	size_t n, checked = 0;

	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	all = entries_all(&n);
	for (size_t i = 0; i < n; i++) {
		struct archive *a;
		struct archive_entry *ae;
		int rc;

		if (all[i].size >= UINT64_C(1) << 60) /* more than it takes */
			continue;
		a = archive_read_new();
		assert_non_null(a);
		buf_clear(&f->out);
		if (tar_data_len(&all[i]) < 1 << 20)
			entries_put(f->w, &all[i], &f->out);
		else
			assert_int_equal(tar_write_header(f->w, &all[i], &f->out, &f->e), 0);
		assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
		assert_int_equal(archive_read_open_memory(a, f->out.data, f->out.len), ARCHIVE_OK);
		rc = archive_read_next_header(a, &ae);
		if (rc != ARCHIVE_OK)
			print_error("%zu: %s\n", i, archive_error_string(a));
		assert_int_equal(rc, ARCHIVE_OK);
		check_facts(ae, &all[i]);
		check_data(a, &all[i]);
		checked += is_utf8(all[i].path);
		assert_int_equal(archive_read_free(a), ARCHIVE_OK);
	}
	assert_true(checked > 100);
	(void)setlocale(LC_CTYPE, "C");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(headers_are_whole_blocks),
	    TEST(a_plain_entry_is_one_ustar_header),
	    TEST(a_pax_header_holds_the_records_in_their_order),
	    TEST(headers_are_what_they_always_were),
	    TEST(a_header_does_not_depend_on_what_was_before),
	    TEST(paths_and_links_that_are_not_clean_are_refused),
	    TEST(numbers_out_of_range_are_refused),
	    TEST(maps_out_of_order_are_refused),
	    TEST(attributes_that_no_kernel_gives_are_refused),
	    TEST(more_than_readers_take_is_refused),
	    TEST(data_length_is_what_is_stored),
	    TEST(libarchive_reads_the_same_facts),
	};

	return cmocka_run_group_tests_name("archive/tarwrite", tests, NULL, NULL);
}
