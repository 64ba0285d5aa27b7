/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/tarread.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "archive/entry.h"
#include "archive/pax.h"
#include "archive/tarwrite.h"
#include "archive/ustar.h"
#include "core/buf.h"
#include "core/err.h"
#include "entries.h"

struct fixture {
	struct tar_writer *w;
	struct buf tar;
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
	buf_done(&f->tar);
	free(f);
	return 0;
}

/* Hands out pieces of one size, each in memory of its own, so that asan sees a late look. */
struct pieces {
	const uint8_t *data;
	size_t len, at, step;
	void *last;
	int calls_after_end;
};

static ssize_t
feed_pieces(void *ctx, const void **data, struct err *e)
{
	struct pieces *p = ctx;
	size_t n = p->len - p->at < p->step ? p->len - p->at : p->step;

	(void)e;
	free(p->last);
	p->last = NULL;
	if (n == 0) {
		p->calls_after_end++;
		return 0;
	}
	p->last = malloc(n);
	assert_non_null(p->last);
	memcpy(p->last, p->data + p->at, n);
	p->at += n;
	*data = p->last;
	return (ssize_t)n;
}

/* Read all data of an entry, and see that each byte is the one of its offset. */
static uint64_t
read_data(struct tar_reader *r, struct err *e)
{
	const void *data;
	uint64_t offset, sum = 0, end = 0;
	size_t len;
	int rc;

	while ((rc = tar_read_data(r, &data, &len, &offset, e)) == 1) {
		assert_true(len > 0);
		assert_true(offset >= end);
		for (size_t i = 0; i < len; i++)
			assert_int_equal(((const uint8_t *)data)[i], entries_byte(offset + i));
		sum += len;
		end = offset + len;
	}
	assert_int_equal(rc, 0);
	return sum;
}

static void
every_entry_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	const struct entry *all;
	size_t n;

	all = entries_all(&n);
	for (size_t i = 0; i < n; i++) {
		struct tar_reader *r;
		struct entry en;
		bool little = tar_data_len(&all[i]) < 1 << 20;

		buf_clear(&f->tar);
		if (little)
			entries_put(f->w, &all[i], &f->tar);
		else
			assert_int_equal(tar_write_header(f->w, &all[i], &f->tar, &f->e), 0);
		assert_int_equal(tar_reader_new_mem(&r, f->tar.data, f->tar.len, &f->e), 0);
		assert_int_equal(tar_read_next(r, &en, &f->e), 1);
		assert_true(entries_equal(&all[i], &en));
		if (little) {
			assert_true(read_data(r, &f->e) == tar_data_len(&en));
			assert_int_equal(tar_read_next(r, &en, &f->e), 0);
			assert_int_equal(tar_read_next(r, &en, &f->e), 0);
		}
		tar_reader_free(r);
	}
}

/* All entries with little data; with the end of an archive behind them. */
static size_t
put_all(struct fixture *f, const struct entry **kept)
{
	const struct entry *all;
	size_t n, m = 0;

	all = entries_all(&n);
	for (size_t i = 0; i < n; i++) {
		if (tar_data_len(&all[i]) >= 1 << 20)
			continue;
		entries_put(f->w, &all[i], &f->tar);
		kept[m++] = &all[i];
	}
	buf_zeros(&f->tar, TAR_END_LEN);
	return m;
}

static void
pieces_of_any_size_give_the_same(void **state)
{
	static const size_t steps[] = {1, 7, 511, 512, 513, 4096, SIZE_MAX};
	struct fixture *f = *state;
	const struct entry *kept[256];
	size_t n = put_all(f, kept);

	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		struct pieces p = {.data = f->tar.data, .len = f->tar.len, .step = steps[s]};
		struct tar_reader *r;
		struct entry en;

		assert_int_equal(tar_reader_new(&r, feed_pieces, &p, &f->e), 0);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(tar_read_next(r, &en, &f->e), 1);
			assert_true(entries_equal(kept[i], &en));
			/* Some are read, some passed over. */
			if ((i + s) % 3 != 0)
				assert_true(read_data(r, &f->e) == tar_data_len(&en));
			if ((i + s) % 3 == 1) /* still there after its data */
				assert_true(entries_equal(kept[i], &en));
		}
		assert_int_equal(tar_read_next(r, &en, &f->e), 0);
		assert_int_equal(tar_read_next(r, &en, &f->e), 0);
		assert_int_equal(p.calls_after_end, 1);
		tar_reader_free(r);
		free(p.last);
	}
}

