/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One archive with every kind of entry, extracted by the tar programs that people have.
 * What each of them cannot do is written down in its row below, and in
 * docs/INTEROP.md; all else must come out exactly.
 */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/entry.h"
#include "archive/member.h"
#include "archive/tarwrite.h"
#include "core/buf.h"
#include "core/err.h"
#include "entries.h"

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B250 A50 A50 A50 A50 A50

/* What a program cannot do. */
enum {
	NO_NSEC = 1, /* nanoseconds */
	NO_FRACTION_BEFORE_1970 = 2,
	NO_XATTRS = 4, /* ACLs with them */
	NO_ESCAPED_XATTRS = 8, /* % and = in their names */
	NO_SPARSE = 16, /* it extracts map and data beside the file's place */
	NO_LINK_TIMES = 32, /* of symlinks */
	NO_DIR_TIMES = 64,
	NO_TOP_TIME = 128, /* of the directory that it extracts into */
	NO_MODES_AS_USER = 256, /* the umask decides */
	ROUNDED_TIMES = 512, /* to a microsecond or two */
};

struct program {
	const char *name; /* to look for in PATH */
	const char *command; /* run in an empty directory, the archive is ../a.tar.gz */
	unsigned cannot;
};

static const struct program gnu = {
    "tar", "tar --xattrs --xattrs-include='*' --acls --numeric-owner -xpzf ../a.tar.gz", 0};
static const struct program gnu_plain = {"tar", "tar -xpzf ../a.tar.gz", NO_XATTRS};
static const struct program bsd = {"bsdtar", "bsdtar --numeric-owner -xpf ../a.tar.gz",
    NO_FRACTION_BEFORE_1970 | NO_ESCAPED_XATTRS | NO_TOP_TIME};
static const struct program busybox = {"busybox", "busybox tar -xpzf ../a.tar.gz",
    NO_NSEC | NO_FRACTION_BEFORE_1970 | NO_XATTRS | NO_SPARSE | NO_LINK_TIMES | NO_DIR_TIMES |
	NO_MODES_AS_USER};
static const struct program python = {"python3",
    "python3 -c \"import tarfile as t; "
    "t.TarFile.extraction_filter = staticmethod(lambda m, p: m); " /* 3.14 would drop owners */
    "t.open('../a.tar.gz').extractall(numeric_owner=True)\"",
    ROUNDED_TIMES | NO_XATTRS | NO_LINK_TIMES};

static const uint8_t acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 4, 0, 0xe8, 3,
    0, 0, 4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 0, 0,
    0xff, 0xff, 0xff, 0xff};
static const struct entry_xattr xattrs[] = {{"user.a=b", "1", 1}, {"user.bytes", "\0\n\377", 3},
    {"user.empty", "", 0}, {"user.p%25c", "%", 1}, {"user.space here", "2", 1}};
static const struct entry_extent extents[] = {{65536, 65536}, {196608, 5000}};

