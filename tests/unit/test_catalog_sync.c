/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "seal/key.h"
#include "tests/unit/catalog_fixture.h"

static const struct cf_entry odd[] = {D(""), F("a", 1), F("b", 2)};
static const struct cf_entry even[] = {D(""), F("a", 5), F("b", 2), F("c", 3)};

struct world {
	struct cf f;
	char names[3][SEAL_NAME_MAX + 1];
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	cf_setup(&w->f);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 1}, odd, N(odd), w->names[0]);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 2}, even, N(even), w->names[1]);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 3}, odd, N(odd), w->names[2]);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cf_teardown(&w->f);
	free(w);
	return 0;
}

static void
expect(struct catalog *c, const char *glob, const char *want)
{
	struct buf b = {0};
	struct err e = {0};

	if (catalog_query(c, &(struct catalog_query){.glob = glob}, cf_note, &b, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void
a_backup_that_went_away_leaves_the_catalog(void **state)
{
	struct world *w = *state;
	struct catalog *c = cf_synced(&w->f);

	expect(c, "?", "a 1-1/1;a 2-2/1;a 3-3/1;b 1-3/3;c 2-2/1;");
	catalog_close(c);
	cf_remove(&w->f, w->names[1]);
	c = cf_synced(&w->f);
	expect(c, "?", "a 1-3/2;b 1-3/2;");
	catalog_close(c);
	cf_remove(&w->f, w->names[0]);
	c = cf_synced(&w->f);
	expect(c, "?", "a 3-3/1;b 3-3/1;");
	catalog_close(c);
	cf_remove(&w->f, w->names[2]);
	c = cf_synced(&w->f);
	expect(c, "?", "");
	catalog_close(c);
}

static void
the_handle_is_good_after_a_sync_that_built_anew(void **state)
{
	struct world *w = *state;
	struct catalog *c = cf_synced(&w->f);
	struct repo_list l;
	struct err e = {0};
	struct catalog_verification v = {.at = 1000, .level = CATALOG_DEEP, .ok = true}, last;

	cf_remove(&w->f, w->names[0]);
	cf_list(&w->f, &l);
	assert_int_equal(catalog_sync(c, w->f.repo, &l, &e), 0);
	repo_list_done(&l);
	assert_int_equal(cf_add_verification(c, w->names[1], &v, &e), 0);
	catalog_close(c);
	c = cf_synced(&w->f);
	assert_int_equal(catalog_last_verification(c, w->names[1], &last, &e), 1);
	assert_int_equal(last.at, 1000);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 4}, odd, N(odd), NULL);
	cf_list(&w->f, &l);
	assert_int_equal(catalog_sync(c, w->f.repo, &l, &e), 0);
	expect(c, "a", "a 2-2/1;a 3-4/2;");
	repo_list_done(&l);
	catalog_close(c);
}

static void
rebuild_keeps_the_history_of_verifications(void **state)
{
	struct world *w = *state;
	struct catalog *c = cf_synced(&w->f);
	const struct catalog_verification good = {
	    .at = 1000, .level = CATALOG_STANDARD, .ok = true};
	const struct catalog_verification bad = {.at = 2000, .level = CATALOG_DEEP, .ok = false};
	struct catalog_verification v;
	struct repo_list l;
	struct err e = {0};

	assert_int_equal(catalog_last_verification(c, w->names[0], &v, &e), 0);
	assert_int_equal(cf_add_verification(c, w->names[0], &good, &e), 0);
	assert_int_equal(cf_add_verification(c, w->names[0], &bad, &e), 0);
	assert_int_equal(cf_add_verification(c, w->names[1], &good, &e), 0);
	catalog_close(c);
	cf_list(&w->f, &l);
	assert_int_equal(catalog_rebuild(w->f.repo, &l, &e), 0);
	repo_list_done(&l);
	c = cf_synced(&w->f);
	assert_int_equal(catalog_last_verification(c, w->names[0], &v, &e), 1);
	assert_int_equal(v.at, 2000);
	assert_int_equal(v.level, CATALOG_DEEP);
	assert_false(v.ok);
	assert_int_equal(catalog_last_verification(c, w->names[1], &v, &e), 1);
	assert_true(v.ok);
	assert_int_equal(catalog_last_verification(c, w->names[2], &v, &e), 0);
	assert_int_equal(catalog_last_verification(c, "data-nix", &v, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	catalog_close(c);
}

static void
another_backup_under_an_old_name_does_not_inherit(void **state)
{
	struct world *w = *state;
	struct catalog *c = cf_synced(&w->f);
	struct catalog_verification v = {.at = 1000, .level = CATALOG_DEEP, .ok = true};
	char name[SEAL_NAME_MAX + 1];
	struct err e = {0};

	assert_int_equal(cf_add_verification(c, w->names[2], &v, &e), 0);
	catalog_close(c);
	cf_remove(&w->f, w->names[2]);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 3}, even, N(even), name);
	assert_string_equal(name, w->names[2]);
	c = cf_synced(&w->f);
	expect(c, "a", "a 1-1/1;a 2-3/2;");
	assert_int_equal(catalog_last_verification(c, name, &v, &e), 0);
	catalog_close(c);
}

static void
members_that_other_backups_have_are_counted(void **state)
{
	struct world *w = *state;
	struct catalog *c;
	uint64_t members, shared;
	struct err e = {0};
	const struct cf_entry own[] = {D(""), F("quite", 9), F("alone", 9)};

	cf_backup(&w->f, &(struct cf_opts){.sequence = 4, .no_cuts = true}, own, 1, NULL);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 1, .series = "other", .no_cuts = true}, own,
	    2, NULL);
	c = cf_synced(&w->f);
	assert_int_equal(catalog_stats_shared(c, w->names[0], &members, &shared, &e), 0);
	assert_true(members >= 2);
	assert_int_equal(members, shared);
	assert_int_equal(
	    catalog_stats_shared(c, "other-20260203_024000", &members, &shared, &e), 0);
	assert_int_equal(members, 2);
	assert_int_equal(shared, 1); /* the end */
	assert_int_equal(catalog_stats_shared(c, "nix", &members, &shared, &e), -1);
	catalog_close(c);
}

