/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/entry.h"
#include "archive/pax.h"
#include "archive/posixacl.h"
#include "archive/tarwrite.h"
#include "archive/ustar.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "tests/unit/entries.h"
#include "tests/unit/unit.h"

/*
 * Streams are put together by hand here.  Those of real programs are compared with what tar
 * extracts in tests/interop/import.sh.
 */
static struct buf tar, pax;
static struct err e;
static struct foreign *f;
static struct entry en;

struct feed {
	const uint8_t *data;
	size_t len, at, step;
	void *last;
};
static struct feed feed;

/* Each piece in memory of its own, so that asan sees a late look. */
static ssize_t
feed_piece(void *ctx, const void **data, struct err *err)
{
	struct feed *p = ctx;
	size_t n = p->len - p->at < p->step ? p->len - p->at : p->step;

	(void)err;
	free(p->last);
	p->last = NULL;
	if (n == 0)
		return 0;
	p->last = malloc(n);
	assert_non_null(p->last);
	memcpy(p->last, p->data + p->at, n);
	p->at += n;
	*data = p->last;
	return (ssize_t)n;
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	buf_clear(&tar);
	buf_clear(&pax);
	return 0;
}

static void
close_stream(void)
{
	foreign_free(f);
	f = NULL;
	free(feed.last);
	feed.last = NULL;
}

static int
teardown(void **state)
{
	(void)state;
	close_stream();
	buf_done(&tar);
	buf_done(&pax);
	return 0;
}

/* ---- making ---- */

static struct ustar
header(const char *name, char type, size_t size)
{
	struct ustar h;

	ustar_init(&h, type);
	memcpy(h.name, name, strnlen(name, sizeof(h.name)));
	ustar_put_number(h.mode, sizeof(h.mode), 0644);
	ustar_put_number(h.uid, sizeof(h.uid), 1000);
	ustar_put_number(h.gid, sizeof(h.gid), 1001);
	ustar_put_number(h.size, sizeof(h.size), (int64_t)size);
	ustar_put_number(h.mtime, sizeof(h.mtime), 1600000000);
	return h;
}

static void
put(struct ustar h)
{
	ustar_put_checksum(&h);
	buf_append(&tar, &h, sizeof(h));
}

static void
put_data(const void *data, size_t len)
{
	buf_append(&tar, data, len);
	buf_zeros(&tar, tar_pad(len));
}

static void
put_file(const char *name, const char *text)
{
	put(header(name, '0', strlen(text)));
	put_data(text, strlen(text));
}

/* What stands in pax, as a header of that type; pax is empty then. */
static void
put_pax(char type)
{
	put(header("pax", type, pax.len));
	put_data(pax.data, pax.len);
	buf_clear(&pax);
}

static void
put_link(const char *name, char type, const char *target)
{
	struct ustar h = header(name, type, 0);

	memcpy(h.linkname, target, strnlen(target, sizeof(h.linkname)));
	put(h);
}

static void
put_end(void)
{
	buf_zeros(&tar, TAR_END_LEN);
}

/* ---- reading ---- */

static void
open_stream(size_t step)
{
	close_stream();
	feed = (struct feed){.data = tar.data, .len = tar.len, .step = step};
	err_clear(&e);
	assert_int_equal(foreign_new(&f, feed_piece, &feed, &e), 0);
}