static void
data_read_in_part_is_passed_over(void **state)
{
	struct fixture *f = *state;
	struct entry a = entries_file("a", 1000), b = entries_file("b", 0), en;
	struct pieces p = {.step = 100};
	struct tar_reader *r;
	const void *data;
	uint64_t offset;
	size_t len;

	entries_put(f->w, &a, &f->tar);
	entries_put(f->w, &b, &f->tar);
	p.data = f->tar.data;
	p.len = f->tar.len;
	assert_int_equal(tar_reader_new(&r, feed_pieces, &p, &f->e), 0);
	assert_int_equal(tar_read_next(r, &en, &f->e), 1);
	assert_int_equal(tar_read_data(r, &data, &len, &offset, &f->e), 1);
	assert_true(len < 1000);
	assert_int_equal(tar_read_next(r, &en, &f->e), 1);
	assert_string_equal(en.path, "b");
	assert_int_equal(tar_read_data(r, &data, &len, &offset, &f->e), 0);
	tar_reader_free(r);
	free(p.last);
}

static ssize_t
feed_failure(void *ctx, const void **data, struct err *e)
{
	(void)ctx;
	(void)data;
	errno = EIO;
	return err_sys(e, "read");
}

static void
a_failing_source_is_passed_on(void **state)
{
	struct fixture *f = *state;
	struct tar_reader *r;
	struct entry en;

	assert_int_equal(tar_reader_new(&r, feed_failure, NULL, &f->e), 0);
	assert_int_equal(tar_read_next(r, &en, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_SYS);
	assert_int_equal(f->e.sys, EIO);
	tar_reader_free(r);
	tar_reader_free(NULL);
}

/* ---- what is damaged or hostile ---- */

/*
 * Read all of a stream, as a restore would: 0 at its end, else -1 and ERR_CORRUPT.
 * Strings and lengths are looked at, for asan.
 */
static int
walk(const void *tar, size_t len, struct err *e)
{
	struct tar_reader *r;
	struct entry en;
	int rc, drc = 0;

	err_clear(e);
	assert_int_equal(tar_reader_new_mem(&r, tar, len, e), 0);
	while ((rc = tar_read_next(r, &en, e)) == 1) {
		const void *data;
		uint64_t offset, sum = 0, end = 0;
		size_t n;
		uint8_t digest[SHA256_LEN];

		assert_int_equal(strlen(en.path), en.path_len);
		assert_true(en.link == NULL || strlen(en.link) == en.link_len);
		assert_true(en.mtime_nsec < 1000000000 && en.mode <= 07777);
		(void)entry_xattr_digest(&en, digest);
		while ((drc = tar_read_data(r, &data, &n, &offset, e)) == 1) {
			assert_true(n > 0 && offset >= end && offset + n <= en.size);
			end = offset + n;
			sum += n;
		}
		if (drc < 0)
			break;
		assert_true(sum == tar_data_len(&en));
	}
	tar_reader_free(r);
	if (rc >= 0 && drc >= 0)
		return 0;
	assert_int_equal(e->kind, ERR_CORRUPT);
	return -1;
}

static int
walk_copy(const void *tar, size_t len, struct err *e)
{
	uint8_t *copy = malloc(len + 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, tar, len);
	rc = walk(copy, len, e);
	free(copy);
	return rc;
}

static void
put_small_archive(struct fixture *f, size_t ends[], size_t *n_ends)
{
	static const struct entry_xattr x = {"user.a", "value", 5};
	static const struct entry_extent extent = {1000, 600};
	struct entry en = {.type = ENTRY_DIR, .path = "", .mode = 0755};

	ends[(*n_ends)++] = 0;
	entries_put(f->w, &en, &f->tar);
	ends[(*n_ends)++] = f->tar.len;
	en = entries_file("file", 700);
	en.xattrs = &x;
	en.n_xattrs = 1;
	entries_put(f->w, &en, &f->tar);
	ends[(*n_ends)++] = f->tar.len;
	en = entries_file("sparse", 100000);
	en.sparse = true;
	en.extents = &extent;
	en.n_extents = 1;
	entries_put(f->w, &en, &f->tar);
	ends[(*n_ends)++] = f->tar.len;
	buf_zeros(&f->tar, TAR_END_LEN);
	ends[(*n_ends)++] = f->tar.len;
}

static void
every_truncation_but_between_entries_is_corrupt(void **state)
{
	struct fixture *f = *state;
	size_t ends[8], n_ends = 0, next = 0;

	put_small_archive(f, ends, &n_ends);
	for (size_t len = 0; len <= f->tar.len; len++) {
		bool whole = next < n_ends && ends[next] == len;

		next += whole;
		assert_int_equal(walk_copy(f->tar.data, len, &f->e), whole ? 0 : -1);
	}
	assert_int_equal(next, n_ends);
}

static void
bytes_behind_the_end_are_corrupt(void **state)
{
	struct fixture *f = *state;
	size_t ends[8], n_ends = 0, end;

	put_small_archive(f, ends, &n_ends);
	end = f->tar.len;
	buf_putc(&f->tar, 0);
	assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
	buf_zeros(&f->tar, TAR_BLOCK - 1);
	assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
	/* One zero block, and an entry behind it. */
	f->tar.len = end - TAR_BLOCK;
	entries_put(f->w, &(struct entry){.type = ENTRY_DIR, .path = ""}, &f->tar);
	assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
}

static void
a_flipped_bit_in_a_header_is_corrupt(void **state)
{
	struct fixture *f = *state;
	struct entry en = entries_file("file", 0);

	en.mtime_nsec = 0; /* a ustar header alone */
	entries_put(f->w, &en, &f->tar);
	for (size_t bit = 0; bit < f->tar.len * 8; bit++) {
		f->tar.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (bit / 8 < offsetof(struct ustar, checksum) + 6 ||
		    bit / 8 >= offsetof(struct ustar, typeflag))
			assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
		f->tar.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* A stream made by hand: a pax header with these records, if any, then h. */
static void
put_raw(struct buf *out, const struct buf *records, const struct ustar *h)
{
	struct ustar x, copy = *h;

	if (records != NULL) {
		ustar_init(&x, 'x');
		ustar_put_number(x.size, sizeof(x.size), (int64_t)records->len);
		ustar_put_checksum(&x);
		buf_append(out, &x, sizeof(x));
		buf_append(out, records->data, records->len);
		buf_zeros(out, tar_pad(records->len));
	}
	ustar_put_checksum(&copy);
	buf_append(out, &copy, sizeof(copy));
}

static void
expect_raw(struct fixture *f, const struct buf *records, const struct ustar *h, int want)
{
	buf_clear(&f->tar);
	put_raw(&f->tar, records, h);
	if (walk_copy(f->tar.data, f->tar.len, &f->e) != want)
		fail_msg("type %c, %s, link %s: %s", h->typeflag, h->name, h->linkname, f->e.msg);
}

static void
unsafe_paths_are_refused(void **state)
{
	static const struct {
		const char *path;
		char type;
		int want, want_as_link;
	} t[] = {
	    {"a", '0', 0, 0},
	    {"./a", '0', 0, -1},
	    {"./a/b/", '5', 0, -1},
	    {"a/b", '5', 0, 0},
	    {"./", '5', 0, -1},
	    {"./", '0', -1, -1},
	    {"", '5', -1, -1},
	    {"/", '5', -1, -1},
	    {".", '5', -1, -1},
	    {"..", '5', -1, -1},
	    {"../", '5', -1, -1},
	    {"/etc/passwd", '0', -1, -1},
	    {"//a", '0', -1, -1},
	    {".//a", '0', -1, -1},
	    {"././a", '0', -1, -1},
	    {"../a", '0', -1, -1},
	    {"a/../b", '0', -1, -1},
	    {"a/..", '0', -1, -1},
	    {"a/../", '5', -1, -1},
	    {"a//b", '0', -1, -1},
	    {"a//", '5', -1, -1},
	    {"a/./b", '0', -1, -1},
	    {"a/", '0', -1, -1},
	    {"a/", '2', -1, -1},
	    {"a..", '0', 0, 0},
	    {".../..a", '0', 0, 0},
	};
	struct fixture *f = *state;
	struct buf rec = {0};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct ustar h;

		ustar_init(&h, t[i].type);
		if (t[i].type == '2')
			h.linkname[0] = 'x';
		(void)ustar_put_name(&h, t[i].path, strlen(t[i].path));
		expect_raw(f, NULL, &h, t[i].want);
		buf_clear(&rec);
		pax_put_string(&rec, "path", t[i].path);
		memcpy(h.name, "ok", 3);
		expect_raw(f, &rec, &h, t[i].want);
		/* As a hard link's target nothing is made clean. */
		ustar_init(&h, '1');
		h.name[0] = 'l';
		strcpy(h.linkname, t[i].path);
		expect_raw(f, NULL, &h, t[i].want_as_link);
	}
	buf_done(&rec);
}

static void
paths_with_nul_are_refused(void **state)
{
	struct fixture *f = *state;
	struct buf rec = {0};
	struct ustar h;

	ustar_init(&h, '0');
	pax_put(&rec, "path", "a\0b", 3);
	expect_raw(f, &rec, &h, -1);
	ustar_init(&h, '2');
	h.name[0] = 'l';
	buf_clear(&rec);
	pax_put(&rec, "linkpath", "a\0b", 3);
	expect_raw(f, &rec, &h, -1);
	buf_clear(&rec);
	pax_put(&rec, "linkpath", "", 0);
	expect_raw(f, &rec, &h, -1);
	expect_raw(f, NULL, &h, -1);
	buf_done(&rec);
}

static void
types_and_fields_that_do_not_fit_are_refused(void **state)
{
	struct fixture *f = *state;
	struct ustar h;

	for (int type = 0; type < 256; type++) {
		ustar_init(&h, (char)type);
		h.name[0] = 'a';
		if (type == '1' || type == '2')
			h.linkname[0] = 'b';
		expect_raw(f, NULL, &h, type >= '0' && type <= '6' ? 0 : -1);
		ustar_put_number(h.size, sizeof(h.size), 1);
		expect_raw(f, NULL, &h, -1);
		ustar_put_number(h.size, sizeof(h.size), 0);
		if (type != '1' && type != '2') {
			h.linkname[0] = 'b';
			expect_raw(f, NULL, &h, -1);
		}
	}
	ustar_init(&h, '0');
	h.name[0] = 'a';
	ustar_put_number(h.mode, sizeof(h.mode), 0100644);
	expect_raw(f, NULL, &h, -1);
	ustar_put_number(h.mode, sizeof(h.mode), 0644);
	ustar_put_number(h.uid, sizeof(h.uid), INT64_C(1) << 32);
	expect_raw(f, NULL, &h, -1);
	ustar_put_number(h.uid, sizeof(h.uid), -1);
	expect_raw(f, NULL, &h, -1);
	ustar_put_number(h.uid, sizeof(h.uid), 0);
	ustar_put_number(h.size, sizeof(h.size), -512);
	expect_raw(f, NULL, &h, -1);
	ustar_init(&h, '3');
	h.name[0] = 'a';
	ustar_put_number(h.devminor, sizeof(h.devminor), -1);
	expect_raw(f, NULL, &h, -1);
}

/* Each is a text of whole records, or not. */
static void
records_that_the_writer_does_not_write_are_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
	} t[] = {
	    {"19 uid=4294967295\n", -1}, /* 18 */
	    {"18 uid=4294967295\n", 0},
	    {"18 uid=4294967296\n", -1},
	    {"9 uid=-1\n", -1},
	    {"9 uid=01\n", -1},
	    {"7 uid=\n", -1},
	    {"9 gid=1 \n", -1},
	    {"16 size=9999999\n", -1}, /* ends early */
	    {"28 size=9223372036854775808\n", -1},
	    {"11 mtime=1\n", 0},
	    {"11 mtime=x\n", -1},
	    {"11 mtime=1\n11 mtime=1\n", -1},
	    {"11 ctime=1\n", -1},
	    {"21 hdrcharset=BINARY\n", 0},
	    {"18 hdrcharset=CP37\n", -1}, /* 19 */
	    {"19 hdrcharset=CP437\n", -1},
	    {"22 GNU.sparse.major=1\n", -1},
	    {"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=n\n", -1},
	    {"22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n21 GNU.sparse.name=n\n"
	     "25 GNU.sparse.realsize=1\n",
		-1},
	    {"24 SCHILY.xattr.user.a=\n24 SCHILY.xattr.user.b=\n", 0},
	    {"24 SCHILY.xattr.user.b=\n24 SCHILY.xattr.user.a=\n", -1},
	    {"24 SCHILY.xattr.user.a=\n24 SCHILY.xattr.user.a=\n", -1},
	    {"18 SCHILY.xattr.=\n", -1},
	    {"26 SCHILY.xattr.user.%41=\n", -1},
	    {"41 SCHILY.xattr.system.posix_acl_access=\n", -1},
	    {"21 SCHILY.acl.access=\n", -1}, /* 22 */
	    {"22 SCHILY.acl.access=\n", -1},
	    {"54 SCHILY.acl.access=user::rwx,group::r-x,other::r-x\n", -1},
	    {"53 SCHILY.acl.access=user::rwx,group::r-x,other::r-x\n", 0},
	    {"8 path=\n", -1},
	    {"11 uname=a\n", -1},
	};
	struct fixture *f = *state;
	struct buf rec = {0};
	struct ustar h;

	ustar_init(&h, '0');
	h.name[0] = 'a';
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		buf_clear(&rec);
		buf_puts(&rec, t[i].text);
		buf_clear(&f->tar);
		put_raw(&f->tar, &rec, &h);
		if (walk_copy(f->tar.data, f->tar.len, &f->e) != t[i].want)
			fail_msg("%s", t[i].text);
	}
	buf_done(&rec);
}

