/* SPDX-License-Identifier: BSD-2-Clause */
#include "entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "archive/tarwrite.h"
#include "core/buf.h"
#include "core/err.h"

#define NAMES_MAX 64
#define LONG_MAX_LEN 10000

static const uint8_t acl_named[] = {2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 4, 0,
    0xe8, 3, 0, 0, 2, 0, 7, 0, 0xfe, 0xff, 0xff, 0xff, 4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 8, 0, 5,
    0, 0, 0, 0, 0x80, 16, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
static const uint8_t acl_plain[] = {2, 0, 0, 0, 1, 0, 7, 0, 0xff, 0xff, 0xff, 0xff, 4, 0, 5, 0,
    0xff, 0xff, 0xff, 0xff, 32, 0, 5, 0, 0xff, 0xff, 0xff, 0xff};

static const struct entry_xattr xattrs[] = {
    {"security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20},
    {"system.posix", "not an ACL", 10},
    {"trusted.x", "", 0},
    {"user. space", " ", 1},
    {"user.%25", "%3D\n", 4},
    {"user.%x", "7 a=b\n", 6},
    {"user.=", "\0\n\0", 3},
    {"user.a=b=", "=", 1},
    {"user.new\nline", "\n", 1},
    {"user.\377\376", "\377\0", 2},
};

static const struct entry_extent two_holes[] = {{4096, 1024}, {8192, 4000}};
static const struct entry_extent at_both_ends[] = {{0, 512}, {99999, 1}};
static const struct entry_extent far[] = {{0, 512}, {UINT64_C(1) << 62, 513}};
static const struct entry_extent huge[] = {{0, UINT64_C(9) << 30}, {UINT64_C(20) << 30, 5}};
static const struct entry_extent whole[] = {{0, 2048}};

static struct entry table[256];
static size_t n_table;
static char names[NAMES_MAX][LONG_MAX_LEN + 1];
static size_t n_names;

struct entry
entries_file(const char *path, uint64_t size)
{
	return (struct entry){
	    .type = ENTRY_FILE,
	    .path = path,
	    .path_len = strlen(path),
	    .mode = 0644,
	    .size = size,
	    .mtime_sec = 1770588005,
	    .mtime_nsec = 123456789,
	};
}

static struct entry *
add(struct entry en)
{
	assert_true(n_table < sizeof(table) / sizeof(table[0]));
	en.path_len = strlen(en.path);
	en.link_len = en.link != NULL ? strlen(en.link) : 0;
	table[n_table] = en;
	return &table[n_table++];
}

static void
add_named(const char *path)
{
	(void)add(entries_file(path, 5));
	(void)add((struct entry){.type = ENTRY_DIR, .path = path, .mode = 0755});
	(void)add((struct entry){.type = ENTRY_SYMLINK, .path = "s", .mode = 0777, .link = path});
	(void)add((struct entry){.type = ENTRY_HARDLINK, .path = "h", .mode = 0644, .link = path});
}

/* A path of len bytes; a component is at most comp bytes. */
static const char *
long_name(size_t len, size_t comp)
{
	char *s = names[n_names++];

	assert_true(n_names <= NAMES_MAX && len <= LONG_MAX_LEN);
	for (size_t i = 0; i < len; i++)
		s[i] = i % (comp + 1) == comp && i + 1 < len ? '/' : (char)('a' + i % 23);
	s[len] = '\0';
	return s;
}

static void
add_names(void)
{
	static const size_t lens[] = {
	    98, 99, 100, 101, 154, 155, 156, 157, 200, 254, 255, 256, 257, 258, 4095, LONG_MAX_LEN};

	add_named("new\nline");
	add_named("tab\t'\"` $(x) *?[a] \\ ");
	add_named("-rf");
	add_named("trailing ");
	add_named("...");
	add_named(".hidden/..x/.-");
	add_named("with=equals/and%25");
	add_named("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"); /* UTF-8 */
	add_named("bad\xff\x80");
	add_named("\xed\xa0\x81\xed\xb0\x80"); /* CESU-8: no UTF-8, but some take it for that */
	add_named("\1\2\33[31m\177");
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		add_named(long_name(lens[i], 30));
		add_named(long_name(lens[i], LONG_MAX_LEN));
	}
}

static void
add_times(void)
{
	static const struct {
		int64_t sec;
		uint32_t nsec;
	} times[] = {
	    {0, 0},
	    {0, 1},
	    {1, 999999999},
	    {-1, 0},
	    {-1, 1},
	    {-1, 500000000}, /* -0.5 */
	    {-2, 500000000}, /* -1.5 */
	    {-2, 999999999},
	    {INT32_MAX, 0},
	    {INT64_C(0x100000000), 5},
	    {INT64_C(077777777777), 0},
	    {INT64_C(0100000000000), 0},
	    {INT64_C(253402300800), 0}, /* year 10000 */
	    {INT64_MAX, 999999999},
	    {INT64_MIN, 0},
	    {INT64_MIN, 1},
	    {INT64_MIN + 1, 0},
	};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct entry *en = add(entries_file("time", 0));

		en->mtime_sec = times[i].sec;
		en->mtime_nsec = times[i].nsec;
	}
}