static void
what_is_not_trusted_is_left_out(void **state)
{
	struct world *w = *state;
	struct catalog *c;
	struct repo_list l;
	struct err e = {0};

	cf_list(&w->f, &l);
	l.backups[1].state = REPO_UNTRUSTED;
	assert_int_equal(catalog_open_write(&c, w->f.repo, &e), 0);
	assert_int_equal(catalog_sync(c, w->f.repo, &l, &e), 0);
	expect(c, "?", "a 1-3/2;b 1-3/2;");
	catalog_close(c);
	/* And whoever trusts more gets a right answer, too. */
	l.backups[1].state = REPO_UNSIGNED;
	assert_int_equal(catalog_open_query(&c, w->f.repo, &l, &e), 0);
	expect(c, "?", "a 1-1/1;a 2-2/1;a 3-3/1;b 1-3/3;c 2-2/1;");
	assert_int_equal(catalog_exclude(c, w->names[1], &e), 0);
	expect(c, "?", "a 1-1/1;a 3-3/1;b 1-3/2;");
	catalog_close(c);
	repo_list_done(&l);
}

static void
of_two_in_one_place_the_trusted_one_counts(void **state)
{
	struct world *w = *state;
	struct catalog *c;

	cf_backup(&w->f, &(struct cf_opts){.sequence = 2, .unsigned_ = true}, odd, N(odd), NULL);
	c = cf_synced(&w->f);
	expect(c, "?", "a 1-1/1;a 2-2/1;a 3-3/1;b 1-3/3;c 2-2/1;");
	catalog_close(c);
}