/* The next entry. */
static void
next(enum entry_type type, const char *path)
{
	int rc = foreign_next(f, &en, &e);

	if (rc < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(rc, 1);
	assert_int_equal(en.type, type);
	assert_string_equal(en.path, path);
	assert_int_equal(en.path_len, strlen(path));
}

/* Its data, gaps filled up. */
static void
data_is(const char *want, size_t len)
{
	uint64_t offset;
	const void *data;
	struct buf got = {0};
	size_t n;

	assert_true(en.size == len);
	while (foreign_data(f, &data, &n, &offset, &e) == 1) {
		assert_true(offset >= got.len);
		buf_zeros(&got, (size_t)offset - got.len);
		buf_append(&got, data, n);
	}
	assert_int_equal(e.kind, ERR_NONE);
	buf_zeros(&got, len - got.len);
	assert_memory_equal(got.data, want, len);
	buf_done(&got);
}

static void
text_is(const char *want)
{
	data_is(want, strlen(want));
}

static void
at_end(void)
{
	int rc = foreign_next(f, &en, &e);

	if (rc < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(rc, 0);
	assert_int_equal(foreign_next(f, &en, &e), 0);
}

/* The whole stream, in pieces: refused in the end, for that reason. */
static void
refused(const char *why)
{
	static const size_t steps[] = {100000, 512, 7};
	int rc;

	for (size_t i = 0; i < COUNT(steps); i++) {
		open_stream(steps[i]);
		while ((rc = foreign_next(f, &en, &e)) == 1)
			;
		assert_int_equal(rc, -1);
		assert_true(e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
		if (strstr(e.msg, why) == NULL)
			fail_msg("\"%s\" is not in \"%s\"", why, e.msg);
	}
}

/* ---- what is read ---- */

static void
what_we_write_is_read_too(void **state)
{
	const struct entry *all;
	struct tar_writer *w;
	size_t n;

	(void)state;
	assert_int_equal(tar_writer_new(&w, &e), 0);
	all = entries_all(&n);
	for (size_t i = 0; i < n; i++) {
		struct entry want = all[i];

		if (tar_data_len(&want) >= 1 << 20 || (want.sparse && want.size > FOREIGN_SIZE_MAX))
			continue;
		/* Names of attributes that Linux does not have: lost, and told. */
		bool lost = false;
		for (size_t k = 0; k < want.n_xattrs; k++)
			lost = lost || strncmp(want.xattrs[k].name, "system.", 7) == 0;
		buf_clear(&tar);
		entries_put(w, &want, &tar);
		put_end();
		open_stream(1000);
		if (foreign_next(f, &en, &e) != 1)
			fail_msg("%s", e.msg);
		assert_int_equal(foreign_lost(f) != NULL, lost);
		if (lost)
			continue;
		want.sparse = false;
		want.extents = NULL;
		want.n_extents = 0;
		if (want.acl_access != NULL)
			want.mode = en.mode; /* the ACL's */
		if (!entries_equal(&want, &en))
			fail_msg("entry %zu, %s, is another", i, en.path);
		at_end();
	}
	tar_writer_free(w);
}

static void
a_posix_header_says_all(void **state)
{
	struct ustar h = header("name", '0', 3);

	(void)state;
	(void)strcpy(h.prefix, "./a//b");
	put(h);
	put_data("abc", 3);
	h = header("dev", '4', 0);
	ustar_put_number(h.devmajor, sizeof(h.devmajor), 8);
	ustar_put_number(h.devminor, sizeof(h.devminor), 17);
	put(h);
	put_link("sym", '2', "../any /where");
	put_link("hard", '1', "./a/./b/name");
	put_end();
	open_stream(33);
	next(ENTRY_FILE, "a/b/name");
	assert_int_equal(en.mode, 0644);
	assert_int_equal(en.uid, 1000);
	assert_int_equal(en.gid, 1001);
	assert_int_equal(en.mtime_sec, 1600000000);
	text_is("abc");
	next(ENTRY_BLOCK, "dev");
	assert_int_equal(en.rdev_major, 8);
	assert_int_equal(en.rdev_minor, 17);
	next(ENTRY_SYMLINK, "sym");
	assert_string_equal(en.link, "../any /where");
	next(ENTRY_HARDLINK, "hard");
	assert_string_equal(en.link, "a/b/name");
	at_end();
	assert_true(foreign_taken(f) == tar.len);
}

/* No magic, blanks in numbers, signed checksums, a directory by the slash at its end. */
static void
headers_from_before_posix_are_read(void **state)
{
	struct ustar h = header("d/", '\0', 0);
	unsigned sum = 0;

	(void)state;
	memset(h.magic, 0, sizeof(h.magic));
	memcpy(h.mode, "   755 ", 8);
	memcpy(h.uid, "     7 ", 8);
	memset(h.gid, 0, sizeof(h.gid));
	put(h);
	h = header("caf\xe9", '0', 0);
	memset(h.magic, 0, sizeof(h.magic));
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned)((const signed char *)&h)[i];
	(void)snprintf(h.checksum, sizeof(h.checksum), "%06o", sum & 0777777);
	buf_append(&tar, &h, sizeof(h));
	put_end();
	open_stream(512);
	next(ENTRY_DIR, "d");
	assert_int_equal(en.mode, 0755);
	assert_int_equal(en.uid, 7);
	assert_int_equal(en.gid, 0);
	next(ENTRY_FILE, "caf\xe9");
	at_end();
}

static void
gnu_long_names_and_numbers_are_read(void **state)
{
	char name[301], target[301];
	struct ustar h;

	(void)state;
	memset(name, 'n', 300);
	memset(target, 't', 300);
	name[300] = target[300] = '\0';
	put(header("././@LongLink", 'K', 301));
	put_data(target, 301);
	put(header("././@LongLink", 'L', 301));
	put_data(name, 301);
	h = header("nnn", '2', 0);
	memcpy(h.magic, "ustar  ", 8);
	(void)strcpy(h.prefix, "00000 no prefix here"); /* GNU tar has other things there */
	ustar_put_number(h.uid, sizeof(h.uid), 4000000000);
	ustar_put_number(h.mtime, sizeof(h.mtime), -5);
	put(h);
	put_file("short", "x");
	put_end();
	open_stream(100);
	next(ENTRY_SYMLINK, name);
	assert_string_equal(en.link, target);
	assert_true(en.uid == 4000000000);
	assert_int_equal(en.mtime_sec, -5);
	next(ENTRY_FILE, "short");
	assert_int_equal(en.uid, 1000);
	at_end();
}

static void
pax_records_go_before_the_header(void **state)
{
	(void)state;
	pax_put_string(&pax, "comment", "for all");
	pax_put_string(&pax, "uid", "77");
	pax_put_string(&pax, "mtime", "5");
	put_pax('g');
	pax_put_string(&pax, "path", "./caf\xc3\xa9/");
	pax_put_string(&pax, "uid", "3000000000");
	pax_put_string(&pax, "gid", "6");
	pax_put_string(&pax, "mtime", "-1.2500000001234");
	pax_put_string(&pax, "atime", "nonsense that nobody reads");
	pax_put_string(&pax, "uname", "root");
	put_pax('x');
	put(header("x", '5', 0));
	pax_put_string(&pax, "size", "2");
	pax_put_string(&pax, "linkpath", "for nobody");
	put_pax('x');
	put(header("f", '0', 0));
	put_data("hi", 2);
	put_end();
	open_stream(512);
	next(ENTRY_DIR, "caf\xc3\xa9");
	assert_true(en.uid == 3000000000);
	assert_int_equal(en.gid, 6);
	assert_int_equal(en.mtime_sec, -2);
	assert_int_equal(en.mtime_nsec, 750000000);
	next(ENTRY_FILE, "f");
	assert_int_equal(en.uid, 77);
	assert_int_equal(en.gid, 1001);
	assert_int_equal(en.mtime_sec, 5);
	text_is("hi");
	at_end();
}

static void
attributes_come_from_each_dialect_once(void **state)
{
	(void)state;
	pax_put_string(&pax, "LIBARCHIVE.xattr.user.a%20b", "eDB5"); /* x0y, also below */
	pax_put_string(&pax, "SCHILY.xattr.user.z", "zz");
	pax_put_string(&pax, "SCHILY.xattr.user.a b", "x0y");
	pax_put_string(&pax, "LIBARCHIVE.xattr.user.bin", "AP8");
	pax_put_string(&pax, "RHT.security.selinux", "system_u:object_r");
	put_pax('x');
	put(header("f", '0', 0));
	pax_put_string(&pax, "SCHILY.xattr.com.apple.thing", "1");
	put_pax('x');
	put(header("g", '0', 0));
	put_end();
	open_stream(512);
	next(ENTRY_FILE, "f");
	assert_null(foreign_lost(f));
	assert_int_equal(en.n_xattrs, 4);
	assert_string_equal(en.xattrs[0].name, "security.selinux");
	assert_int_equal(en.xattrs[0].len, sizeof("system_u:object_r"));
	assert_string_equal(en.xattrs[1].name, "user.a b");
	assert_int_equal(en.xattrs[1].len, 3);
	assert_memory_equal(en.xattrs[1].value, "x0y", 3);
	assert_string_equal(en.xattrs[2].name, "user.bin");
	assert_int_equal(en.xattrs[2].len, 2);
	assert_memory_equal(en.xattrs[2].value, "\0\xff", 2);
	assert_string_equal(en.xattrs[3].name, "user.z");
	next(ENTRY_FILE, "g");
	assert_int_equal(en.n_xattrs, 0);
	assert_non_null(strstr(foreign_lost(f), "kind that Linux does not have"));
	at_end();
}

static void
acl_is(const void *acl, size_t len, const char *text)
{
	struct buf b = {0};

	assert_int_equal(posixacl_to_text(acl, len, &b, &e), 0);
	assert_string_equal(buf_str(&b), text);
	buf_done(&b);
}

static void
acls_are_put_in_order_and_set_the_mode(void **state)
{
	static const char canonical[] =
	    "user::rw-,user:1234:r--,group::---,group:7:rwx,group:4321:r-x,mask::rwx,other::r--";
	struct buf kernel = {0};

	(void)state;
	/* libarchive: its own order, names, and the number behind. */
	pax_put_string(&pax, "SCHILY.acl.access",
	    "user::rw-,group::---,other::r--,group:wheel:rwx:7,user:bob:r--:1234,"
	    "group:4321:r-x,mask::rwx");
	put_pax('x');
	put(header("a", '0', 0));
	/* GNU tar, without names to be found: lines, short words, an effect behind. */
	pax_put_string(&pax, "SCHILY.acl.default",
	    "u::rw-\nu:1234:r--\ng::---\ng:7:rwx\ng:4321:r-x\nm::rwx\no::r--\n");
	put_pax('x');
	put(header("d", '5', 0));
	/* Names alone, but the kernel's form as an attribute. */
	assert_int_equal(posixacl_from_text(canonical, strlen(canonical), &kernel, &e), 0);
	pax_put_string(
	    &pax, "SCHILY.acl.access", "user::rw-,user:bob:r--,group::r--,mask::r--,other::---");
	pax_put_xattr(&pax, "system.posix_acl_access", kernel.data, kernel.len);
	put_pax('x');
	put(header("k", '0', 0));
	/* Names alone; and an ACL that is none. */
	pax_put_string(
	    &pax, "SCHILY.acl.access", "user::rw-,user:bob:r--,group::r--,mask::r--,other::---");
	put_pax('x');
	put(header("n", '0', 0));
	pax_put_string(&pax, "SCHILY.acl.access", "user::rwx,group::r-x,other::r-x");
	put_pax('x');
	put(header("m", '0', 0));
	put_end();
	open_stream(512);
	next(ENTRY_FILE, "a");
	acl_is(en.acl_access, en.acl_access_len, canonical);
	assert_int_equal(en.mode, 0674);
	next(ENTRY_DIR, "d");
	assert_null(en.acl_access);
	acl_is(en.acl_default, en.acl_default_len, canonical);
	next(ENTRY_FILE, "k");
	acl_is(en.acl_access, en.acl_access_len, canonical);
	assert_null(foreign_lost(f));
	next(ENTRY_FILE, "n");
	assert_null(en.acl_access);
	assert_non_null(strstr(foreign_lost(f), "ACL"));
	next(ENTRY_FILE, "m");
	assert_null(en.acl_access);
	assert_null(foreign_lost(f));
	assert_int_equal(en.mode, 0644);
	at_end();
	buf_done(&kernel);
}

/* A file of 3000 bytes: 512 times A at 1024, and 88 times B at its end. */
static char sparse[3000];
static char pieces[600];

static void
make_sparse(void)
{
	memset(sparse + 1024, 'A', 512);
	memset(sparse + 2912, 'B', 88);
	memset(pieces, 'A', 512);
	memset(pieces + 512, 'B', 88);
}

static void
sparse_is(const char *name)
{
	put_file("behind", "x");
	put_end();
	for (size_t step = 1; step < 2000; step += 501) {
		open_stream(step);
		next(ENTRY_FILE, name);
		data_is(sparse, sizeof(sparse));
		next(ENTRY_FILE, "behind");
		text_is("x");
		at_end();
	}
}

static void
sparse_files_of_old_gnu_tar_are_read(void **state)
{
	struct ustar h = header("s", 'S', sizeof(pieces));
	char *raw = (char *)&h, block[512] = {0};

	(void)state;
	make_sparse();
	memcpy(h.magic, "ustar  ", 8);
	/* One piece in the header, an empty one, and one in the block behind it. */
	ustar_put_number(raw + 386, 12, 1024);
	ustar_put_number(raw + 398, 12, 512);
	ustar_put_number(raw + 410, 12, 2000);
	ustar_put_number(raw + 422, 12, 0);
	raw[482] = 1;
	ustar_put_number(raw + 483, 12, sizeof(sparse));
	put(h);
	ustar_put_number(block, 12, 2912);
	ustar_put_number(block + 12, 12, 88);
	buf_append(&tar, block, sizeof(block));
	put_data(pieces, sizeof(pieces));
	sparse_is("s");
}

static void
sparse_files_of_pax_0_0_are_read(void **state)
{
	(void)state;
	make_sparse();
	pax_put_string(&pax, "GNU.sparse.size", "3000");
	pax_put_string(&pax, "GNU.sparse.numblocks", "2");
	pax_put_string(&pax, "GNU.sparse.offset", "1024");
	pax_put_string(&pax, "GNU.sparse.numbytes", "512");
	pax_put_string(&pax, "GNU.sparse.offset", "2912");
	pax_put_string(&pax, "GNU.sparse.numbytes", "88");
	put_pax('x');
	put(header("s", '0', sizeof(pieces)));
	put_data(pieces, sizeof(pieces));
	sparse_is("s");
}

static void
sparse_files_of_pax_0_1_are_read(void **state)
{
	(void)state;
	make_sparse();
	pax_put_string(&pax, "GNU.sparse.size", "3000");
	pax_put_string(&pax, "GNU.sparse.map", "1024,512,2912,88,3000,0");
	pax_put_string(&pax, "GNU.sparse.name", "./real/s");
	put_pax('x');
	put(header("GNUSparseFile.0/s", '0', sizeof(pieces)));
	put_data(pieces, sizeof(pieces));
	sparse_is("real/s");
}

static void
put_sparse_1_0(const char *map, size_t stored)
{
	pax_put_string(&pax, "GNU.sparse.major", "1");
	pax_put_string(&pax, "GNU.sparse.minor", "0");
	pax_put_string(&pax, "GNU.sparse.name", "s");
	pax_put_string(&pax, "GNU.sparse.realsize", "3000");
	put_pax('x');
	put(header("GNUSparseFile.0/s", '0', 512 + stored));
	put_data(map, strlen(map));
	put_data(pieces, stored);
}

static void
sparse_files_of_pax_1_0_are_read(void **state)
{
	(void)state;
	make_sparse();
	put_sparse_1_0("2\n1024\n512\n2912\n88\n", sizeof(pieces));
	sparse_is("s");
}

static void
maps_of_holes_that_lie_are_refused(void **state)
{
	static const struct {
		const char *map;
		size_t stored;
	} cases[] = {
	    {"2\n2912\n88\n1024\n512\n", 600}, /* out of order */
	    {"2\n1024\n512\n1200\n88\n", 600}, /* one in the other */
	    {"2\n1024\n512\n2913\n88\n", 600}, /* past the end */
	    {"2\n1024\n512\n2912\n87\n", 600}, /* fewer than are stored */
	    {"1\n1024\n512\n", 600},
	    {"2\n1024\n500\n2912\n100\n", 600}, /* the first is no whole block */
	    {"2\n1024\n512\n2912\n-8\n", 600},
	    {"1\n9223372036854775807\n9223372036854775807\n", 600},
	    {"99999999\n", 0},
	    {"x\n", 0},
	    {"", 0},
	    {"11111111111111111111111111111111111\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&tar);
		put_sparse_1_0(cases[i].map, cases[i].stored);
		put_end();
		refused("a damaged map of holes");
	}
	buf_clear(&tar);
	pax_put_string(&pax, "GNU.sparse.size", "99999999999999999");
	pax_put_string(&pax, "GNU.sparse.map", "0,1");
	put_pax('x');
	put_file("s", "x");
	put_end();
	refused("more than 16 TiB");
}

/* ---- what is refused ---- */

static void
an_archive_cut_anywhere_is_refused(void **state)
{
	int rc;

	(void)state;
	put_file("a", "some text");
	pax_put_string(&pax, "mtime", "1.5");
	put_pax('x');
	put_file("b", "");
	put_link("c", '2', "a");
	put_end();
	for (size_t len = 0; len < tar.len; len++) {
		open_stream(200);
		feed.len = len;
		while ((rc = foreign_next(f, &en, &e)) == 1)
			;
		assert_int_equal(rc, -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
	buf_zeros(&tar, 10240);
	open_stream(200);
	next(ENTRY_FILE, "a");
	next(ENTRY_FILE, "b");
	next(ENTRY_SYMLINK, "c");
	at_end();
}

static void
what_follows_the_end_is_refused(void **state)
{
	(void)state;
	put_file("a", "text");
	put_end();
	buf_zeros(&tar, 512);
	size_t len = tar.len;
	put_file("b", "more");
	put_end();
	refused("something follows the end of the archive");
	tar.len = len;
	buf_puts(&tar, "x");
	refused("something follows the end of the archive");
}

static void
a_damaged_header_is_refused_with_its_place(void **state)
{
	(void)state;
	put_file("a", "text");
	put_file("b", "more");
	put_end();
	tar.data[1024] ^= 1;
	refused("byte 1024: the header of an entry is damaged");
	tar.data[1024] ^= 1;
	tar.data[0] ^= 1;
	refused("byte 0: this is no tar archive");
	buf_clear(&tar);
	put_end();
	open_stream(100);
	at_end();
	buf_clear(&tar);
	refused("there is nothing in it");
}

static void
names_that_lead_elsewhere_are_refused(void **state)
{
	static const struct {
		const char *name, *why;
	} cases[] = {
	    {"/etc/passwd", "an absolute path"},
	    {"//x", "an absolute path"},
	    {"..", "\"..\" in the path"},
	    {"a/../b", "\"..\" in the path"},
	    {"./../b", "\"..\" in the path"},
	    {"a/..", "\"..\" in the path"},
	    {"", "without a name"},
	    {"./", "stands for the root"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&tar);
		put_file(cases[i].name, "x");
		put_end();
		if (strcmp(cases[i].name, "./") == 0) {
			open_stream(512);
			assert_int_equal(foreign_next(f, &en, &e), 1); /* an old directory */
			continue;
		}
		refused(cases[i].why);
	}
	buf_clear(&tar);
	pax_put(&pax, "path", "a\0b", 3);
	put_pax('x');
	put_file("f", "x");
	put_end();
	refused("a NUL in it");
	buf_clear(&tar);
	put_link("f", '1', "../x");
	put_end();
	refused("f: a hard link's target \"../x\" is refused");
	buf_clear(&tar);
	put_link("f", '2', "");
	put_end();
	refused("f: a link without a target");
	/* Dots in names are names. */
	buf_clear(&tar);
	put_file("..a/b../...", "x");
	put_end();
	open_stream(512);
	next(ENTRY_FILE, "..a/b../...");
}

static void
kinds_that_nobody_knows_are_refused(void **state)
{
	static const char kinds[] = {'8', '9', 'A', 'I', 'N', 'Z', 's', (char)0xff};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		buf_clear(&tar);
		put(header("f", kinds[i], 0));
		put_end();
		refused("f: an entry of unknown type 0x");
	}
	buf_clear(&tar);
	put(header("f", 'M', 0));
	put_end();
	refused("several volumes");
}

static void
records_that_are_damaged_are_refused(void **state)
{
	static const struct {
		const char *key, *value, *why;
	} cases[] = {
	    {"size", "-1", "record size"},
	    {"size", "9223372036854775808", "record size"},
	    {"uid", "4294967296", "record uid"},
	    {"gid", "1x", "record gid"},
	    {"mtime", "", "record mtime"},
	    {"mtime", "1.2.3", "record mtime"},
	    {"mtime", "1.0000000000x", "record mtime"},
	    {"SCHILY.realsize", "5", "star's own format"},
	    {"GNU.sparse.offset", "5", "a damaged map"},
	    {"GNU.sparse.major", "2", "unknown format of sparse"},
	    {"LIBARCHIVE.xattr.user.a", "!", "damaged extended attribute"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_clear(&tar);
		pax_put_string(&pax, cases[i].key, cases[i].value);
		put_pax('x');
		put_file("f", "x");
		put_end();
		refused(cases[i].why);
	}
	buf_clear(&tar);
	buf_puts(&pax, "99 path=x\n");
	put_pax('x');
	put_file("f", "x");
	put_end();
	refused("a damaged pax header");
	buf_clear(&tar);
	pax_put_string(&pax, "path", "one for all");
	put_pax('g');
	put_file("f", "x");
	put_end();
	refused("a global pax header has a record path");
	buf_clear(&tar);
	pax_put_string(&pax, "path", "x");
	put_pax('x');
	put_end();
	refused("the archive ends within an entry");
	buf_clear(&tar);
	put(header("pax", 'x', 1 << 30));
	refused("over 4 MiB");
}

static void
data_where_none_belongs_is_told(void **state)
{
	(void)state;
	/* The size of what it links to, and no data: old archives have that. */
	struct ustar h = header("hard", '1', 5);
	(void)strcpy(h.linkname, "f");
	put_file("f", "hello");
	put(h);
	put_end();
	open_stream(512);
	next(ENTRY_FILE, "f");
	next(ENTRY_HARDLINK, "hard");
	assert_true(en.size == 0);
	at_end();
	/* And with data. */
	buf_clear(&tar);
	put_file("f", "hello");
	put(h);
	put_data("hello", 5);
	put_end();
	refused("the header of an entry is damaged");
	/* GNU's incremental archives have lists of names in directories. */
	buf_clear(&tar);
	put(header("d/", 'D', 9));
	put_data("Yf\0Ng\0\0\0\0", 9);
	put_file("d/f", "x");
	put_end();
	open_stream(512);
	next(ENTRY_DIR, "d");
	next(ENTRY_FILE, "d/f");
	at_end();
}

/* ---- chance ---- */

/* One of everything, with all kinds of extended headers. */
static void
put_everything(void)
{
	struct ustar h = header("old", 'S', sizeof(pieces));
	char *raw = (char *)&h, name[200];
	struct tar_writer *w;
	size_t n;

	make_sparse();
	memset(name, 'n', sizeof(name));
	put(header("././@LongLink", 'L', sizeof(name)));
	put_data(name, sizeof(name));
	put_link("x", '2', "y");
	memcpy(h.magic, "ustar  ", 8);
	ustar_put_number(raw + 386, 12, 1024);
	ustar_put_number(raw + 398, 12, 512);
	ustar_put_number(raw + 410, 12, 2912);
	ustar_put_number(raw + 422, 12, 88);
	ustar_put_number(raw + 483, 12, sizeof(sparse));
	put(h);
	put_data(pieces, sizeof(pieces));
	put_sparse_1_0("2\n1024\n512\n2912\n88\n", sizeof(pieces));
	pax_put_string(&pax, "GNU.sparse.size", "3000");
	pax_put_string(&pax, "GNU.sparse.map", "1024,512,2912,88");
	put_pax('x');
	put(header("s", '0', sizeof(pieces)));
	put_data(pieces, sizeof(pieces));
	pax_put_string(&pax, "LIBARCHIVE.xattr.user.a%20b", "eDB5");
	pax_put_string(&pax, "SCHILY.acl.access",
	    "user::rw-,group::---,other::r--,group:wheel:rwx:7,mask::rwx");
	put_pax('x');
	put_file("attributes", "text");
	assert_int_equal(tar_writer_new(&w, &e), 0);
	const struct entry *all = entries_all(&n);
	for (size_t i = 0; i < n; i++)
		if (tar_data_len(&all[i]) < 10000 && all[i].size <= FOREIGN_SIZE_MAX &&
		    all[i].n_extents < 100 && all[i].path_len < 1000)
			entries_put(w, &all[i], &tar);
	tar_writer_free(w);
	put_end();
}

static void
mend(size_t at)
{
	struct ustar h;

	memcpy(&h, tar.data + at, sizeof(h));
	ustar_put_checksum(&h);
	memcpy(tar.data + at, &h, sizeof(h));
}

/* Only that nothing bad comes of it: under the sanitizers that says something. */
static void
random_damage_gives_an_error_or_clean_entries(void **state)
{
	static const char *const texts[] = {"/", "..", "=", "\n", "\xff", "0", "-1", "99999999999",
	    "18446744073709551615", "GNU.sparse.map=", "%", ",", ":", "\200\377\377\377"};
	struct buf whole = {0};
	uint64_t offset, entries = 0, errors = 0;
	const void *data;
	size_t len;
	int rc;

	(void)state;
	put_everything();
	buf_append(&whole, tar.data, tar.len);
	open_stream(1000);
	while ((rc = foreign_next(f, &en, &e)) == 1)
		;
	if (rc < 0)
		fail_msg("undamaged: %s", e.msg);
	srandom(11);
	for (int i = 0; i < 3000; i++) {
		buf_clear(&tar);
		buf_append(&tar, whole.data, whole.len);
		for (long k = random() % 8; k >= 0; k--) {
			size_t block;
			do /* a header, or what stands behind one */
				block = (size_t)random() % (tar.len / 512 - 1) * 512;
			while (memcmp(tar.data + block + 257, "ustar", 5) != 0);
			block += random() % 2 == 0 ? 512 : 0;
			size_t at = block + (size_t)random() % 480;
			if (random() % 2 == 0) {
				tar.data[at] = (uint8_t)random();
			} else {
				const char *t = texts[random() % (long)COUNT(texts)];
				memcpy(tar.data + at, t, strlen(t));
			}
			if (tar.data[block + 257] == 'u')
				mend(block);
		}
		open_stream(1 + (size_t)random() % 3000);
		while ((rc = foreign_next(f, &en, &e)) == 1) {
			uint64_t end = 0;
			entries++;
			assert_true(path_is_clean(en.path, en.path_len));
			assert_true(en.mode <= 07777);
			if (en.type == ENTRY_HARDLINK)
				assert_true(path_is_clean(en.link, en.link_len));
			while (foreign_data(f, &data, &len, &offset, &e) == 1) {
				assert_true(len > 0 && offset >= end);
				end = offset + len;
				assert_true(end <= en.size || en.type == ENTRY_DIR);
			}
		}
		errors += rc < 0;
		assert_true(rc == 0 || e.kind == ERR_CORRUPT || e.kind == ERR_UNSUPPORTED);
	}
	assert_true(entries > 10000);
	assert_true(errors > 500);
	assert_true(errors < 3000);
	buf_done(&whole);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_we_write_is_read_too),
	    T(a_posix_header_says_all),
	    T(headers_from_before_posix_are_read),
	    T(gnu_long_names_and_numbers_are_read),
	    T(pax_records_go_before_the_header),
	    T(attributes_come_from_each_dialect_once),
	    T(acls_are_put_in_order_and_set_the_mode),
	    T(sparse_files_of_old_gnu_tar_are_read),
	    T(sparse_files_of_pax_0_0_are_read),
	    T(sparse_files_of_pax_0_1_are_read),
	    T(sparse_files_of_pax_1_0_are_read),
	    T(maps_of_holes_that_lie_are_refused),
	    T(an_archive_cut_anywhere_is_refused),
	    T(what_follows_the_end_is_refused),
	    T(a_damaged_header_is_refused_with_its_place),
	    T(names_that_lead_elsewhere_are_refused),
	    T(kinds_that_nobody_knows_are_refused),
	    T(records_that_are_damaged_are_refused),
	    T(data_where_none_belongs_is_told),
	    T(random_damage_gives_an_error_or_clean_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
