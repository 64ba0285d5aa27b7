/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/older.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"
#include "pack/reuse.h"
#include "seal/key.h"
#include "store/repo.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

/* Backups in one repository, and which of them a new one is copied from. */
static char dir[SCRATCH_MAX], keys[SCRATCH_MAX];
static struct key *key, *other;
static struct trust *trust;
static struct repo *repo;
static struct repo_list list;
static struct seal new;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	scratch_new(keys);
	stub_key(keys, "key", &key);
	stub_key(keys, "other", &other);
	new = (struct seal){.sequence = 100, .created.tv_sec = 5000};
	(void)strcpy(new.series, "s");
	new.packer = strdup("libdeflate 9.9 level 6");
	if (trust_new(&trust, &e) != 0 || trust_add_key(trust, key, &e) != 0)
		return -1;
	return repo_open(&repo, dir, &e);
}

static int
teardown(void **state)
{
	(void)state;
	seal_done(&new);
	repo_list_done(&list);
	repo_close(repo);
	trust_free(trust);
	key_free(key);
	key_free(other);
	scratch_remove(dir);
	scratch_remove(keys);
	return 0;
}

struct old {
	const char *series, *packer; /* NULL: the usual ones */
	int64_t created;
	bool is_unsigned;
	const struct key *by;
};

/* s-N: the Nth of the series. */
static void
put(unsigned n, struct old o)
{
	struct entry root = made_dir("");
	struct made m;
	char name[32];

	(void)snprintf(name, sizeof(name), "s-2026020%u_000005", n);
	made_begin(&m, dir, name);
	(void)snprintf(
	    m.seal.series, sizeof(m.seal.series), "%s", o.series == NULL ? "s" : o.series);
	m.seal.sequence = n;
	if (o.created != 0)
		m.seal.created.tv_sec = o.created;
	free(m.seal.packer);
	m.seal.packer = strdup(o.packer == NULL ? "libdeflate 1.14 level 6" : o.packer);
	made_both(&m, &root, NULL);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_end(&m, o.is_unsigned ? NULL : o.by != NULL ? o.by : key);
}

/* The number of the one that is copied from, and whether by stat; 0: none. */
static unsigned
from(enum older_mode mode, bool *by_stat)
{
	struct manifest_member member = {.has_key = true};
	uint8_t same[SHA256_LEN] = {0};
	struct reuse *r;
	unsigned n = 0;

	repo_list_done(&list);
	assert_int_equal(repo_list(repo, trust, &list, &e), 0);
	assert_int_equal(older_open(&r, repo, &list, &new, mode, &e), 0);
	if (r == NULL)
		return 0;
	assert_int_equal(sscanf(reuse_name(r), "s-2026020%u_", &n), 1);
	*by_stat = reuse_judge(r, &member, same, "a", 1, 0) != REUSE_CONTENT;
	reuse_free(r);
	return n;
}

static void
is_from(unsigned n, bool want_stat)
{
	bool by_stat = false;

	assert_int_equal(from(OLDER_STAT, &by_stat), n);
	assert_int_equal(by_stat, want_stat);
}

static void
hurt(unsigned n, const char *suffix)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "s-2026020%u_000005%s", n, suffix);
	scratch_puts(dir, name, "something else");
}

static void
the_newest_of_the_series_is_copied_from(void **state)
{
	(void)state;
	is_from(0, false);
	put(1, (struct old){0});
	put(2, (struct old){0});
	put(3, (struct old){.series = "t"});
	is_from(2, true);
}

static void
the_mode_decides_how(void **state)
{
	bool by_stat = true;

	(void)state;
	put(1, (struct old){0});
	assert_int_equal(from(OLDER_CONTENT, &by_stat), 1);
	assert_false(by_stat);
	assert_int_equal(from(OLDER_NONE, &by_stat), 0);
}

static void
what_is_not_trusted_is_passed_over(void **state)
{
	(void)state;
	put(1, (struct old){0});
	put(2, (struct old){.by = other});
	put(3, (struct old){.is_unsigned = true});
	is_from(1, true);
	assert_int_equal(trust_add_key(trust, other, &e), 0);
	is_from(2, true);
}

static void
what_was_packed_at_another_level_is_passed_over(void **state)
{
	(void)state;
	put(1, (struct old){0});
	put(2, (struct old){.packer = "libdeflate 1.14 level 1"});
	put(3, (struct old){.packer = "libdeflate 1.14 level 66"});
	put(4, (struct old){.packer = "libdeflate"});
	is_from(1, true);
}

static void
what_is_damaged_is_told_and_passed_over(void **state)
{
	(void)state;
	put(1, (struct old){0});
	put(2, (struct old){0});
	put(3, (struct old){0});
	put(4, (struct old){0});
	hurt(4, ".tar.gz");
	hurt(3, ".manifest.gz");
	char path[SCRATCH_MAX + 64];
	(void)snprintf(path, sizeof(path), "%s/s-20260202_000005.tar.gz", dir);
	assert_int_equal(unlink(path), 0);
	is_from(1, true);
}

static void
a_clock_that_ran_backwards_makes_no_stat_key_count(void **state)
{
	(void)state;
	put(1, (struct old){.created = 5000});
	is_from(1, true); /* at the same moment is not after it */
	put(2, (struct old){.created = 5001});
	is_from(2, false);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_newest_of_the_series_is_copied_from),
	    T(the_mode_decides_how),
	    T(what_is_not_trusted_is_passed_over),
	    T(what_was_packed_at_another_level_is_passed_over),
	    T(what_is_damaged_is_told_and_passed_over),
	    T(a_clock_that_ran_backwards_makes_no_stat_key_count),
	};

	log_init("test", LOG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
