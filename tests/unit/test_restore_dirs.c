/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "restore/dirs.h"
#include "restore/load.h"
#include "restore/mark.h"
#include "seal/manifest.h"
#include "store/repo.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#define NAME "s-20260101_000000"

/* user::rwx,user:7:r-x,group::r-x,mask::r-x,other::r-x, in the kernel's form. */
static const uint8_t acl[] = {2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 5, 0, 7, 0, 0, 0, 4,
    0, 5, 0, 255, 255, 255, 255, 16, 0, 5, 0, 255, 255, 255, 255, 32, 0, 5, 0, 255, 255, 255, 255};

static char dir[SCRATCH_MAX];

struct opened {
	struct made made;
	struct repo *repo;
	struct repo_backup backup;
	struct restore_load *load;
	struct manifest_member m;
	struct restore_dirs dirs;
};

static int
setup(void **state)
{
	(void)state;
	scratch_new(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

/* "", a (ACLs), a/f, b (nothing), c (two attributes), in one member; offsets of its parts. */
static void
make(struct opened *o)
{
	static const struct entry_xattr xattrs[] = {{.name = "user.a", .value = "one", .len = 3},
	    {.name = "user.b", .value = "", .len = 0}};
	struct entry root = made_dir(""), a = made_dir("a"), f = made_file("a/f", 3),
		     b = made_dir("b"), c = made_dir("c");

	memset(o, 0, sizeof(*o));
	a.acl_access = a.acl_default = acl;
	a.acl_access_len = a.acl_default_len = sizeof(acl);
	a.mode = 0751;
	c.xattrs = xattrs;
	c.n_xattrs = 2;
	c.mtime_sec = 77;
	made_begin(&o->made, dir, NAME);
	made_both(&o->made, &root, NULL);
	made_both(&o->made, &a, NULL);
	made_both(&o->made, &f, "abc");
	made_both(&o->made, &b, NULL);
	made_both(&o->made, &c, NULL);
	made_member(&o->made, MANIFEST_FILES, "", 0);
	made_end(&o->made, NULL);
}

static void
load_marked(struct opened *o, uint8_t mark)
{
	struct err e = {0};

	assert_int_equal(repo_open(&o->repo, dir, &e), 0);
	assert_int_equal(repo_read_seal(o->repo, NAME, NULL, &o->backup, &e), 0);
	assert_int_equal(restore_load_open(&o->load, o->repo, &o->backup.seal, &e), 0);
	assert_int_equal(manifest_next(restore_load_index(o->load), &o->m, &e), 1);
	assert_int_equal(restore_dirs_load(&o->dirs, o->load, &o->m, mark, &e), 0);
}

static void
load(struct opened *o)
{
	load_marked(o, 0);
}

static void
done(struct opened *o)
{
	restore_dirs_done(&o->dirs);
	restore_load_close(o->load);
	repo_backup_done(&o->backup);
	repo_close(o->repo);
}

/* Change a byte of a file of the backup. */
static void
damage(const char *suffix, uint64_t offset)
{
	char name[128];
	struct buf b = {0};

	(void)snprintf(name, sizeof(name), "%s%s", NAME, suffix);
	scratch_get(dir, name, &b);
	assert_true(offset < b.len);
	b.data[offset] ^= 1;
	scratch_put(dir, name, b.data, b.len);
	buf_done(&b);
}

static void
check_all(const struct opened *o)
{
	const struct restore_dir *a = restore_dirs_find(&o->dirs, "a");
	const struct restore_dir *c = restore_dirs_find(&o->dirs, "c");

	assert_int_equal(o->dirs.n, 4);
	assert_non_null(restore_dirs_find(&o->dirs, ""));
	assert_non_null(a);
	assert_false(a->lost);
	assert_int_equal(a->en.mode, 0751);
	assert_int_equal(a->en.acl_access_len, sizeof(acl));
	assert_memory_equal(a->en.acl_access, acl, sizeof(acl));
	assert_memory_equal(a->en.acl_default, acl, sizeof(acl));
	assert_non_null(c);
	assert_int_equal(c->en.n_xattrs, 2);
	assert_string_equal(c->en.xattrs[0].name, "user.a");
	assert_memory_equal(c->en.xattrs[0].value, "one", 3);
	assert_string_equal(c->en.xattrs[1].name, "user.b");
	assert_int_equal(c->en.xattrs[1].len, 0);
	assert_int_equal(c->en.mtime_sec, 77);
}

static void
directories_come_with_attributes_and_acls(void **state)
{
	struct opened o;

	(void)state;
	make(&o);
	load(&o);
	check_all(&o);
	assert_null(restore_dirs_find(&o.dirs, "a/f"));
	assert_null(restore_dirs_find(&o.dirs, "zz"));
	done(&o);
}

static void
a_damaged_section_is_made_up_for_by_the_headers(void **state)
{
	struct opened o;

	(void)state;
	make(&o);
	load(&o);
	uint64_t at = o.m.section_offset + o.m.section_len / 2;
	done(&o);
	damage(".manifest.gz", at);
	memset(&o, 0, sizeof(o));
	load(&o);
	check_all(&o);
	done(&o);
}

static void
a_damaged_member_costs_only_the_attributes(void **state)
{
	struct opened o;

	(void)state;
	make(&o);
	damage(".tar.gz", 30);
	load(&o);
	assert_int_equal(o.dirs.n, 4);
	assert_true(restore_dirs_find(&o.dirs, "a")->lost);
	assert_int_equal(restore_dirs_find(&o.dirs, "a")->en.mode, 0751);
	assert_null(restore_dirs_find(&o.dirs, "a")->en.acl_access);
	assert_false(restore_dirs_find(&o.dirs, "b")->lost);
	assert_true(restore_dirs_find(&o.dirs, "c")->lost);
	done(&o);
}

static void
with_both_damaged_there_are_none(void **state)
{
	struct opened o;

	(void)state;
	make(&o);
	load(&o);
	uint64_t at = o.m.section_offset + o.m.section_len / 2;
	done(&o);
	damage(".manifest.gz", at);
	damage(".tar.gz", 30);
	memset(&o, 0, sizeof(o));
	load(&o);
	assert_int_equal(o.dirs.n, 0);
	done(&o);
}

static void
attributes_that_were_set_at_once_are_not_set_again(void **state)
{
	struct opened o;

	(void)state;
	make(&o);
	load_marked(&o, RESTORE_SEEN | RESTORE_DIRS | RESTORE_HEADERS);
	assert_int_equal(restore_dirs_find(&o.dirs, "c")->en.n_xattrs, 0);
	assert_false(restore_dirs_find(&o.dirs, "c")->lost);
	assert_int_equal(restore_dirs_find(&o.dirs, "c")->en.mtime_sec, 77);
	/* ACLs wait for the end. */
	assert_int_equal(restore_dirs_find(&o.dirs, "a")->en.acl_access_len, sizeof(acl));
	assert_int_equal(restore_dirs_find(&o.dirs, "a")->en.acl_default_len, sizeof(acl));
	done(&o);
}

static void
a_member_that_needs_no_header_is_not_read_again(void **state)
{
	struct opened o;

	(void)state;
	make(&o);
	damage(".tar.gz", 30);
	load_marked(&o, RESTORE_SEEN | RESTORE_DIRS);
	assert_int_equal(o.dirs.n, 4);
	for (size_t i = 0; i < o.dirs.n; i++)
		assert_false(o.dirs.v[i].lost);
	done(&o);
}

static void
an_entry_marks_what_it_leaves_for_the_end(void **state)
{
	static const struct entry_xattr xattr = {.name = "user.a", .value = "one", .len = 3};
	struct entry d = made_dir("d"), f = made_file("f", 3);
	const struct entry link = {.type = ENTRY_HARDLINK, .path = "l", .path_len = 1};

	(void)state;
	f.xattrs = d.xattrs = &xattr;
	f.n_xattrs = d.n_xattrs = 1;
	assert_int_equal(restore_mark_of(&f), 0);
	assert_int_equal(restore_mark_of(&link), RESTORE_LINKS);
	assert_int_equal(restore_mark_of(&d), RESTORE_DIRS);
	d.acl_default = acl;
	assert_int_equal(restore_mark_of(&d), RESTORE_DIRS | RESTORE_HEADERS);
	d = made_dir("");
	assert_int_equal(restore_mark_of(&d), RESTORE_DIRS);
	d.xattrs = &xattr;
	d.n_xattrs = 1;
	assert_int_equal(restore_mark_of(&d), RESTORE_DIRS | RESTORE_HEADERS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		directories_come_with_attributes_and_acls, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_damaged_section_is_made_up_for_by_the_headers, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_damaged_member_costs_only_the_attributes, setup, teardown),
	    cmocka_unit_test_setup_teardown(with_both_damaged_there_are_none, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		attributes_that_were_set_at_once_are_not_set_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_member_that_needs_no_header_is_not_read_again, setup, teardown),
	    cmocka_unit_test(an_entry_marks_what_it_leaves_for_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
