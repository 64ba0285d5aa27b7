/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/err.h"
#include "core/io.h"
#include "tests/unit/catalog_fixture.h"

/* What test_catalog_history.c does not meet, or does not measure. */

enum { FILES = 3000 };

struct world {
	struct cf f;
	struct catalog *c;
	struct cf_entry many[FILES + 1];
	char paths[FILES][16];
};

static void
sync_now(struct world *w)
{
	struct repo_list l;
	struct err e = {0};

	cf_list(&w->f, &l);
	if ((w->c == NULL && catalog_open_write(&w->c, w->f.repo, &e) != 0) ||
	    catalog_sync(w->c, w->f.repo, &l, &e) != 0)
		fail_msg("%s", e.msg);
	repo_list_done(&l);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	cf_setup(&w->f);
	w->many[0] = (struct cf_entry)D("");
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(w->paths[i], sizeof(w->paths[i]), "file%05u", i);
		w->many[i + 1] = (struct cf_entry)F(w->paths[i], 1);
	}
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	catalog_close(w->c);
	cf_teardown(&w->f);
	free(w);
	return 0;
}

static void
prune(struct world *w, const char *name)
{
	struct err e = {0};

	if (repo_prune(w->f.repo, name, &e) != 0)
		fail_msg("%s", e.msg);
}

static int64_t
number(struct world *w, const char *sql)
{
	struct err e = {0};
	int64_t value = -1;

	if (catalog_db_int(w->c, sql, &value, &e) < 0)
		fail_msg("%s", e.msg);
	return value;
}

static void
run(struct world *w, const char *sql)
{
	struct err e = {0};

	if (catalog_db_exec(w->c, sql, &e) != 0)
		fail_msg("%s: %s", sql, e.msg);
}

/* ---- what becomes one ---- */

static const struct cf_entry with[] = {D(""), F("a", 1), F("b", 2)};
static const struct cf_entry without[] = {D(""), F("b", 2)};

static void
three_nights(struct world *w, char name[SEAL_NAME_MAX + 1])
{
	cf_backup(&w->f, &(struct cf_opts){.sequence = 1}, with, N(with), NULL);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 2}, without, N(without), name);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 3}, with, N(with), NULL);
	sync_now(w);
	assert_int_equal(number(w, "SELECT count(*) FROM version WHERE path = x'61'"), 2);
}

static void
what_was_the_same_before_and_after_becomes_one(void **state)
{
	struct world *w = *state;
	char name[SEAL_NAME_MAX + 1];

	three_nights(w, name);
	prune(w, name);
	sync_now(w);
	assert_int_equal(number(w, "SELECT count(*) FROM version WHERE path = x'61'"), 1);
	assert_int_equal(
	    number(w, "SELECT first = 0 AND last IS NULL FROM version WHERE path = x'61'"), 1);
}

static void
one_other_fact_keeps_versions_apart(void **state)
{
	static const char *const others[] = {"type = 112", "mode = 1", "uid = 1", "gid = 1",
	    "size = 7", "mtime_sec = 1", "mtime_nsec = 1", "flags = 1", "rdev = 5", "link = x'61'",
	    "sha256 = zeroblob(32)", "sha256 = NULL", "xattrs = zeroblob(32)"};
	struct world *w = *state;
	char name[SEAL_NAME_MAX + 1], sql[128];

	for (size_t i = 0; i < N(others); i++) {
		three_nights(w, name);
		(void)snprintf(sql, sizeof(sql),
		    "UPDATE version SET %s WHERE path = x'61' AND first = 3", others[i]);
		run(w, sql);
		prune(w, name);
		sync_now(w);
		if (number(w, "SELECT count(*) FROM version WHERE path = x'61'") != 2)
			fail_msg("became one in spite of %s", others[i]);
		catalog_close(w->c);
		w->c = NULL;
		cf_teardown(&w->f);
		cf_setup(&w->f);
	}
}

/* ---- what it costs ---- */

static int
count_steps(void *ctx)
{
	++*(int *)ctx;
	return 0;
}

