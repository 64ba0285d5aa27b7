/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/io.h"
#include "seal/key.h"
#include "tests/unit/catalog_fixture.h"

/*
 * Catalogs of older versions as programs of their times made them (tests/data/catalog-N), of the
 * repository in tests/data/format-1.  They had verified the first backup deeply, the second one at
 * level standard.
 */
#define FIRST "autolab-backup-20261123_165113"
#define SECOND "autolab-backup-20261123_165215"

struct world {
	struct cf f;
	struct repo_list l;
	int version;
};

enum { CURRENT = 3 };

static void
bring(struct cf *f, const char *dir, const char *name)
{
	const char *top = getenv("TEST_TOP"); /* tests/run sets it; else we are there */
	struct buf b = {0};
	struct err e = {0};
	char path[4096];
	FILE *out;

	(void)snprintf(
	    path, sizeof(path), "%s/tests/data/%s/%s", top != NULL ? top : ".", dir, name);
	if (io_read_file(AT_FDCWD, path, 1u << 20, &b, &e) != 0)
		fail_msg("%s", e.msg);
	out = fopen(cf_path(f, name), "w");
	assert_non_null(out);
	assert_int_equal(fwrite(b.data, 1, b.len, out), b.len);
	assert_int_equal(fclose(out), 0);
	buf_done(&b);
}

static int
setup(void **state, int version)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = {0};
	char dir[32];

	assert_non_null(w);
	w->version = version;
	(void)snprintf(dir, sizeof(dir), "catalog-%d", version);
	cf_setup(&w->f);
	bring(&w->f, "format-1", FIRST ".tar.gz");
	bring(&w->f, "format-1", FIRST ".manifest.gz");
	bring(&w->f, "format-1", FIRST ".seal");
	bring(&w->f, "format-1", SECOND ".tar.gz");
	bring(&w->f, "format-1", SECOND ".manifest.gz");
	bring(&w->f, "format-1", SECOND ".seal");
	bring(&w->f, "format-1", "key.pub");
	bring(&w->f, dir, REPO_CATALOG);
	if (trust_load(w->f.trust, cf_path(&w->f, "key.pub"), &e) != 0)
		fail_msg("%s", e.msg);
	cf_list(&w->f, &w->l);
	assert_int_equal(w->l.n, 2);
	assert_int_equal(w->l.backups[0].state, REPO_TRUSTED);
	*state = w;
	return 0;
}

static int
setup_1(void **state)
{
	return setup(state, 1);
}

static int
setup_2(void **state)
{
	return setup(state, 2);
}

static int
teardown(void **state)
{
	struct world *w = *state;

	repo_list_done(&w->l);
	cf_teardown(&w->f);
	free(w);
	return 0;
}

/* user_version, out of the file's header. */
static int
version_of(struct world *w)
{
	struct buf b = {0};
	struct err e = {0};
	int version;

	assert_int_equal(io_read_file(repo_fd(w->f.repo), REPO_CATALOG, 1u << 20, &b, &e), 0);
	version = b.data[63];
	buf_done(&b);
	return version;
}