static void
pax_headers_without_bound_or_entry_are_refused(void **state)
{
	struct fixture *f = *state;
	struct ustar h;
	struct buf rec = {0};

	ustar_init(&h, 'x');
	for (int64_t len = 0; len < 2; len++) {
		ustar_put_number(h.size, sizeof(h.size), len == 0 ? 0 : TAR_PAX_MAX + 1);
		ustar_put_checksum(&h);
		buf_clear(&f->tar);
		buf_append(&f->tar, &h, sizeof(h));
		buf_zeros(&f->tar, 2 << 20);
		assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
	}
	/* Two in a row, and one at the end. */
	pax_put_string(&rec, "path", "a");
	ustar_init(&h, 'x');
	ustar_put_number(h.size, sizeof(h.size), (int64_t)rec.len);
	buf_clear(&f->tar);
	put_raw(&f->tar, &rec, &h);
	buf_append(&f->tar, rec.data, rec.len);
	buf_zeros(&f->tar, tar_pad(rec.len));
	assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
	buf_clear(&f->tar);
	put_raw(&f->tar, &rec, &h);
	f->tar.len -= TAR_BLOCK;
	assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
	buf_zeros(&f->tar, TAR_END_LEN);
	assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
	buf_done(&rec);
}

static void
maps_that_do_not_fit_are_refused(void **state)
{
	static const struct {
		const char *map;
		uint64_t real, data;
		int want;
	} t[] = {
	    {"1\n0\n5\n", 5, 5, 0}, {"2\n0\n5\n10\n0\n", 10, 5, 0},
	    {"2\n0\n512\n1000\n5\n", 1005, 517, 0}, {"1\n10\n0\n", 10, 0, 0},
	    {"1\n0\n0\n", 0, 0, 0}, {"0\n", 0, 0, -1}, {"0\n", 10, 0, -1},
	    {"1\n0\n5\n", 10, 5, -1}, /* last hole not marked */
	    {"2\n0\n5\n5\n0\n", 5, 5, -1}, /* marked, and none there */
	    {"2\n0\n512\n512\n0\n", 512, 512, -1}, /* the same */
	    {"2\n0\n5\n9\n0\n", 10, 5, -1},
	    {"2\n0\n512\n512\n512\n", 1024, 1024, -1}, /* not apart */
	    {"2\n0\n512\n500\n512\n", 1012, 1024, -1}, /* one over the other */
	    {"2\n1024\n512\n0\n512\n", 1536, 1024, -1}, /* out of order */
	    {"2\n0\n5\n10\n5\n", 15, 10, -1}, /* not of whole blocks */
	    {"1\n0\n5\n", 5, 4, -1}, {"1\n0\n5\n", 5, 6, -1}, {"1\n0\n6\n", 5, 6, -1},
	    {"1\n6\n1\n", 5, 1, -1}, {"1\n5\n18446744073709551615\n", 10, 5, -1},
	    {"1\n18446744073709551615\n2\n", 10, 5, -1}, {"65538\n0\n5\n", 5, 5, -1},
	    {"99999999999999999999999999\n", 5, 5, -1}, {"-1\n", 5, 5, -1},
	    {"1 \n0\n5\n", 5, 5, -1}, {"\n", 5, 5, -1}, {"", 5, 5, -1},
	    {"3\n0\n5\n", 5, 5, -1}, /* the rest would stand in the data */
	};
	struct fixture *f = *state;
	struct buf rec = {0};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct ustar h;

		ustar_init(&h, '0');
		ustar_put_number(h.size, sizeof(h.size), 512 + (int64_t)t[i].data);
		buf_clear(&rec);
		pax_put_string(&rec, "GNU.sparse.major", "1");
		pax_put_string(&rec, "GNU.sparse.minor", "0");
		pax_put_string(&rec, "GNU.sparse.name", "s");
		pax_put_number(&rec, "GNU.sparse.realsize", t[i].real);
		buf_clear(&f->tar);
		put_raw(&f->tar, &rec, &h);
		buf_puts(&f->tar, t[i].map);
		buf_zeros(&f->tar, 512 - strlen(t[i].map));
		buf_zeros(&f->tar, t[i].data + tar_pad(t[i].data));
		if (walk_copy(f->tar.data, f->tar.len, &f->e) != t[i].want)
			fail_msg("map %zu", i);
		/* A file shorter than its map. */
		ustar_put_number(h.size, sizeof(h.size), 511);
		buf_clear(&f->tar);
		put_raw(&f->tar, &rec, &h);
		buf_puts(&f->tar, t[i].map);
		buf_zeros(&f->tar, 512 - strlen(t[i].map));
		assert_int_equal(walk_copy(f->tar.data, f->tar.len, &f->e), -1);
	}
	buf_done(&rec);
}