/* Rows written and steps of SQLite's machine for taking out a backup. */
static void
cost_of(struct world *w, const char *name, int *rows, int *steps)
{
	int before = sqlite3_total_changes(w->c->db);

	*steps = 0;
	prune(w, name);
	sqlite3_progress_handler(w->c->db, 1, count_steps, steps);
	sync_now(w);
	*rows = sqlite3_total_changes(w->c->db) - before;
	catalog_db_moved(w->c);
}

static void
a_backup_that_goes_costs_what_changed(void **state)
{
	struct world *w = *state;
	char names[6][SEAL_NAME_MAX + 1];
	int rows, steps;

	/* Half of the files change in the second and third night, so that there are many closed
	 * ends elsewhere; between the fourth, fifth and sixth only a few do. */
	for (unsigned night = 1; night <= 6; night++) {
		for (unsigned i = 1; i <= (night == 2 || night == 3 ? FILES / 2 : 5); i++)
			w->many[i].version = night;
		cf_backup(&w->f, &(struct cf_opts){.sequence = night, .no_cuts = true}, w->many,
		    N(w->many), names[night - 1]);
	}
	sync_now(w);
	cost_of(w, names[4], &rows, &steps); /* in the middle */
	assert_true(rows < 30);
	assert_true(steps < 3000);
	cost_of(w, names[5], &rows, &steps); /* the newest */
	assert_true(rows < 30);
	assert_true(steps < 3000);
	/* And where much changed, it costs more: that is what the figures above are worth. */
	cost_of(w, names[0], &rows, &steps);
	assert_true(rows > FILES / 2);
	assert_true(steps > 10 * FILES);
	prune(w, names[1]);
	sync_now(w);
	cost_of(w, names[2], &rows, &steps); /* the oldest */
	assert_true(rows < 30);
	assert_true(steps < 3000);
}

/* ---- files that lie ---- */

static void
rows_that_do_not_fit_are_made_anew(void **state)
{
	struct world *w = *state;
	char name[SEAL_NAME_MAX + 1];

	cf_backup(&w->f, &(struct cf_opts){.sequence = 1}, with, N(with), name);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 2}, with, N(with), NULL);
	sync_now(w);
	/* One that would have the other's key when the first backup goes. */
	run(w,
	    "INSERT INTO version SELECT series, path, 2, NULL, type, mode, uid, gid, size,"
	    " mtime_sec, mtime_nsec, flags, rdev, link, sha256, xattrs FROM version"
	    " WHERE path = x'62'");
	prune(w, name);
	sync_now(w);
	assert_int_equal(number(w, "SELECT count(*) FROM version WHERE path = x'62'"), 1);
}

/* Every interior page of an index: all its children are the first of them. */
static void
turn_in_circles(struct buf *b)
{
	const size_t page = 4096;

	for (size_t root = 1; root < b->len / page; root++) {
		uint8_t *p = b->data + root * page;
		size_t cells = (size_t)p[3] << 8 | p[4];

		if (p[0] != 2)
			continue;
		for (size_t i = 0; i < cells && 12 + 2 * i + 1 < page; i++) {
			size_t at = (size_t)p[12 + 2 * i] << 8 | p[13 + 2 * i];

			if (i == 0)
				memcpy(p + 8, p + at, 4);
			else
				memcpy(p + at, p + 8, 4);
		}
	}
}

