/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "restore/bare_dirs.h"
#include "restore/bare_set.h"
#include "tests/unit/entries.h"
#include "tests/unit/unit.h"

static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	return 0;
}

/* ---- paths that were met ---- */

static void
a_set_knows_what_was_added_and_nothing_else(void **state)
{
	struct bare_set s = {0};
	char path[32];

	(void)state;
	assert_false(bare_set_has(&s, ""));
	for (int i = 0; i < 5000; i += 2) {
		(void)snprintf(path, sizeof(path), "dir/%d", i);
		assert_int_equal(bare_set_add(&s, path, &e), 0);
		assert_int_equal(bare_set_add(&s, path, &e), 0);
	}
	assert_int_equal(s.paths.n, 2500);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(path, sizeof(path), "dir/%d", i);
		assert_int_equal(bare_set_has(&s, path), i % 2 == 0);
	}
	assert_false(bare_set_has(&s, ""));
	bare_set_done(&s);
	assert_false(bare_set_has(&s, "dir/0"));
}

static void
no_two_sets_have_the_same_salt(void **state)
{
	struct bare_set a = {0}, b = {0};

	(void)state;
	assert_int_equal(bare_set_add(&a, "x", &e), 0);
	assert_int_equal(bare_set_add(&b, "x", &e), 0);
	assert_memory_not_equal(a.salt, b.salt, sizeof(a.salt));
	bare_set_done(&a);
	bare_set_done(&b);
}

/* ---- directories ---- */

static void
add(struct bare_dirs *d, const char *path, uint32_t mode, bool wanted)
{
	struct entry en = entries_file(path, 0);

	en.type = ENTRY_DIR;
	en.mode = mode;
	assert_int_equal(bare_dirs_add(d, &en, path, wanted, &e), 0);
}

static void
expect_dirs(const struct bare_dirs *d, const char *want)
{
	char have[256] = "";

	for (size_t i = 0; i < d->n; i++) {
		const struct entry *en = &d->v[i].dir.en;
		size_t len = strlen(have);

		(void)snprintf(
		    have + len, sizeof(have) - len, "%s:%o ", en->path, (unsigned)en->mode);
	}
	assert_string_equal(have, want);
}

static void
directories_come_parents_first_and_the_last_of_a_name_counts(void **state)
{
	struct bare_dirs d = {0};

	(void)state;
	bare_dirs_order(&d);
	add(&d, "a/b", 0700, true);
	add(&d, "a-b", 0701, true);
	add(&d, "a", 0702, true);
	add(&d, "a/b", 0703, true);
	add(&d, "", 0704, true);
	add(&d, "a/b", 0705, true);
	add(&d, "a/b/c", 0706, true);
	bare_dirs_order(&d);
	expect_dirs(&d, ":704 a:702 a/b:705 a/b/c:706 a-b:701 ");
	bare_dirs_done(&d);
}

static void
what_is_on_the_way_is_made_up_unless_the_archive_has_it(void **state)
{
	struct bare_dirs d = {0};

	(void)state;
	assert_int_equal(bare_dirs_way(&d, "file", &e), 0);
	assert_int_equal(bare_dirs_way(&d, "a/b/c/file", &e), 0);
	assert_int_equal(bare_dirs_way(&d, "a/b/c/other", &e), 0);
	assert_int_equal(bare_dirs_way(&d, "a/b/file", &e), 0);
	assert_int_equal(bare_dirs_way(&d, "a/bb/file", &e), 0);
	add(&d, "a/b", 0700, true);
	add(&d, "known", 0701, true);
	assert_int_equal(bare_dirs_way(&d, "known/file", &e), 0);
	bare_dirs_order(&d);
	expect_dirs(&d, "a:755 a/b:700 a/b/c:755 a/bb:755 known:701 ");
	assert_false(d.v[0].wanted);
	bare_dirs_done(&d);
}

static bool
is_wanted(void *ctx, const struct bare_dir *d)
{
	(void)ctx;
	return d->wanted;
}

static void
what_is_sifted_out_goes(void **state)
{
	struct bare_dirs d = {0};

	(void)state;
	for (int i = 0; i < 200; i++) {
		char path[16];

		(void)snprintf(path, sizeof(path), "%03d", i);
		add(&d, path, 0755, i % 100 == 0);
	}
	bare_dirs_order(&d);
	bare_dirs_sift(&d, is_wanted, NULL);
	expect_dirs(&d, "000:755 100:755 ");
	bare_dirs_done(&d);
}

static void
directories_without_end_are_refused(void **state)
{
	struct bare_dirs d = {.size = BARE_DIRS_MAX - 100};
	struct entry en = entries_file("d", 0);

	(void)state;
	en.type = ENTRY_DIR;
	assert_int_equal(bare_dirs_add(&d, &en, "d", true, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	bare_dirs_done(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_set_knows_what_was_added_and_nothing_else, setup),
	    cmocka_unit_test_setup(no_two_sets_have_the_same_salt, setup),
	    cmocka_unit_test_setup(
		directories_come_parents_first_and_the_last_of_a_name_counts, setup),
	    cmocka_unit_test_setup(what_is_on_the_way_is_made_up_unless_the_archive_has_it, setup),
	    cmocka_unit_test_setup(what_is_sifted_out_goes, setup),
	    cmocka_unit_test_setup(directories_without_end_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