/* A map as long as any, over many blocks, and one extent more. */
static void
the_longest_map_is_read_and_no_longer_one(void **state)
{
	struct fixture *f = *state;
	size_t n = TAR_EXTENTS_MAX - 1;
	struct entry_extent *x = calloc(n, sizeof(*x));
	struct entry en = entries_file("s", n * 1024), got;
	struct tar_reader *r;

	assert_non_null(x);
	for (size_t i = 0; i < n; i++)
		x[i] = (struct entry_extent){i * 1024, 512};
	en.sparse = true;
	en.extents = x;
	en.n_extents = n;
	assert_int_equal(tar_write_header(f->w, &en, &f->tar, &f->e), 0);
	assert_int_equal(tar_reader_new_mem(&r, f->tar.data, f->tar.len, &f->e), 0);
	assert_int_equal(tar_read_next(r, &got, &f->e), 1);
	assert_true(entries_equal(&en, &got));
	tar_reader_free(r);
	memcpy(f->tar.data + 1536, "65538", 5); /* was 65537 */
	assert_int_equal(walk(f->tar.data, f->tar.len, &f->e), -1);
	assert_non_null(strstr(f->e.msg, "not a number in a sparse map"));
	free(x);
}

static void
errors_say_where(void **state)
{
	struct fixture *f = *state;
	size_t ends[8], n_ends = 0;

	put_small_archive(f, ends, &n_ends);
	f->tar.data[512] ^= 1; /* the second header */
	assert_int_equal(walk(f->tar.data, f->tar.len, &f->e), -1);
	assert_string_equal(f->e.msg, "tar stream at 512: not a header");
}