static void
a_backup_leaves_pages_that_point_in_circles(void **state)
{
	struct world *w = *state;
	char names[3][SEAL_NAME_MAX + 1];
	struct buf b = {0};
	struct err e = {0};
	FILE *out;

	for (unsigned night = 1; night <= 3; night++) {
		for (unsigned i = 1; i <= FILES; i++)
			w->many[i].version = night;
		cf_backup(&w->f, &(struct cf_opts){.sequence = night}, w->many, N(w->many),
		    names[night - 1]);
	}
	sync_now(w);
	for (int i = 0; i < 3; i++) {
		catalog_close(w->c);
		w->c = NULL;
		buf_clear(&b);
		assert_int_equal(
		    io_read_file(repo_fd(w->f.repo), REPO_CATALOG, 64u << 20, &b, &e), 0);
		turn_in_circles(&b);
		out = fopen(cf_path(&w->f, REPO_CATALOG), "w");
		assert_non_null(out);
		assert_int_equal(fwrite(b.data, 1, b.len, out), b.len);
		assert_int_equal(fclose(out), 0);
		prune(w, names[i == 0 ? 1 : i == 1 ? 0 : 2]); /* the middle, the oldest, the last */
		sync_now(w);
		assert_int_equal(
		    number(w, "SELECT count(*) FROM version"), i == 2 ? 0 : (2 - i) * FILES + 1);
	}
	buf_done(&b);
}

/* ---- sealed anew ---- */

static void
reseal(struct world *w, const char *name, const char *policy)
{
	struct repo_backup b = {0};
	struct err e = {0};

	assert_int_equal(repo_read_seal(w->f.repo, name, w->f.trust, &b, &e), 0);
	assert_int_equal(b.state, REPO_TRUSTED);
	free(b.seal.policy);
	b.seal.policy = strdup(policy);
	if (repo_reseal(w->f.repo, &b.seal, w->f.key, &e) != 0)
		fail_msg("%s", e.msg);
	repo_backup_done(&b);
}

static void
a_rebuild_too_knows_what_was_sealed_anew(void **state)
{
	struct world *w = *state;
	struct catalog_verification v = {.at = 1000, .level = CATALOG_DEEP, .ok = true};
	char name[SEAL_NAME_MAX + 1];
	struct repo_list l;
	struct err e = {0};

	cf_backup(&w->f, &(struct cf_opts){.sequence = 1}, with, N(with), NULL);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 2}, with, N(with), name);
	sync_now(w);
	assert_int_equal(cf_add_verification(w->c, name, &v, &e), 0);
	catalog_close(w->c);
	w->c = NULL;
	reseal(w, name, "keep-last=3");
	cf_list(&w->f, &l);
	assert_int_equal(catalog_rebuild(w->f.repo, &l, &e), 0);
	repo_list_done(&l);
	sync_now(w);
	v.at = 0;
	assert_int_equal(catalog_last_verification(w->c, name, &v, &e), 1);
	assert_int_equal(v.at, 1000);
	assert_int_equal(number(w, "SELECT count(*) FROM verification"), 1);
}

static void
sealed_anew_writes_three_rows_and_reads_no_manifest(void **state)
{
	struct world *w = *state;
	struct catalog_verification v = {.at = 1000, .level = CATALOG_DEEP, .ok = true};
	char name[SEAL_NAME_MAX + 1];
	int before;
	struct err e = {0};

	cf_backup(&w->f, &(struct cf_opts){.sequence = 1}, with, N(with), name);
	sync_now(w);
	assert_int_equal(cf_add_verification(w->c, name, &v, &e), 0);
	v.level = CATALOG_QUICK;
	assert_int_equal(cf_add_verification(w->c, name, &v, &e), 0);
	reseal(w, name, "keep-last=3");
	cf_damage(&w->f, REPO_MANIFEST, name, -10);
	before = sqlite3_total_changes(w->c->db);
	sync_now(w);
	assert_int_equal(sqlite3_total_changes(w->c->db) - before, 3);
	assert_int_equal(number(w, "SELECT readable FROM backup"), 1);
	assert_int_equal(
	    number(w, "SELECT count(*) FROM verification JOIN backup USING (digest)"), 2);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_was_the_same_before_and_after_becomes_one),
	    T(one_other_fact_keeps_versions_apart),
	    T(a_backup_that_goes_costs_what_changed),
	    T(rows_that_do_not_fit_are_made_anew),
	    T(a_backup_leaves_pages_that_point_in_circles),
	    T(a_rebuild_too_knows_what_was_sealed_anew),
	    T(sealed_anew_writes_three_rows_and_reads_no_manifest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