static const struct entry entries[] = {
    {.type = ENTRY_DIR, .path = "", .mode = 0751, .mtime_sec = 1000000000},
    {.type = ENTRY_DIR, .path = "dir", .mode = 02775, .mtime_sec = 1000000000, .mtime_nsec = 1},
    {.path = "dir/file",
	.mode = 0644,
	.size = 1234,
	.mtime_sec = 1770588005,
	.mtime_nsec = 123456789},
    {.path = "dir/empty", .mode = 0, .mtime_sec = 0},
    {.path = "-rf", .mode = 04755, .size = 512, .mtime_sec = 5},
    {.path = "new\nline and \t'\"\\ ", .mode = 0644, .size = 3, .mtime_sec = 5},
    {.path = "*?[a]$(x)`y`", .mode = 0644, .size = 3, .mtime_sec = 5},
    {.path = "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", .mode = 0644, .size = 3, .mtime_sec = 5},
    {.path = "latin\xe4", .mode = 0644, .size = 3, .mtime_sec = 5},
    {.path = "\xed\xa0\x81\xed\xb0\x80", .mode = 0644, .size = 3, .mtime_sec = 5},
    {.path = A50 A50, .mode = 0644, .size = 4, .mtime_sec = 5},
    {.path = A50 A50 "b", .mode = 0644, .size = 5, .mtime_sec = 5},
    {.path = B250, .mode = 0644, .size = 6, .mtime_sec = 5},
    {.type = ENTRY_DIR, .path = "l", .mode = 0755, .mtime_sec = 5},
    {.type = ENTRY_DIR, .path = "l/" B250, .mode = 0755, .mtime_sec = 5},
    {.type = ENTRY_DIR, .path = "l/" B250 "/" B250, .mode = 0755, .mtime_sec = 5},
    {.path = "l/" B250 "/" B250 "/" B250, .mode = 0644, .size = 7, .mtime_sec = 5},
    {.type = ENTRY_HARDLINK,
	.path = "hard",
	.mode = 0644,
	.link = "dir/file",
	.mtime_sec = 1770588005,
	.mtime_nsec = 123456789},
    {.type = ENTRY_HARDLINK,
	.path = "hard-long",
	.mode = 0644,
	.mtime_sec = 5,
	.link = "l/" B250 "/" B250 "/" B250},
    {.type = ENTRY_SYMLINK, .path = "sym", .mode = 0777, .link = "../x y", .mtime_sec = 7},
    {.type = ENTRY_SYMLINK,
	.path = "sym-long",
	.mode = 0777,
	.link = B250 "/\xc3\xa4",
	.mtime_sec = 7},
    {.type = ENTRY_SYMLINK, .path = "sym-latin", .mode = 0777, .link = "\xe4", .mtime_sec = 7},
    {.type = ENTRY_FIFO, .path = "fifo", .mode = 0640, .mtime_sec = 9},
    {.type = ENTRY_CHAR,
	.path = "null",
	.mode = 0666,
	.rdev_major = 1,
	.rdev_minor = 3,
	.mtime_sec = 9},
    {.type = ENTRY_BLOCK,
	.path = "blk",
	.mode = 0600,
	.rdev_major = 4095,
	.rdev_minor = 1048575,
	.mtime_sec = 9},
    {.path = "t/1901", .mode = 0644, .mtime_sec = -2000000000},
    {.path = "t/-0.5", .mode = 0644, .mtime_sec = -1, .mtime_nsec = 500000000},
    {.path = "t/-1.25", .mode = 0644, .mtime_sec = -2, .mtime_nsec = 750000000},
    {.path = "t/2106", .mode = 0644, .mtime_sec = 4294967296, .mtime_nsec = 999999999},
    {.path = "t/2242", .mode = 0644, .mtime_sec = 8589934597},
    {.path = "u/31", .mode = 0644, .uid = 2147483649u, .gid = 2147483650u, .mtime_sec = 5},
    {.path = "u/32", .mode = 06711, .uid = 4294967294u, .gid = 4294967293u, .mtime_sec = 5},
    {.path = "u/21", .mode = 0644, .uid = 2097151, .gid = 2097152, .mtime_sec = 5},
    {.path = "xattrs", .mode = 0644, .xattrs = xattrs, .n_xattrs = 5, .mtime_sec = 5},
    {.path = "acl", .mode = 0640, .acl_access = acl, .acl_access_len = sizeof(acl), .mtime_sec = 5},
    {.type = ENTRY_DIR,
	.path = "acl-dir",
	.mode = 0750,
	.acl_default = acl,
	.acl_default_len = sizeof(acl),
	.mtime_sec = 5},
    {.path = "s/two-holes",
	.mode = 0644,
	.size = 300000,
	.mtime_sec = 5,
	.sparse = true,
	.extents = extents,
	.n_extents = 2},
    {.path = "s/all-hole", .mode = 0644, .size = 1 << 20, .mtime_sec = 5, .sparse = true},
};
#define N_ENTRIES (sizeof(entries) / sizeof(entries[0]))