static uint64_t
next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Make the checksums right again, so that damage gets behind them. */
static void
mend_checksums(struct buf *tar)
{
	for (size_t at = 0; at + 512 <= tar->len; at += 512) {
		struct ustar *h = (struct ustar *)(tar->data + at);

		if (memcmp(h->magic, "ustar", 5) == 0)
			ustar_put_checksum(h);
	}
}

static void
mutate(struct buf *tar, uint64_t *s)
{
	static const char special[] = "\0\0/.0179:=,\n\xff%-";
	size_t at = next_random(s) % tar->len, to = next_random(s) % tar->len;
	size_t len = next_random(s) % 32;

	switch (next_random(s) % 5) {
	case 0:
		tar->data[at] ^= (uint8_t)(1u << next_random(s) % 8);
		break;
	case 1:
		tar->data[at] = (uint8_t)special[next_random(s) % sizeof(special)];
		break;
	case 2: /* some bytes somewhere else */
		if (at + len <= tar->len && to + len <= tar->len)
			memmove(tar->data + to, tar->data + at, len);
		break;
	case 3: /* a block somewhere else */
		memmove(tar->data + to / 512 * 512, tar->data + at / 512 * 512, 512);
		break;
	default: /* a digit up or down, in headers and records alike */
		if (tar->data[at] >= '0' && tar->data[at] <= '9')
			tar->data[at] = (uint8_t)('0' + next_random(s) % 10);
	}
}

