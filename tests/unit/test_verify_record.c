/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/log.h"
#include "tests/unit/catalog_fixture.h"
#include "tests/unit/unit.h"
#include "verify/opts.h"
#include "verify/record.h"

/* Two backups; the fixture's handle is another program, verify has its own. */
static struct cf f;
static struct repo *mine;
static struct repo_list list;
static struct verify_record rec;
static struct err e;

static int
setup(void **state)
{
	static const struct cf_entry tree[] = {D(""), F("a", 1)};

	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_QUIET);
	cf_setup(&f);
	cf_backup(&f, &(struct cf_opts){.sequence = 1}, tree, N(tree), NULL);
	cf_backup(&f, &(struct cf_opts){.sequence = 2}, tree, N(tree), NULL);
	catalog_close(cf_synced(&f));
	cf_list(&f, &list);
	repo_unlock(f.repo);
	assert_int_equal(repo_open(&mine, f.dir, &e), 0);
	return verify_record_begin(&rec, mine, list.n, false, &e);
}

static int
teardown(void **state)
{
	(void)state;
	verify_record_done(&rec);
	repo_close(mine);
	repo_list_done(&list);
	cf_teardown(&f);
	return 0;
}

static void
add(size_t i, bool ok)
{
	verify_record_add(&rec,
	    &(struct verify_result){
		.backup = &list.backups[i], .level = VERIFY_STANDARD, .at = 1000, .ok = ok});
}

/* 1: noted as well, 0: as damaged, -1: not. */
static int
noted(size_t i)
{
	struct catalog_verification v;
	struct catalog *c;

	assert_int_equal(catalog_open_history(&c, mine, &e), 0);
	int rc = catalog_checked(c, list.backups[i].seal.text_digest, CATALOG_STANDARD, &v, &e);
	catalog_close(c);
	return rc == 1 ? v.ok : -1;
}

static void
each_is_noted_at_once_and_the_lock_given_back(void **state)
{
	(void)state;
	add(0, true);
	assert_int_equal(noted(0), 1);
	assert_int_equal(repo_lock(f.repo, 0, &e), 0);
	repo_unlock(f.repo);
	add(1, false);
	assert_int_equal(noted(1), 0);
	assert_int_equal(rec.n, 0);
}

static void
what_meets_a_lock_comes_with_the_next(void **state)
{
	(void)state;
	assert_int_equal(repo_lock(f.repo, 0, &e), 0);
	add(0, true);
	assert_int_equal(noted(0), -1);
	assert_int_equal(rec.why.kind, ERR_LOCKED);
	repo_unlock(f.repo);
	add(1, true);
	assert_int_equal(noted(0), 1);
	assert_int_equal(noted(1), 1);
	assert_int_equal(rec.n, 0);
}

static void
or_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(repo_lock(f.repo, 0, &e), 0);
	add(0, true);
	add(1, true);
	assert_int_equal(rec.n, 2);
	repo_unlock(f.repo);
	verify_record_end(&rec);
	assert_int_equal(noted(0), 1);
	assert_int_equal(noted(1), 1);
}

static void
no_catalog_is_made_for_it(void **state)
{
	(void)state;
	assert_int_equal(unlink(cf_path(&f, REPO_CATALOG)), 0);
	add(0, true);
	verify_record_end(&rec);
	assert_int_equal(access(cf_path(&f, REPO_CATALOG), F_OK), -1);
	assert_int_equal(verify_record_check(mine, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_non_null(strstr(e.msg, "manifest rebuild"));
	assert_int_equal(access(cf_path(&f, REPO_CATALOG), F_OK), -1);
}

static void
that_it_can_be_done_is_known_beforehand(void **state)
{
	(void)state;
	assert_int_equal(verify_record_check(mine, &e), 0);
	assert_int_equal(repo_lock(f.repo, 0, &e), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(each_is_noted_at_once_and_the_lock_given_back),
	    T(what_meets_a_lock_comes_with_the_next),
	    T(or_at_the_end),
	    T(no_catalog_is_made_for_it),
	    T(that_it_can_be_done_is_known_beforehand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