static char dir[4096];
static bool xattrs_here; /* the file system knows them */

static struct entry
entry_at(size_t i)
{
	struct entry en = entries[i];

	if (en.type == 0)
		en.type = ENTRY_FILE;
	en.path_len = strlen(en.path);
	en.link_len = en.link != NULL ? strlen(en.link) : 0;
	return en;
}

/* Only root may have these. */
static bool
left_out(const struct entry *en)
{
	return geteuid() != 0 && (en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK);
}

/* A member every few entries, cut in the middle of nothing, as backups are. */
static void
write_archive(const char *name)
{
	struct tar_writer *w;
	struct member_packer *p;
	struct buf plain = {0}, packed = {0};
	struct err e = {0};
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_int_equal(tar_writer_new(&w, &e), 0);
	assert_int_equal(member_packer_new(&p, MEMBER_LEVEL_DEFAULT, &e), 0);
	for (size_t i = 0; i < N_ENTRIES; i++) {
		struct entry en = entry_at(i);

		if (!left_out(&en))
			entries_put(w, &en, &plain);
		if (i % 3 == 0) {
			assert_int_equal(member_pack(p, plain.data, plain.len, &packed, &e), 0);
			buf_clear(&plain);
		}
	}
	buf_zeros(&plain, TAR_END_LEN);
	assert_int_equal(member_pack(p, plain.data, plain.len, &packed, &e), 0);
	assert_int_equal(fwrite(packed.data, 1, packed.len, f), packed.len);
	assert_int_equal(fclose(f), 0);
	tar_writer_free(w);
	member_packer_free(p);
	buf_done(&plain);
	buf_done(&packed);
}

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	(void)state;
	(void)snprintf(dir, sizeof(dir), "%s/tarseal-interop-XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	write_archive("a.tar.gz");
	fd = open("probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	xattrs_here = fsetxattr(fd, "user.x", "", 0, 0) == 0 &&
	    fsetxattr(fd, "system.posix_acl_access", acl, sizeof(acl), 0) == 0;
	assert_int_equal(close(fd), 0);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	assert_int_equal(chdir("/"), 0);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool
have(const char *program)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "command -v %s >/dev/null 2>&1", program);
	return system(cmd) == 0;
}

/* Says which entry it is about. */
#define EXPECT(path, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("%s: %s", path, #condition);                                      \
	} while (0)

