/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/cut.h"
#include "cli/opt.h"
#include "core/err.h"
#include "core/log.h"
#include "restore/load.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/select.h"
#include "seal/manifest.h"
#include "seal/section.h"
#include "store/repo.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#define NAME "s-20260101_000000"

static char dir[SCRATCH_MAX];
static char listed[4096]; /* what the plan called each for */

static struct {
	struct repo *repo;
	struct repo_backup backup;
	struct restore_load *load;
	struct restore_select *select;
	struct restore_report report;
	struct restore_plan plan;
} t;

static struct entry
hard_link(const char *path, const char *to)
{
	struct entry en = made_file(path, 0);

	en.type = ENTRY_HARDLINK;
	en.link = to;
	en.link_len = strlen(to);
	return en;
}

/*
 * member 0: "", a, a/b, a/b/1, a/b/2; 1: a/c, a/c/1; 2, 3, 4: a/large; 5: b, b/1 (link to a/b/1),
 * b/2 (link to a/b/2), b/3 (link to a/large), b/4 (link to a/b/1)
 */
static void
make(void)
{
	static uint8_t data[CUT_CHUNK + 10];
	struct made m;
	struct entry root = made_dir(""), a = made_dir("a"), ab = made_dir("a/b"),
		     ac = made_dir("a/c"), b = made_dir("b"), f1 = made_file("a/b/1", 1),
		     f2 = made_file("a/b/2", 2), c1 = made_file("a/c/1", 3),
		     large = made_file("a/large", sizeof(data)), l1 = hard_link("b/1", "a/b/1"),
		     l2 = hard_link("b/2", "a/b/2"), l3 = hard_link("b/3", "a/large"),
		     l4 = hard_link("b/4", "a/b/1");

	made_begin(&m, dir, NAME);
	made_both(&m, &root, NULL);
	made_both(&m, &a, NULL);
	made_both(&m, &ab, NULL);
	made_both(&m, &f1, NULL);
	made_both(&m, &f2, NULL);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_both(&m, &ac, NULL);
	made_both(&m, &c1, NULL);
	made_member(&m, MANIFEST_FILES, "a/c", 0);
	made_large(&m, &large, data);
	made_both(&m, &b, NULL);
	made_both(&m, &l1, NULL);
	made_both(&m, &l2, NULL);
	made_both(&m, &l3, NULL);
	made_both(&m, &l4, NULL);
	made_member(&m, MANIFEST_FILES, "b", 0);
	made_end(&m, NULL);
}

static int
setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	listed[0] = '\0';
	scratch_new(dir);
	make();
	log_init("restore", LOG_QUIET);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	restore_plan_done(&t.plan);
	restore_report_done(&t.report);
	restore_select_free(t.select);
	restore_load_close(t.load);
	repo_backup_done(&t.backup);
	repo_close(t.repo);
	scratch_remove(dir);
	return 0;
}

static void
open_backup(void)
{
	struct err e = {0};

	assert_int_equal(repo_open(&t.repo, dir, &e), 0);
	assert_int_equal(repo_read_seal(t.repo, NAME, NULL, &t.backup, &e), 0);
	assert_int_equal(restore_load_open(&t.load, t.repo, &t.backup.seal, &e), 0);
}

static void
each(void *ctx, const char *path, const struct section_line *line)
{
	(void)ctx;
	(void)line;
	(void)snprintf(listed + strlen(listed), sizeof(listed) - strlen(listed), "%s ",
	    *path == '\0' ? "." : path);
}

static void
plan(const char *const *paths, size_t n, bool look)
{
	struct opt_list list = {.items = (const char **)(uintptr_t)paths, .n = n};
	const struct restore_plan_opts opts = {.look = look, .each = each};
	struct err e = {0};

	restore_report_init(&t.report);
	if (t.load == NULL)
		open_backup();
	assert_int_equal(
	    restore_select_new(&t.select, &(struct restore_select_opts){.paths = &list}, &e), 0);
	assert_int_equal(restore_plan_make(&t.plan, t.load, t.select, &opts, &t.report, &e), 0);
}
#define PLAN(...)                                                                                  \
	do {                                                                                       \
		static const char *const paths[] = {__VA_ARGS__};                                  \
		plan(paths, COUNT(paths), false);                                                  \
	} while (0)

static void
members_are(const char *want)
{
	struct restore_walk w;
	struct manifest_member m;
	struct err e = {0};
	char have[256] = "";

	restore_walk_begin(&w, &t.plan, restore_load_index(t.load));
	while (restore_walk_next(&w, &m, &e) == 1)
		(void)snprintf(have + strlen(have), sizeof(have) - strlen(have), "%llu ",
		    (unsigned long long)manifest_tell(restore_load_index(t.load)));
	assert_string_equal(have, want);
}

static void
dirs_are(const char *want)
{
	char have[256] = "";

	for (size_t i = 0; i < t.plan.n_dirs; i++)
		(void)snprintf(
		    have + strlen(have), sizeof(have) - strlen(have), "%s ", t.plan.dirs[i]);
	assert_string_equal(have, want);
}

