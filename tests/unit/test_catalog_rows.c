/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "tests/unit/catalog_fixture.h"

static const struct cf_entry tree[] = {
    {.type = ENTRY_DIR, .path = ""},
    {.type = ENTRY_FILE, .path = "a", .version = 1},
    {.type = ENTRY_HARDLINK, .path = "b", .link = "a"},
    {.type = ENTRY_SYMLINK, .path = "c", .link = "x"},
};

static int
setup(void **state)
{
	struct cf *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	cf_setup(f);
	cf_backup(f, &(struct cf_opts){.sequence = 1}, tree, N(tree), NULL);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	cf_teardown(*state);
	free(*state);
	return 0;
}

static void
sql(struct cf *f, const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(cf_path(f, REPO_CATALOG), &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int
count(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)v;
	(void)e;
	++*(int *)ctx;
	return 0;
}

/* All versions, from the catalog as it stands: their number, or -1. */
static int
ask(struct cf *f, struct err *e)
{
	struct catalog *c = NULL;
	int n = 0, rc;

	if (catalog_open_history(&c, f->repo, e) != 0)
		return -1;
	rc = catalog_query(c, &(struct catalog_query){.glob = ""}, count, &n, e);
	catalog_close(c);
	return rc == 0 ? n : -1;
}

static void
rebuild(struct cf *f)
{
	struct repo_list l;
	struct err e = {0};

	cf_list(f, &l);
	if (catalog_rebuild(f->repo, &l, &e) != 0)
		fail_msg("%s", e.msg);
	repo_list_done(&l);
}

static void
values_that_no_index_could_have_written_are_damage(void **state)
{
	static const char *const lies[] = {
	    "SET mode = -1 WHERE path = x'61'",
	    "SET mode = 'rwx' WHERE path = x'61'",
	    "SET mode = 1.5",
	    "SET uid = 4294967296",
	    "SET gid = -1",
	    "SET mtime_nsec = 1000000000",
	    "SET size = 'big'",
	    "SET type = 0",
	    "SET type = 120",
	    "SET type = 1000",
	    "SET flags = 8",
	    "SET first = 1 WHERE path = x'61'", /* the oldest is 0 */
	    "SET first = 2 WHERE path = x'61'", /* no backup */
	    "SET first = -5 WHERE path = x'61'",
	    "SET last = 1 WHERE path = x'61'", /* the newest is NULL */
	    "SET last = 2 WHERE path = x'61'",
	    "SET last = -1 WHERE path = x'61'",
	    "SET last = 0",
	    "SET last = 9223372036854775807",
	    "SET path = x'6100' WHERE path = x'61'",
	    "SET path = x'2e2e' WHERE path = x'61'",
	    "SET path = x'612f62' WHERE path = x'61'",
	    "SET sha256 = x'00' WHERE path = x'61'",
	    "SET sha256 = 'text' WHERE path = x'61'",
	    "SET link = NULL WHERE path = x'63'",
	    "SET link = x'780079' WHERE path = x'63'",
	    "SET link = x'78' WHERE path = x'61'",
	    "SET link = x'2e2e2f61' WHERE path = x'62'",
	};
	struct cf *f = *state;
	char text[256];
	struct err e;

	rebuild(f);
	err_clear(&e);
	assert_int_equal(ask(f, &e), N(tree));
	for (size_t i = 0; i < N(lies); i++) {
		(void)snprintf(text, sizeof(text), "UPDATE version %s", lies[i]);
		sql(f, text);
		err_clear(&e);
		if (ask(f, &e) != -1)
			fail_msg("believed: %s", lies[i]);
		assert_int_equal(e.kind, ERR_CORRUPT);
		rebuild(f);
	}
}

static void
a_value_too_long_for_memory_is_damage(void **state)
{
	struct cf *f = *state;
	struct err e = {0};

	rebuild(f);
	sql(f, "UPDATE version SET link = zeroblob(100000000) WHERE path = x'63'");
	assert_int_equal(ask(f, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void
a_hard_link_whose_target_is_not_told_of_has_no_digest(void **state)
{
	struct cf *f = *state;
	struct err e = {0};

	rebuild(f);
	sql(f, "DELETE FROM version WHERE path = x'61'");
	assert_int_equal(ask(f, &e), N(tree) - 1);
	sql(f, "UPDATE version SET link = x'62' WHERE path = x'62'"); /* itself */
	assert_int_equal(ask(f, &e), N(tree) - 1);
}

static void
backups_that_no_index_could_have_written_are_damage(void **state)
{
	static const char *const lies[] = {
	    "UPDATE backup SET digest = x'00'",
	    "UPDATE backup SET name = '../x'",
	    "UPDATE backup SET sequence = -1",
	    "UPDATE series SET name = ''",
	    "UPDATE backup SET name = x'00'",
	};
	struct cf *f = *state;
	struct err e;

	for (size_t i = 0; i < N(lies); i++) {
		rebuild(f);
		sql(f, lies[i]);
		err_clear(&e);
		if (ask(f, &e) != -1)
			fail_msg("believed: %s", lies[i]);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(values_that_no_index_could_have_written_are_damage),
	    T(a_value_too_long_for_memory_is_damage),
	    T(a_hard_link_whose_target_is_not_told_of_has_no_digest),
	    T(backups_that_no_index_could_have_written_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
