/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/log.h"
#include "manifest/prune.h"
#include "seal/key.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX], keys[SCRATCH_MAX];
static struct key *key, *other;
static struct cmd_repo_opts opts;
static struct cmd_repo repo;
static struct prune p;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_QUIET);
	scratch_new(dir);
	scratch_new(keys);
	stub_key(keys, "key", &key);
	stub_key(keys, "other", &other);
	opts = (struct cmd_repo_opts){.repo = dir};
	repo = (struct cmd_repo){.opts = &opts};
	p = (struct prune){.repo = &repo};
	if (trust_new(&repo.trust, &e) != 0 || trust_add_key(repo.trust, key, &e) != 0)
		return -1;
	return repo_open(&repo.repo, dir, &e);
}

static int
teardown(void **state)
{
	(void)state;
	prune_done(&p);
	cmd_repo_done(&repo);
	key_free(key);
	key_free(other);
	scratch_remove(dir);
	scratch_remove(keys);
	return 0;
}

/* s-1 to s-3; s-3 holds s-2 only, as after a pruning that was cut short. */
static void
three(const struct key *k)
{
	struct seal two;
	const struct seal *const holds[] = {&two, NULL};

	stub_backup(dir, "s-1", &(struct stub){.sequence = 1, .key = k}, NULL);
	stub_backup(dir, "s-2", &(struct stub){.sequence = 2, .key = k}, &two);
	stub_backup(dir, "s-3", &(struct stub){.sequence = 3, .key = k, .holds = holds}, NULL);
	seal_done(&two);
}

static void
look(void)
{
	repo_list_done(&repo.list);
	assert_int_equal(repo_list(repo.repo, repo.trust, &repo.list, &e), 0);
}

static void
plan(uint64_t last)
{
	look();
	p.policy.last = last;
	assert_int_equal(prune_rules(&p, &e), 0);
	assert_int_equal(prune_plan(&p, &e), 0);
}