static void
add_numbers(void)
{
	static const uint32_t ids[] = {
	    0, 65534, 07777777, 010000000, INT32_MAX, 0x80000000u, 0xfffffffeu, 0xffffffffu};
	static const uint64_t sizes[] = {1, 511, 512, 513, UINT64_C(077777777777),
	    UINT64_C(0100000000000), UINT64_C(1) << 40, INT64_MAX};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		add(entries_file("owner", 0))->uid = ids[i];
		add(entries_file("group", 0))->gid = ids[i];
		(void)add((struct entry){.type = ENTRY_CHAR,
		    .path = "c",
		    .mode = 0600,
		    .rdev_major = ids[i],
		    .rdev_minor = 3});
		(void)add((struct entry){.type = ENTRY_BLOCK,
		    .path = "b",
		    .mode = 0600,
		    .rdev_major = 8,
		    .rdev_minor = ids[i]});
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		(void)add(entries_file("size", sizes[i]));
	add(entries_file("bits", 0))->mode = 07777;
	add(entries_file("bits", 0))->mode = 0;
	(void)add((struct entry){.type = ENTRY_FIFO, .path = "dir/fifo", .mode = 04711});
}

static void
add_sparse(const char *path, uint64_t size, const struct entry_extent *x, size_t n)
{
	struct entry *en = add(entries_file(path, size));

	en->sparse = true;
	en->extents = x;
	en->n_extents = n;
}

static void
add_attributes(void)
{
	struct entry *en = add(entries_file("xattrs", 5));

	en->xattrs = xattrs;
	en->n_xattrs = sizeof(xattrs) / sizeof(xattrs[0]);
	en = add((struct entry){.type = ENTRY_DIR, .path = "acls", .mode = 0670});
	en->acl_access = acl_named;
	en->acl_access_len = sizeof(acl_named);
	en->acl_default = acl_plain;
	en->acl_default_len = sizeof(acl_plain);
	en->xattrs = xattrs;
	en->n_xattrs = 1;
	en = add((struct entry){.type = ENTRY_DIR, .path = "default", .mode = 0770});
	en->acl_default = acl_named;
	en->acl_default_len = sizeof(acl_named);
}

const struct entry *
entries_all(size_t *n)
{
	if (n_table == 0) {
		(void)add((struct entry){.type = ENTRY_DIR, .path = "", .mode = 0755});
		(void)add(entries_file("plain", 5));
		(void)add(entries_file("a/b/empty", 0));
		add_names();
		add_times();
		add_numbers();
		add_attributes();
		add_sparse("sparse/two-holes", 1 << 20, two_holes, 2);
		add_sparse("no-last-hole", 100000, at_both_ends, 2);
		add_sparse("far", (UINT64_C(1) << 62) + 5000, far, 2);
		add_sparse("huge", UINT64_C(30) << 30, huge, 2);
		add_sparse("no-hole", 2048, whole, 1);
		add_sparse("all-hole", UINT64_C(10) << 30, NULL, 0);
		add_sparse("nothing", 0, NULL, 0);
		add_sparse(long_name(300, 40), 100000, at_both_ends, 2);
		add_sparse("d/\xff", 100000, at_both_ends, 2);
		table[n_table - 1].xattrs = xattrs;
		table[n_table - 1].n_xattrs = 3;
	}
	*n = n_table;
	return table;
}

static bool
same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return (a == NULL) == (b == NULL) && a_len == b_len &&
	    (a_len == 0 || memcmp(a, b, a_len) == 0);
}

bool
entries_equal(const struct entry *a, const struct entry *b)
{
	if (a->type != b->type || a->mode != b->mode || a->uid != b->uid || a->gid != b->gid ||
	    a->size != b->size || a->mtime_sec != b->mtime_sec || a->mtime_nsec != b->mtime_nsec ||
	    a->rdev_major != b->rdev_major || a->rdev_minor != b->rdev_minor ||
	    a->sparse != b->sparse || a->n_xattrs != b->n_xattrs || a->n_extents != b->n_extents)
		return false;
	if (!same_bytes(a->path, a->path_len + 1, b->path, b->path_len + 1) ||
	    !same_bytes(a->link, a->link_len, b->link, b->link_len) ||
	    !same_bytes(a->acl_access, a->acl_access_len, b->acl_access, b->acl_access_len) ||
	    !same_bytes(a->acl_default, a->acl_default_len, b->acl_default, b->acl_default_len))
		return false;
	if (a->link != NULL && b->link[b->link_len] != '\0')
		return false;
	for (size_t i = 0; i < a->n_xattrs; i++)
		if (strcmp(a->xattrs[i].name, b->xattrs[i].name) != 0 ||
		    !same_bytes(
			a->xattrs[i].value, a->xattrs[i].len, b->xattrs[i].value, b->xattrs[i].len))
			return false;
	return same_bytes(a->extents, a->n_extents * sizeof(*a->extents), b->extents,
	    b->n_extents * sizeof(*b->extents));
}

uint8_t
entries_byte(uint64_t offset)
{
	return (uint8_t)(offset % 251 + offset / 251 % 7);
}

void
entries_put(struct tar_writer *w, const struct entry *en, struct buf *out)
{
	struct err e = {0};

	assert_int_equal(tar_write_header(w, en, out, &e), 0);
	if (!en->sparse)
		for (uint64_t i = 0; i < tar_data_len(en); i++)
			buf_putc(out, (char)entries_byte(i));
	for (size_t x = 0; x < en->n_extents; x++)
		for (uint64_t i = 0; i < en->extents[x].len; i++)
			buf_putc(out, (char)entries_byte(en->extents[x].offset + i));
	buf_zeros(out, tar_pad(tar_data_len(en)));
	assert_int_equal(buf_check(out, &e), 0);
}
