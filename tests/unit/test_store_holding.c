/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/log.h"
#include "seal/key.h"
#include "store/holding.h"
#include "store/repo.h"
#include "store/retain.h"
#include "tests/unit/child.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX], keys[SCRATCH_MAX];
static struct key *key;
static struct trust *trust;
static struct repo *repo;
static struct repo_list list;
static struct retain_set set;
static struct err e;

static void
look(const struct retain_policy *p)
{
	retain_set_done(&set);
	repo_list_done(&list);
	assert_int_equal(repo_list(repo, trust, &list, &e), 0);
	assert_int_equal(retain_set_make(&set, &list, "s", false, NULL, p, NULL, NULL, &e), 0);
}

/* s-1 to s-4 of one series, of which s-4 holds the others; t-1 of another. */
static int
setup(void **state)
{
	struct seal seals[3];
	const struct seal *const holds[] = {&seals[0], &seals[1], &seals[2], NULL};
	char name[16];

	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_NORMAL);
	scratch_new(dir);
	scratch_new(keys);
	stub_key(keys, "key", &key);
	assert_int_equal(trust_new(&trust, &e), 0);
	assert_int_equal(trust_add_key(trust, key, &e), 0);
	assert_int_equal(repo_open(&repo, dir, &e), 0);
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	for (uint64_t i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "s-%d", (int)i + 1);
		stub_backup(dir, name, &(struct stub){.sequence = i + 1, .key = key}, &seals[i]);
	}
	stub_backup(dir, "s-4", &(struct stub){.sequence = 4, .key = key, .holds = holds}, NULL);
	stub_backup(dir, "t-1", &(struct stub){.series = "t", .sequence = 9, .key = key}, NULL);
	for (size_t i = 0; i < 3; i++)
		seal_done(&seals[i]);
	look(&(struct retain_policy){.last = 2});
	assert_int_equal(set.n, 4);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	retain_set_done(&set);
	repo_list_done(&list);
	repo_close(repo);
	trust_free(trust);
	key_free(key);
	scratch_remove(dir);
	scratch_remove(keys);
	return 0;
}

static const struct repo_backup *
backup(const char *name)
{
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.backups[i].name, name) == 0)
			return &list.backups[i];
	fail_msg("no %s", name);
	return NULL;
}

static void
what_the_rules_keep_is_held_and_the_rules_are_told(void **state)
{
	const struct retain_policy p = {.last = 2, .weekly = 3};
	struct seal s = {0};

	(void)state;
	(void)strcpy(s.name, "s-5");
	assert_int_equal(holding_fill(&s, &set, NULL, &p, &e), 0);
	assert_int_equal(s.n_holds, 2);
	assert_string_equal(s.holds[0].name, "s-3");
	assert_string_equal(s.holds[1].name, "s-4");
	assert_memory_equal(
	    s.holds[0].digest, backup("s-3")->seal.text_digest, sizeof(s.holds[0].digest));
	assert_string_equal(s.policy, "keep-last=2 keep-weekly=3");
	/* Again, and nothing of before is left. */
	assert_int_equal(holding_fill(&s, &set, NULL, &(struct retain_policy){0}, &e), 0);
	assert_int_equal(s.n_holds, 2);
	assert_null(s.policy);
	seal_done(&s);
}

static void
a_seal_does_not_hold_itself_nor_one_that_is_not_there_yet(void **state)
{
	bool goes[4] = {true, false, false, false};
	struct seal s = {0};

	(void)state;
	(void)strcpy(s.name, "s-4");
	set.items[1].backup = NULL; /* as the one that is being made */
	assert_int_equal(holding_fill(&s, &set, goes, &(struct retain_policy){.last = 1}, &e), 0);
	assert_int_equal(s.n_holds, 1);
	assert_ptr_equal(holding_find(&s, "s-3"), holding_at(&s, 3));
	assert_string_equal(holding_at(&s, 3)->name, "s-3");
	assert_null(holding_at(&s, 1));
	assert_null(holding_find(&s, "s-1"));
	assert_null(holding_find(&s, "s-4"));
	seal_done(&s);
}

static void
the_newest_is_sealed_anew_without_those_that_go(void **state)
{
	const struct retain_policy p = {.last = 3};
	bool goes[4] = {true, false, false, false};

	(void)state;
	assert_int_equal(backup("s-4")->seal.n_holds, 3);
	assert_int_equal(holding_reseal(repo, backup("s-4"), &set, goes, &p, key, &e), 0);
	look(&p);
	assert_int_equal(backup("s-4")->state, REPO_TRUSTED);
	assert_int_equal(backup("s-4")->seal.n_holds, 2);
	assert_null(holding_find(&backup("s-4")->seal, "s-1"));
	assert_string_equal(backup("s-4")->seal.policy, "keep-last=3");
	assert_int_equal(backup("s-4")->seal.sequence, 4);
}

static void
a_seal_that_another_put_there_meanwhile_is_not_signed(void **state)
{
	struct buf before = {0}, after = {0};

	(void)state;
	stub_backup(dir, "s-4", &(struct stub){.sequence = 4, .created = 77}, NULL);
	scratch_get(dir, "s-4.seal", &before);
	assert_int_equal(holding_reseal(repo, backup("s-4"), &set, NULL,
			     &(struct retain_policy){.last = 2}, key, &e),
	    -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.msg, "s-4: its seal was changed"));
	scratch_get(dir, "s-4.seal", &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	buf_done(&before);
	buf_done(&after);
	err_clear(&e);
	scratch_puts(dir, "s-4.seal", "no seal\n");
	assert_int_equal(holding_reseal(repo, backup("s-4"), &set, NULL,
			     &(struct retain_policy){.last = 2}, key, &e),
	    -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static int
warn(void *ctx)
{
	unsigned long before = log_warnings();

	(void)ctx;
	holding_warn_gone(&list, backup("s-4"));
	return (int)(log_warnings() - before);
}

static void
what_is_held_and_gone_is_told(void **state)
{
	struct child c;

	(void)state;
	child_run(&c, warn, NULL);
	assert_int_equal(c.status, 0);
	assert_int_equal(repo_prune(repo, "s-2", &e), 0);
	stub_backup(dir, "s-3", &(struct stub){.sequence = 3, .key = key, .created = 5}, NULL);
	look(&(struct retain_policy){.last = 2});
	child_run(&c, warn, NULL);
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "backup s-2, which s-4 holds, is gone or was replaced"));
	assert_non_null(strstr(c.err, "backup s-3, which s-4 holds, is gone or was replaced"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_the_rules_keep_is_held_and_the_rules_are_told),
	    T(a_seal_does_not_hold_itself_nor_one_that_is_not_there_yet),
	    T(the_newest_is_sealed_anew_without_those_that_go),
	    T(a_seal_that_another_put_there_meanwhile_is_not_signed),
	    T(what_is_held_and_gone_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
