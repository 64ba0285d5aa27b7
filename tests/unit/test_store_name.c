/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/priv.h"

static void
finished_parts_are_recognised(void **state)
{
	struct repo_file f;

	(void)state;
	assert_true(repo_file_parse("a-20260209_000005.tar.gz", &f));
	assert_false(f.is_new);
	assert_int_equal(f.part, REPO_ARCHIVE);
	assert_string_equal(f.name, "a-20260209_000005");
	assert_true(repo_file_parse("a.manifest.gz", &f));
	assert_int_equal(f.part, REPO_MANIFEST);
	assert_true(repo_file_parse("a.b.seal", &f));
	assert_int_equal(f.part, REPO_SEAL);
	assert_string_equal(f.name, "a.b");
}

static void
parts_in_progress_are_recognised(void **state)
{
	struct repo_file f;

	(void)state;
	assert_true(repo_file_parse(".a-1.tar.gz.new", &f));
	assert_true(f.is_new);
	assert_string_equal(f.name, "a-1");
	assert_true(repo_file_parse(".a-1.seal.new", &f));
	assert_int_equal(f.part, REPO_SEAL);
}

static void
a_seal_that_is_being_pruned_is_recognised(void **state)
{
	struct repo_file f;

	(void)state;
	assert_true(repo_file_parse(".a-1.seal.gone", &f));
	assert_true(f.is_gone && !f.is_new && !f.is_hold);
	assert_int_equal(f.part, REPO_SEAL);
	assert_string_equal(f.name, "a-1");
}

static void
a_marker_is_recognised(void **state)
{
	struct repo_file f;

	(void)state;
	assert_true(repo_file_parse("a-1.hold", &f));
	assert_true(f.is_hold && !f.is_new && !f.is_gone);
	assert_string_equal(f.name, "a-1");
	assert_true(repo_file_parse(".a-1.hold.new", &f));
	assert_true(f.is_hold && f.is_new && !f.is_gone);
	assert_string_equal(f.name, "a-1");
	/* Backups with odd names. */
	assert_true(repo_file_parse("a.seal.hold", &f) && f.is_hold);
	assert_string_equal(f.name, "a.seal");
	assert_true(repo_file_parse("a.hold.seal", &f) && !f.is_hold && f.part == REPO_SEAL);
	assert_string_equal(f.name, "a.hold");
	assert_true(repo_file_parse(".a.gone.seal.gone", &f) && f.is_gone);
	assert_string_equal(f.name, "a.gone");
}

static void
other_names_are_not_ours(void **state)
{
	static const char *const others[] = {".", "..", "", ".lock", "lost+found",
	    "catalog.sqlite3", "catalog.sqlite3-journal", ".a.tar.gz.swp", "a.seal.gone",
	    ".a.tar.gz.gone", ".a.manifest.gz.gone", ".a.gone", ".a.hold.gone", ".a.seal.gone.new",
	    ".seal.gone", "..a.seal.gone", ".a.hold", "a.hold.new", ".hold", ".hold.new", "-a.hold",
	    "a b.hold", ".gone", ".a.seal.new.swp", ".a.tar.gz", "a.tar.gz.new", "a.tar", ".tar.gz",
	    ".seal", ".tar.gz.new", ".new", "a b.tar.gz", "-a.seal", "a/b.seal", ".#a.seal",
	    "a.seal~", "..a.seal.new", "a.sealx"};
	struct repo_file f;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (repo_file_parse(others[i], &f))
			fail_msg("\"%s\" was taken for ours", others[i]);
}

static void
the_longest_name_fits_and_a_longer_one_is_none(void **state)
{
	char file[512], made[REPO_FILE_MAX];
	struct repo_file f;

	(void)state;
	memset(file, 'x', sizeof(file));
	(void)strcpy(file + SEAL_NAME_MAX, ".manifest.gz");
	assert_true(repo_file_parse(file, &f));
	repo_new_name(REPO_MANIFEST, f.name, made);
	assert_int_equal(strlen(made), SEAL_NAME_MAX + strlen("..manifest.gz.new"));
	assert_true(repo_file_parse(made, &f));
	memset(file, 'x', sizeof(file));
	(void)strcpy(file + SEAL_NAME_MAX + 1, ".seal");
	assert_false(repo_file_parse(file, &f));
	(void)strcpy(file + SEAL_NAME_MAX + 1, ".hold");
	assert_false(repo_file_parse(file, &f));
	(void)strcpy(file + SEAL_NAME_MAX, ".hold");
	assert_true(repo_file_parse(file, &f));
}

static void
a_name_goes_to_a_file_name_and_back(void **state)
{
	char file[REPO_FILE_MAX];
	struct buf b = {0};
	struct repo_file f;

	(void)state;
	for (int part = 0; part < REPO_PARTS; part++) {
		repo_new_name((enum repo_part)part, "n-1.x", file);
		assert_true(repo_file_parse(file, &f) && f.is_new && (int)f.part == part);
		repo_final_name((enum repo_part)part, "n-1.x", file);
		assert_true(repo_file_parse(file, &f) && !f.is_new && (int)f.part == part);
		buf_clear(&b);
		buf_puts(&b, "dir/");
		repo_part_name((enum repo_part)part, "n-1.x", &b);
		assert_memory_equal(buf_str(&b), "dir/", 4);
		assert_string_equal(buf_str(&b) + 4, file);
	}
	repo_gone_name("n-1.x", file);
	assert_true(repo_file_parse(file, &f) && f.is_gone);
	assert_string_equal(f.name, "n-1.x");
	repo_hold_name("n-1.x", file);
	assert_true(repo_file_parse(file, &f) && f.is_hold && !f.is_new);
	assert_string_equal(f.name, "n-1.x");
	repo_hold_new_name("n-1.x", file);
	assert_true(repo_file_parse(file, &f) && f.is_hold && f.is_new);
	assert_string_equal(f.name, "n-1.x");
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finished_parts_are_recognised),
	    cmocka_unit_test(parts_in_progress_are_recognised),
	    cmocka_unit_test(a_seal_that_is_being_pruned_is_recognised),
	    cmocka_unit_test(a_marker_is_recognised),
	    cmocka_unit_test(other_names_are_not_ours),
	    cmocka_unit_test(the_longest_name_fits_and_a_longer_one_is_none),
	    cmocka_unit_test(a_name_goes_to_a_file_name_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