static void
refused(enum err_kind kind, const char *text)
{
	look();
	p.newest = NULL;
	err_clear(&e);
	assert_int_equal(prune_rules(&p, &e), -1);
	assert_int_equal(e.kind, kind);
	if (strstr(e.msg, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, e.msg);
	err_clear(&e);
}

static void
with_a_key_all_goes_that_no_rule_keeps(void **state)
{
	(void)state;
	three(key);
	p.key = key;
	plan(1);
	assert_int_equal(p.n_remove, 2);
	assert_int_equal(p.n_held, 0);
	assert_true(p.needs_seal);
	assert_int_equal(p.fates[0], PRUNE_REMOVE);
	assert_int_equal(p.fates[1], PRUNE_REMOVE);
	assert_int_equal(p.fates[2], PRUNE_KEEP);
	assert_true(p.goes[0] && p.goes[1] && !p.goes[2]);
}

static void
without_one_only_what_the_newest_does_not_hold(void **state)
{
	(void)state;
	three(key);
	plan(1);
	assert_int_equal(p.n_remove, 1);
	assert_int_equal(p.n_held, 1);
	assert_false(p.needs_seal);
	assert_int_equal(p.fates[0], PRUNE_REMOVE);
	assert_int_equal(p.fates[1], PRUNE_HELD);
	assert_false(p.goes[1]);
}

static void
no_new_seal_for_what_is_not_held(void **state)
{
	(void)state;
	three(key);
	p.key = key;
	plan(2);
	assert_int_equal(p.n_remove, 1);
	assert_false(p.needs_seal);
}

static void
an_unsigned_series_needs_no_key_but_a_signed_one_does(void **state)
{
	(void)state;
	three(NULL);
	p.is_unsigned = true;
	plan(1);
	assert_int_equal(p.n_remove, 2);
	assert_true(p.can_seal);
	prune_done(&p);
	/* The newest is signed: its signature is not to be lost. */
	stub_backup(dir, "s-4", &(struct stub){.sequence = 4, .key = key}, NULL);
	p = (struct prune){.repo = &repo, .is_unsigned = true};
	plan(1);
	assert_string_equal(p.newest->name, "s-4");
	assert_false(p.can_seal);
}

static void
what_nobody_vouches_for_does_not_count(void **state)
{
	(void)state;
	refused(ERR_NOTFOUND, "no backup that is signed by a trusted key");
	three(other);
	p.policy.last = 1;
	refused(ERR_NOTFOUND, "no backup that is signed by a trusted key");
	scratch_puts(dir, "s-9.seal", "no seal\n");
	stub_backup(dir, "s-8", &(struct stub){.sequence = 8}, NULL);
	refused(ERR_NOTFOUND, "no backup that is signed by a trusted key");
	stub_backup(dir, "s-7", &(struct stub){.sequence = 7, .key = key}, NULL);
	p.key = key;
	plan(1);
	assert_int_equal(p.set.n, 1);
	assert_int_equal(p.n_remove, 0);
}

static void
one_series_is_needed(void **state)
{
	(void)state;
	three(key);
	stub_backup(dir, "t-1", &(struct stub){.series = "t", .sequence = 1, .key = key}, NULL);
	stub_backup(dir, "u-1", &(struct stub){.series = "u", .sequence = 1, .key = other}, NULL);
	p.policy.last = 1;
	refused(ERR_USAGE, "--series (s, t)");
	opts.series = "u";
	refused(ERR_NOTFOUND, "no backup of the series u that is signed by a trusted key");
	opts.series = "t";
	plan(1);
	assert_string_equal(p.newest->name, "t-1");
	assert_int_equal(p.set.n, 1);
}

static void
rules_come_from_the_options_or_the_newest_seal(void **state)
{
	(void)state;
	three(key);
	refused(ERR_USAGE, "by which rules? s-3, the newest, was made without");
	look();
	p.newest = NULL;
	p.policy_of_seal = false;
	p.policy.daily = 2;
	assert_int_equal(prune_rules(&p, &e), 0);
	assert_false(p.policy_of_seal);
	for (size_t i = 0; i < repo.list.n; i++)
		repo.list.backups[i].seal.policy = strdup("keep-last=4 keep-yearly=2");
	p.policy = (struct retain_policy){0};
	assert_int_equal(prune_rules(&p, &e), 0);
	assert_true(p.policy_of_seal);
	assert_int_equal(p.policy.last, 4);
	assert_int_equal(p.policy.yearly, 2);
	p.policy = (struct retain_policy){0};
	memcpy(repo.list.backups[2].seal.policy, "kept", 4);
	assert_int_equal(prune_rules(&p, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void
nothing_goes_when_the_newest_is_not_whole(void **state)
{
	(void)state;
	three(key);
	p.key = key;
	look();
	p.policy.last = 1;
	assert_int_equal(prune_rules(&p, &e), 0);
	scratch_puts(dir, "s-3.tar.gz", "cut");
	assert_int_equal(prune_plan(&p, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(
	    strstr(e.msg, "s-3, the newest complete one, is damaged: its archive has 3"));
	prune_done(&p);
	p = (struct prune){.repo = &repo, .key = key, .policy = {.last = 3}};
	/* When nothing goes, that is verify's to tell. */
	assert_int_equal(prune_rules(&p, &e), 0);
	assert_int_equal(prune_plan(&p, &e), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(with_a_key_all_goes_that_no_rule_keeps),
	    T(without_one_only_what_the_newest_does_not_hold),
	    T(no_new_seal_for_what_is_not_held),
	    T(an_unsigned_series_needs_no_key_but_a_signed_one_does),
	    T(what_nobody_vouches_for_does_not_count),
	    T(one_series_is_needed),
	    T(rules_come_from_the_options_or_the_newest_seal),
	    T(nothing_goes_when_the_newest_is_not_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