static void
a_manifest_that_came_back_is_indexed(void **state)
{
	struct world *w = *state;
	struct catalog *c;
	char path[512], away[520];

	(void)snprintf(path, sizeof(path), "%s.manifest.gz", cf_path(&w->f, w->names[1]));
	(void)snprintf(away, sizeof(away), "%s.away", path);
	assert_int_equal(rename(path, away), 0);
	c = cf_synced(&w->f);
	expect(c, "?", "a 1-3/2;b 1-3/2;");
	catalog_close(c);
	assert_int_equal(rename(away, path), 0);
	c = cf_synced(&w->f);
	expect(c, "?", "a 1-1/1;a 2-2/1;a 3-3/1;b 1-3/3;c 2-2/1;");
	catalog_close(c);
}

static void
a_crash_while_a_catalog_is_put_in_place_does_no_harm(void **state)
{
	static const char *const left[] = {
	    ".catalog.sqlite3.new", ".catalog.sqlite3.new-journal", "catalog.sqlite3-journal"};
	struct world *w = *state;
	struct catalog *c = cf_synced(&w->f);
	struct stat st;
	FILE *f;

	catalog_close(c);
	assert_int_equal(unlink(cf_path(&w->f, REPO_CATALOG)), 0);
	for (size_t i = 0; i < N(left); i++) {
		f = fopen(cf_path(&w->f, left[i]), "w");
		assert_non_null(f);
		assert_true(fprintf(f, "left over from before") > 0);
		assert_int_equal(fclose(f), 0);
	}
	c = cf_synced(&w->f);
	expect(c, "?", "a 1-1/1;a 2-2/1;a 3-3/1;b 1-3/3;c 2-2/1;");
	catalog_close(c);
	for (size_t i = 0; i < N(left); i++)
		assert_int_equal(stat(cf_path(&w->f, left[i]), &st), -1);
}

/* A reader who takes his time between two answers, while a backup is indexed. */
struct slow {
	struct world *w;
	int n;
};

static int
index_meanwhile(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct slow *s = ctx;

	(void)v;
	(void)e;
	if (s->n++ == 0) {
		cf_backup(&s->w->f, &(struct cf_opts){.sequence = 4}, even, N(even), NULL);
		catalog_close(cf_synced(&s->w->f));
	}
	return 0;
}

static void
a_slow_reader_does_not_keep_a_backup_out(void **state)
{
	struct world *w = *state;
	struct catalog *c = cf_synced(&w->f);
	struct slow s = {.w = w};
	struct repo_list l;
	struct err e = {0};

	catalog_close(c);
	cf_list(&w->f, &l);
	assert_int_equal(catalog_open_query(&c, w->f.repo, &l, &e), 0);
	assert_int_equal(
	    catalog_query(c, &(struct catalog_query){.glob = "?"}, index_meanwhile, &s, &e), 0);
	assert_int_equal(s.n, 5);
	/* What came meanwhile is not told of. */
	expect(c, "?", "a 1-1/1;a 2-2/1;a 3-3/1;b 1-3/3;c 2-2/1;");
	catalog_close(c);
	repo_list_done(&l);
	c = cf_synced(&w->f);
	expect(c, "?", "a 1-1/1;a 2-2/1;a 3-3/1;a 4-4/1;b 1-4/4;c 2-2/1;c 4-4/1;");
	catalog_close(c);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_backup_that_went_away_leaves_the_catalog),
	    T(the_handle_is_good_after_a_sync_that_built_anew),
	    T(rebuild_keeps_the_history_of_verifications),
	    T(another_backup_under_an_old_name_does_not_inherit),
	    T(members_that_other_backups_have_are_counted),
	    T(what_is_not_trusted_is_left_out),
	    T(of_two_in_one_place_the_trusted_one_counts),
	    T(a_manifest_that_came_back_is_indexed),
	    T(a_crash_while_a_catalog_is_put_in_place_does_no_harm),
	    T(a_slow_reader_does_not_keep_a_backup_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