static void
check_content(const struct entry *en, const char *path)
{
	uint8_t *data = malloc(en->size + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t got = 0, x = 0;
	ssize_t n;

	EXPECT(path, data != NULL);
	EXPECT(path, fd >= 0);
	while ((n = read(fd, data + got, en->size + 1 - got)) > 0)
		got += (size_t)n;
	EXPECT(path, n == 0);
	EXPECT(path, got == en->size);
	for (size_t i = 0; i < got; i++) {
		bool hole = en->sparse;

		if (x < en->n_extents && i >= en->extents[x].offset)
			hole = false;
		EXPECT(path, data[i] == (hole ? 0 : entries_byte(i)));
		if (x < en->n_extents && i + 1 == en->extents[x].offset + en->extents[x].len)
			x++;
	}
	EXPECT(path, close(fd) == 0);
	free(data);
}

static void
check_time(const struct program *p, const struct entry *en, const char *path, const struct stat *st)
{
	bool fraction = en->mtime_sec < 0 && en->mtime_nsec > 0;

	if ((en->type == ENTRY_SYMLINK && (p->cannot & NO_LINK_TIMES) != 0) ||
	    (en->type == ENTRY_DIR && (p->cannot & NO_DIR_TIMES) != 0) ||
	    (en->path_len == 0 && (p->cannot & NO_TOP_TIME) != 0) ||
	    (fraction && (p->cannot & NO_FRACTION_BEFORE_1970) != 0))
		return;
	if (en->type == ENTRY_HARDLINK)
		return; /* the file's own entry has told */
	if ((p->cannot & ROUNDED_TIMES) != 0) {
		int64_t off = (st->st_mtim.tv_sec - en->mtime_sec) * 1000000000 +
		    st->st_mtim.tv_nsec - en->mtime_nsec;

		EXPECT(path, off > -2000 && off < 2000);
		return;
	}
	EXPECT(path, st->st_mtim.tv_sec == en->mtime_sec);
	if ((p->cannot & NO_NSEC) == 0)
		EXPECT(path, st->st_mtim.tv_nsec == en->mtime_nsec);
}

static void
check_attribute(const char *path, const char *name, const void *value, size_t len)
{
	char got[256];
	ssize_t n = lgetxattr(path, name, got, sizeof(got));

	EXPECT(path, n == (ssize_t)len);
	EXPECT(path, memcmp(got, value, len) == 0);
}

static void
check_attributes(const struct program *p, const struct entry *en, const char *path)
{
	if (!xattrs_here || (p->cannot & NO_XATTRS) != 0)
		return;
	for (size_t i = 0; i < en->n_xattrs; i++) {
		const struct entry_xattr *x = &en->xattrs[i];

		if ((p->cannot & NO_ESCAPED_XATTRS) == 0 || strpbrk(x->name, "%=") == NULL)
			check_attribute(path, x->name, x->value, x->len);
	}
	if (en->acl_access != NULL)
		check_attribute(
		    path, "system.posix_acl_access", en->acl_access, en->acl_access_len);
	if (en->acl_default != NULL)
		check_attribute(
		    path, "system.posix_acl_default", en->acl_default, en->acl_default_len);
}

static void
check_entry(const struct program *p, const struct entry *en)
{
	const char *path = en->path_len > 0 ? en->path : ".";
	struct stat st;
	char target[1024];

	if ((p->cannot & NO_SPARSE) != 0 && en->sparse) {
		/* Above all, nothing that looks like the file. */
		EXPECT(path, (lstat(path, &st)) == -1);
		return;
	}
	EXPECT(path, (lstat(path, &st)) == 0);
	check_time(p, en, path, &st);
	if (en->type == ENTRY_SYMLINK) {
		ssize_t n = readlink(path, target, sizeof(target));

		EXPECT(path, n == (ssize_t)en->link_len);
		EXPECT(path, memcmp(target, en->link, en->link_len) == 0);
		return;
	}
	if (en->type == ENTRY_HARDLINK) {
		struct stat to;

		EXPECT(path, (lstat(en->link, &to)) == 0);
		EXPECT(path, st.st_ino == to.st_ino && st.st_nlink == 2);
		return;
	}
	if (geteuid() == 0) {
		EXPECT(path, (st.st_mode & 07777) == en->mode);
		EXPECT(path, st.st_uid == en->uid && st.st_gid == en->gid);
	} else if ((p->cannot & NO_MODES_AS_USER) == 0) {
		/* Files of others lose their set-id bits, rightly. */
		EXPECT(path, (st.st_mode & 0777) == (en->mode & 0777));
	}
	if (en->type == ENTRY_CHAR || en->type == ENTRY_BLOCK)
		EXPECT(path, st.st_rdev == makedev(en->rdev_major, en->rdev_minor));
	if (en->type == ENTRY_FILE && access(path, R_OK) == 0)
		check_content(en, path);
	check_attributes(p, en, path);
}

static void
show_messages(void)
{
	char text[2000];
	FILE *f = fopen("../messages", "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	print_error("%s", text);
	assert_int_equal(fclose(f), 0);
}

static void
extract(const struct program *p)
{
	char cmd[512];
	int status;

	if (!have(p->name))
		skip();
	assert_int_equal(mkdir("out", 0700), 0);
	assert_int_equal(chdir("out"), 0);
	(void)snprintf(cmd, sizeof(cmd), "LC_ALL=C.UTF-8 %s 2>../messages", p->command);
	status = system(cmd);
	if (status != 0)
		show_messages();
	assert_int_equal(status, 0);
	for (size_t i = 0; i < N_ENTRIES; i++) {
		struct entry en = entry_at(i);

		if (left_out(&en))
			continue;
		check_entry(p, &en);
	}
	assert_int_equal(chdir(dir), 0);
}

static void
gnu_tar_extracts_everything_exactly(void **state)
{
	(void)state;
	extract(&gnu);
}

static void
gnu_tar_without_options_leaves_attributes_out(void **state)
{
	(void)state;
	extract(&gnu_plain);
}

static void
bsdtar_extracts_what_it_can(void **state)
{
	(void)state;
	extract(&bsd);
}

static void
busybox_extracts_what_it_can(void **state)
{
	(void)state;
	extract(&busybox);
}

static void
python_extracts_what_it_can(void **state)
{
	(void)state;
	extract(&python);
}

/* Put the header of en into fd, and leave a hole for its data; where the next one goes. */
static off_t
put_hollow(int fd, off_t at, const struct entry *en)
{
	struct tar_writer *w;
	struct buf out = {0};
	struct err e = {0};
	uint64_t len = tar_data_len(en);

	assert_int_equal(tar_writer_new(&w, &e), 0);
	assert_int_equal(tar_write_header(w, en, &out, &e), 0);
	assert_int_equal(pwrite(fd, out.data, out.len, at), (ssize_t)out.len);
	at += (off_t)(out.len + len + tar_pad(len));
	tar_writer_free(w);
	buf_done(&out);
	return at;
}

/* Each lists sizes its own way, but all of them as digits. */
static void
all_find_their_way_past_huge_files(void **state)
{
	static const char *const lists[][2] = {
	    {"tar", "tar -tvf huge.tar"},
	    {"bsdtar", "bsdtar -tvf huge.tar"},
	    {"busybox", "busybox tar -tvf huge.tar"},
	    {"python3",
		"python3 -c \"import tarfile\nfor m in tarfile.open('huge.tar'): "
		"print(m.size, m.name)\""},
	};
	static const struct entry_extent x[] = {{0, UINT64_C(9) << 30}, {UINT64_C(20) << 30, 5}};
	struct entry plain = entries_file("plain", 9000000001),
		     sparse = entries_file("holes", 30000000000);
	int fd = open("huge.tar", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	off_t at;

	(void)state;
	assert_true(fd >= 0);
	sparse.sparse = true;
	sparse.extents = x;
	sparse.n_extents = 2;
	at = put_hollow(fd, 0, &plain);
	at = put_hollow(fd, at, &sparse);
	plain = entries_file("after", 12345);
	at = put_hollow(fd, at, &plain);
	assert_int_equal(ftruncate(fd, at + (off_t)TAR_END_LEN), 0);
	assert_int_equal(close(fd), 0);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		char cmd[512];
		bool knows_sparse = strcmp(lists[i][0], "busybox") != 0;

		if (!have(lists[i][0]))
			continue;
		(void)snprintf(cmd, sizeof(cmd),
		    "LC_ALL=C.UTF-8 %s >list && grep -q '9000000001.*plain' list && "
		    "grep -q '%s.*holes' list && grep -q '12345.*after' list",
		    lists[i][1], knows_sparse ? "30000000000" : "9663676933");
		if (system(cmd) != 0)
			fail_msg("%s", lists[i][0]);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(gnu_tar_extracts_everything_exactly),
	    TEST(gnu_tar_without_options_leaves_attributes_out),
	    TEST(bsdtar_extracts_what_it_can),
	    TEST(busybox_extracts_what_it_can),
	    TEST(python_extracts_what_it_can),
	    TEST(all_find_their_way_past_huge_files),
	};

	return cmocka_run_group_tests_name("archive/interop", tests, NULL, NULL);
}