static void
set_version(struct world *w, int version)
{
	char sql[64];
	sqlite3 *db = NULL;

	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", version);
	assert_int_equal(sqlite3_open(cf_path(&w->f, REPO_CATALOG), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
expect_history(struct catalog *c, const char *name, enum catalog_level level)
{
	struct catalog_verification v = {0};
	struct err e = {0};

	assert_int_equal(catalog_last_verification(c, name, &v, &e), 1);
	assert_int_equal(v.level, level);
	assert_true(v.ok);
	assert_true(v.at > 1790000000);
}

static int
note(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)e;
	buf_printf(ctx, "%s %llu-%llu;", v->path, (unsigned long long)v->first_seq,
	    (unsigned long long)v->last_seq);
	return 0;
}

/* A path that changed, one that went, one that stayed. */
static void
expect_answers(struct catalog *c)
{
	static const char *const paths[] = {"logs/app.log", "old", "run.sh"};
	struct buf b = {0};
	struct err e = {0};

	for (size_t i = 0; i < N(paths); i++)
		if (catalog_query(c, &(struct catalog_query){.path = paths[i]}, note, &b, &e) != 0)
			fail_msg("%s", e.msg);
	assert_string_equal(buf_str(&b), "logs/app.log 1-1;logs/app.log 2-2;old 1-1;run.sh 1-2;");
	buf_done(&b);
}

static void
its_history_is_read_and_written_as_it_stands(void **state)
{
	struct world *w = *state;
	const struct catalog_verification v = {
	    .at = 1800000000, .level = CATALOG_QUICK, .ok = true};
	struct catalog *c = NULL;
	struct err e = {0};

	assert_int_equal(catalog_open_history(&c, w->f.repo, &e), 0);
	expect_history(c, FIRST, CATALOG_DEEP);
	expect_history(c, SECOND, CATALOG_STANDARD);
	catalog_close(c);
	assert_int_equal(catalog_open_write(&c, w->f.repo, &e), 0);
	assert_int_equal(cf_add_verification(c, FIRST, &v, &e), 0);
	expect_history(c, FIRST, CATALOG_QUICK);
	catalog_close(c);
	assert_int_equal(version_of(w), w->version);
}

static void
its_spans_are_not_believed(void **state)
{
	struct world *w = *state;
	struct catalog_stats s = {0};
	struct catalog *c = NULL;
	struct buf b = {0};
	struct err e = {0};

	assert_int_equal(catalog_open_write(&c, w->f.repo, &e), 0);
	assert_int_equal(catalog_query(c, &(struct catalog_query){.glob = ""}, note, &b, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	assert_int_equal(b.len, 0);
	err_clear(&e);
	assert_int_equal(catalog_stats_totals(c, NULL, &s, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	err_clear(&e);
	assert_int_equal(catalog_index(c, w->f.repo, &w->l.backups[1].seal, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	catalog_close(c);
	assert_int_equal(version_of(w), w->version);
}

static void
a_sync_builds_it_anew_and_keeps_the_history(void **state)
{
	struct world *w = *state;
	struct catalog *c = NULL;
	struct err e = {0};

	assert_int_equal(catalog_open_write(&c, w->f.repo, &e), 0);
	if (catalog_sync(c, w->f.repo, &w->l, &e) != 0)
		fail_msg("%s", e.msg);
	expect_history(c, FIRST, CATALOG_DEEP);
	expect_history(c, SECOND, CATALOG_STANDARD);
	expect_answers(c);
	catalog_close(c);
	assert_int_equal(version_of(w), CURRENT);
}

static void
a_question_builds_it_anew_where_it_can(void **state)
{
	struct world *w = *state;
	struct catalog *c = NULL;
	struct err e = {0};

	/* We hold the lock ourselves: from the manifests, and the file stays. */
	assert_int_equal(catalog_open_query(&c, w->f.repo, &w->l, &e), 0);
	expect_answers(c);
	catalog_close(c);
	assert_int_equal(version_of(w), w->version);
	cf_reopen(&w->f);
	assert_int_equal(catalog_open_query(&c, w->f.repo, &w->l, &e), 0);
	expect_answers(c);
	expect_history(c, FIRST, CATALOG_DEEP);
	catalog_close(c);
	assert_int_equal(version_of(w), CURRENT);
}

static void
a_rebuild_keeps_the_history_of_what_is_left(void **state)
{
	struct world *w = *state;
	struct catalog_verification v;
	struct catalog *c = NULL;
	struct err e = {0};

	w->l.backups[0].state = REPO_UNTRUSTED;
	assert_int_equal(catalog_rebuild(w->f.repo, &w->l, &e), 0);
	assert_int_equal(catalog_open_history(&c, w->f.repo, &e), 0);
	expect_history(c, SECOND, CATALOG_STANDARD);
	assert_int_equal(catalog_verified(c, w->l.backups[0].seal.text_digest, &v, &e), 0);
	catalog_close(c);
}

/* It knows the newest by the seal that this had before it was sealed anew. */
static void
a_rebuild_knows_what_was_sealed_anew(void **state)
{
	struct world *w = *state;
	struct catalog *c = NULL;
	struct err e = {0};
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(cf_path(&w->f, REPO_CATALOG), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
			     "UPDATE verification SET digest = zeroblob(32) WHERE digest ="
			     " (SELECT digest FROM backup WHERE name = '" SECOND "');"
			     "UPDATE backup SET digest = zeroblob(32) WHERE name = '" SECOND "'",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(catalog_rebuild(w->f.repo, &w->l, &e), 0);
	assert_int_equal(catalog_open_history(&c, w->f.repo, &e), 0);
	expect_history(c, FIRST, CATALOG_DEEP);
	expect_history(c, SECOND, CATALOG_STANDARD);
	catalog_close(c);
}

static void
a_version_that_the_schema_denies_is_damage(void **state)
{
	struct world *w = *state;
	struct catalog *c = NULL;
	struct err e = {0};

	set_version(w, w->version + 1);
	assert_int_equal(catalog_open_history(&c, w->f.repo, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	err_clear(&e);
	set_version(w, 0);
	assert_int_equal(catalog_open_history(&c, w->f.repo, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	err_clear(&e);
	set_version(w, w->version);
	assert_int_equal(catalog_rebuild(w->f.repo, &w->l, &e), 0);
	set_version(w, w->version);
	assert_int_equal(catalog_open_history(&c, w->f.repo, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

#define T(t)                                                                                       \
	cmocka_unit_test_setup_teardown(t, setup_1, teardown),                                     \
	    cmocka_unit_test_setup_teardown(t, setup_2, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(its_history_is_read_and_written_as_it_stands),
	    T(its_spans_are_not_believed),
	    T(a_sync_builds_it_anew_and_keeps_the_history),
	    T(a_question_builds_it_anew_where_it_can),
	    T(a_rebuild_keeps_the_history_of_what_is_left),
	    /* Version 1 cannot tell. */
	    cmocka_unit_test_setup_teardown(
		a_rebuild_knows_what_was_sealed_anew, setup_2, teardown),
	    T(a_version_that_the_schema_denies_is_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