/* The same damage on every run; whatever comes, walk() has checked. */
static void
random_mutations_never_harm(void **state)
{
	struct fixture *f = *state;
	struct buf b = {0};
	const struct entry *all;
	size_t n, good = 0, bad = 0;
	uint64_t s = 20260209;
	clock_t end = clock() + 2 * CLOCKS_PER_SEC;

	all = entries_all(&n);
	for (int i = 0; i < 100000 && clock() < end; i++) {
		buf_clear(&b);
		for (int j = 0; j < 3; j++) {
			const struct entry *en = &all[next_random(&s) % n];

			if (tar_data_len(en) < 10000 && en->path_len < 300 && en->link_len < 300)
				entries_put(f->w, en, &b);
		}
		buf_zeros(&b, TAR_END_LEN);
		for (uint64_t k = next_random(&s) % 6; k > 0; k--)
			mutate(&b, &s);
		if (next_random(&s) % 8 != 0)
			mend_checksums(&b);
		if (next_random(&s) % 16 == 0)
			b.len = next_random(&s) % b.len;
		if (walk(b.data, b.len, &f->e) == 0)
			good++;
		else
			bad++;
	}
	/* Of both kinds enough to know that damage went deep. */
	assert_true(good > 100 && bad > 100);
	buf_done(&b);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(every_entry_comes_back_as_it_was),
	    TEST(pieces_of_any_size_give_the_same),
	    TEST(data_read_in_part_is_passed_over),
	    TEST(a_failing_source_is_passed_on),
	    TEST(every_truncation_but_between_entries_is_corrupt),
	    TEST(bytes_behind_the_end_are_corrupt),
	    TEST(a_flipped_bit_in_a_header_is_corrupt),
	    TEST(unsafe_paths_are_refused),
	    TEST(paths_with_nul_are_refused),
	    TEST(types_and_fields_that_do_not_fit_are_refused),
	    TEST(records_that_the_writer_does_not_write_are_refused),
	    TEST(pax_headers_without_bound_or_entry_are_refused),
	    TEST(maps_that_do_not_fit_are_refused),
	    TEST(the_longest_map_is_read_and_no_longer_one),
	    TEST(errors_say_where),
	    TEST(random_mutations_never_harm),
	};

	return cmocka_run_group_tests_name("archive/tarread", tests, NULL, NULL);
}