static void
everything_is_all_members_and_nothing_is_read(void **state)
{
	(void)state;
	plan(NULL, 0, false);
	assert_true(t.plan.all);
	members_are("0 1 2 3 4 5 6 ");
	assert_string_equal(listed, "");
}

static void
everything_can_be_looked_at(void **state)
{
	(void)state;
	plan(NULL, 0, true);
	assert_int_equal(t.plan.entries, 13);
	assert_int_equal(t.plan.bytes, 6 + CUT_CHUNK + 10);
	assert_string_equal(listed, ". a a/b a/b/1 a/b/2 a/c a/c/1 a/large b b/1 b/2 b/3 b/4 ");
}

static void
a_file_needs_its_member_and_the_directories_above(void **state)
{
	(void)state;
	PLAN("a/b/2");
	members_are("0 ");
	dirs_are("a a/b ");
	assert_int_equal(t.plan.entries, 1);
	assert_int_equal(t.plan.bytes, 2);
}

static void
a_directory_needs_all_below_and_each_directory_once(void **state)
{
	(void)state;
	PLAN("a");
	members_are("0 1 2 3 4 ");
	dirs_are("a a/b a/c ");
	assert_int_equal(t.plan.entries, 7);
}

static void
a_large_file_needs_its_header_and_all_chunks(void **state)
{
	(void)state;
	PLAN("a/large");
	members_are("2 3 4 ");
	dirs_are("a ");
	assert_int_equal(t.plan.bytes, CUT_CHUNK + 10);
}

static void
paths_in_any_order_and_twice_are_read_once(void **state)
{
	(void)state;
	PLAN("a/c/1", "a/b/1", "a/c", "a/b/1");
	members_are("0 1 ");
	dirs_are("a a/b a/c ");
	assert_string_equal(listed, "a/b/1 a/c a/c/1 ");
}

static void
a_glob_looks_at_all_names_and_reads_few_members(void **state)
{
	(void)state;
	PLAN("c*");
	members_are("1 ");
	dirs_are("a a/c ");
}

static void
a_link_brings_the_member_of_its_file(void **state)
{
	(void)state;
	PLAN("b/2");
	members_are("0 5 ");
	dirs_are("b ");
	assert_string_equal(restore_select_place(t.select, "a/b/2", 5, false), "b/2");
	assert_null(restore_select_place(t.select, "a/b/1", 5, false));
	assert_int_equal(t.plan.entries, 1);
	assert_int_equal(t.plan.bytes, 2);
}

static void
links_bring_each_file_once(void **state)
{
	(void)state;
	PLAN("b");
	members_are("0 2 3 4 5 ");
	dirs_are("b ");
	assert_string_equal(restore_select_place(t.select, "a/b/1", 5, false), "b/1");
	assert_string_equal(restore_select_place(t.select, "a/large", 7, false), "b/3");
	assert_int_equal(t.plan.entries, 5);
	assert_int_equal(t.plan.bytes, 1 + 2 + CUT_CHUNK + 10);
}

static void
a_link_with_its_file_brings_nothing_more(void **state)
{
	(void)state;
	PLAN("b/2", "a/b/2");
	members_are("0 5 ");
	assert_string_equal(restore_select_place(t.select, "a/b/2", 5, false), "a/b/2");
	assert_false(restore_select_is_aliased(t.select, "a/b/2"));
}

static void
what_is_not_there_needs_nothing(void **state)
{
	(void)state;
	PLAN("a/b/nothing", "zz");
	members_are("");
	assert_int_equal(t.plan.n_dirs, 0);
}

static void
a_member_whose_section_is_damaged_may_hold_what_is_wanted(void **state)
{
	struct manifest_member m;
	struct buf b = {0};
	struct err e = {0};

	(void)state;
	open_backup();
	assert_int_equal(manifest_next(restore_load_index(t.load), &m, &e), 1);
	scratch_get(dir, NAME ".manifest.gz", &b);
	b.data[m.section_offset + m.section_len / 2] ^= 1;
	scratch_put(dir, NAME ".manifest.gz", b.data, b.len);
	buf_done(&b);
	restore_load_close(t.load);
	assert_int_equal(restore_load_open(&t.load, t.repo, &t.backup.seal, &e), 0);
	PLAN("a/b/1");
	members_are("0 ");
	dirs_are("a a/b ");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(everything_is_all_members_and_nothing_is_read),
	    TEST(everything_can_be_looked_at),
	    TEST(a_file_needs_its_member_and_the_directories_above),
	    TEST(a_directory_needs_all_below_and_each_directory_once),
	    TEST(a_large_file_needs_its_header_and_all_chunks),
	    TEST(paths_in_any_order_and_twice_are_read_once),
	    TEST(a_glob_looks_at_all_names_and_reads_few_members),
	    TEST(a_link_brings_the_member_of_its_file),
	    TEST(links_bring_each_file_once),
	    TEST(a_link_with_its_file_brings_nothing_more),
	    TEST(what_is_not_there_needs_nothing),
	    TEST(a_member_whose_section_is_damaged_may_hold_what_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
