/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "catalog/catalog.h"
#include "catalog/proven.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/log.h"
#include "tests/unit/catalog_fixture.h"
#include "tests/unit/unit.h"

static struct cf f;
static char name[SEAL_NAME_MAX + 1];
static uint8_t digest[SHA256_LEN];
static struct err e;

/* One backup, in the catalog. */
static int
setup(void **state)
{
	static const struct cf_entry tree[] = {D(""), F("a", 1)};
	struct repo_list l = {0};
	struct catalog *c;

	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_QUIET);
	cf_setup(&f);
	cf_backup(&f, &(struct cf_opts){.sequence = 1}, tree, N(tree), name);
	cf_list(&f, &l);
	memcpy(digest, l.backups[0].seal.text_digest, sizeof(digest));
	assert_int_equal(catalog_open_write(&c, f.repo, &e), 0);
	assert_int_equal(catalog_sync(c, f.repo, &l, &e), 0);
	catalog_close(c);
	repo_list_done(&l);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cf_teardown(&f);
	return 0;
}

static void
found(time_t at, enum catalog_level level, bool ok)
{
	struct catalog_verification v = {.at = at, .level = level, .ok = ok};
	struct catalog *c;

	assert_int_equal(catalog_open_write(&c, f.repo, &e), 0);
	assert_int_equal(cf_add_verification(c, name, &v, &e), 0);
	catalog_close(c);
}

static int
proven(void)
{
	struct catalog *c = proven_open(f.repo);

	assert_non_null(c);
	int rc = proven_backup(c, digest, &e);
	catalog_close(c);
	return rc;
}

static void
bytes_have_to_be_looked_at(void **state)
{
	(void)state;
	assert_int_equal(proven(), 0);
	found(1000, CATALOG_QUICK, true);
	assert_int_equal(proven(), 0);
	found(2000, CATALOG_STANDARD, true);
	assert_int_equal(proven(), 1);
}

static void
a_quick_look_takes_nothing_back(void **state)
{
	(void)state;
	found(1000, CATALOG_DEEP, true);
	found(2000, CATALOG_QUICK, true);
	assert_int_equal(proven(), 1);
}

static void
the_last_word_counts_and_of_two_at_once_the_bad_one(void **state)
{
	(void)state;
	found(1000, CATALOG_STANDARD, true);
	found(2000, CATALOG_QUICK, false);
	assert_int_equal(proven(), 0);
	found(3000, CATALOG_STANDARD, true);
	assert_int_equal(proven(), 1);
	found(3000, CATALOG_DEEP, false);
	assert_int_equal(proven(), 0);
}

static void
a_good_word_from_the_future_is_the_first_one(void **state)
{
	const time_t future = clock_now().tv_sec + 1000000;

	(void)state;
	found(future, CATALOG_STANDARD, true);
	assert_int_equal(proven(), 1);
	found(1000, CATALOG_STANDARD, false);
	assert_int_equal(proven(), 0);
	found(2000, CATALOG_STANDARD, true);
	assert_int_equal(proven(), 1);
	/* A bad one from there is believed: to keep one more costs only room. */
	found(future, CATALOG_DEEP, false);
	assert_int_equal(proven(), 0);
}

static void
another_seal_of_the_same_name_is_not_proven(void **state)
{
	(void)state;
	found(1000, CATALOG_STANDARD, true);
	digest[0] ^= 1;
	assert_int_equal(proven(), 0);
}

static void
without_a_catalog_nothing_is_proven_and_nothing_fails(void **state)
{
	(void)state;
	found(1000, CATALOG_STANDARD, true);
	assert_int_equal(proven_backup(NULL, digest, &e), 0);
	assert_int_equal(unlink(cf_path(&f, REPO_CATALOG)), 0);
	assert_null(proven_open(f.repo));
	assert_false(proven_is_behind(f.repo, digest));
	FILE *garbage = fopen(cf_path(&f, REPO_CATALOG), "w");
	assert_non_null(garbage);
	assert_true(fputs("garbage", garbage) >= 0);
	assert_int_equal(fclose(garbage), 0);
	assert_null(proven_open(f.repo));
	assert_false(proven_is_behind(f.repo, digest));
	assert_int_equal(e.kind, ERR_NONE);
}

static void
a_catalog_is_behind_when_it_lacks_the_seal(void **state)
{
	(void)state;
	assert_false(proven_is_behind(f.repo, digest));
	digest[0] ^= 1;
	assert_true(proven_is_behind(f.repo, digest));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(bytes_have_to_be_looked_at),
	    T(a_quick_look_takes_nothing_back),
	    T(the_last_word_counts_and_of_two_at_once_the_bad_one),
	    T(a_good_word_from_the_future_is_the_first_one),
	    T(another_seal_of_the_same_name_is_not_proven),
	    T(without_a_catalog_nothing_is_proven_and_nothing_fails),
	    T(a_catalog_is_behind_when_it_lacks_the_seal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
