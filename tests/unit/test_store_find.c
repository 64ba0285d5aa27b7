/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/repo.h"

/* Lists are made by hand here: finding looks at nothing else. */
#define MAX 8
static struct repo_backup backups[MAX];
static char unsealed[1][SEAL_NAME_MAX + 1];
static struct seal_hold holds[MAX];
static struct repo_list list;
static struct err e, why;
static const struct repo_backup *found;

static int
setup(void **state)
{
	(void)state;
	memset(backups, 0, sizeof(backups));
	memset(&e, 0, sizeof(e));
	(void)err_set(&why, ERR_CORRUPT, "the reason");
	list = (struct repo_list){.backups = backups};
	found = NULL;
	return 0;
}

static struct repo_backup *
add(const char *name, const char *series, uint64_t sequence, enum repo_state state)
{
	struct repo_backup *b = &backups[list.n++];

	(void)strcpy(b->name, name);
	b->state = state;
	if (state == REPO_BAD || state == REPO_UNTRUSTED)
		b->why = &why;
	if (state == REPO_BAD)
		return b;
	(void)strcpy(b->seal.name, name);
	(void)strcpy(b->seal.series, series);
	b->seal.sequence = sequence;
	b->seal.created.tv_sec = (time_t)(1000 * sequence);
	return b;
}

static void
hold(struct repo_backup *b, const char *name, uint64_t sequence)
{
	b->seal.holds = holds;
	(void)strcpy(holds[b->seal.n_holds].name, name);
	holds[b->seal.n_holds++].sequence = sequence;
}

static const struct repo_pick any = {0}, series_a = {.series = "a"};

static void
finds(const struct repo_pick *pick, const char *which, const char *name)
{
	if (repo_find(&list, pick, which, &found, &e) != 0)
		fail_msg("%s: %s", which, e.msg);
	assert_string_equal(found->name, name);
}

static void
refuses(const struct repo_pick *pick, const char *which, enum err_kind kind, const char *msg)
{
	assert_int_equal(repo_find(&list, pick, which, &found, &e), -1);
	assert_string_equal(e.msg, msg);
	assert_int_equal(e.kind, kind);
}

static void
latest_is_the_newest_complete_by_sequence(void **state)
{
	(void)state;
	add("a-9", "a", 1, REPO_TRUSTED);
	add("a-2", "a", 2, REPO_TRUSTED);
	add("a-3", "a", 3, REPO_TRUSTED)->seal.unreadable = 1;
	finds(&any, "latest", "a-2");
	finds(&series_a, "latest", "a-2");
}

static void
latest_of_nothing_is_not_found(void **state)
{
	(void)state;
	refuses(&any, "latest", ERR_NOTFOUND, "no backup");
	add("b-1", "b", 1, REPO_TRUSTED);
	refuses(&series_a, "latest", ERR_NOTFOUND, "no backup of series a; it has b");
}

static void
latest_of_several_series_wants_a_name(void **state)
{
	(void)state;
	add("a-1", "a", 1, REPO_TRUSTED);
	add("b-1", "b", 1, REPO_TRUSTED);
	refuses(
	    &any, "latest", ERR_USAGE, "there are several series (a, b): name one with --series");
	finds(&series_a, "latest", "a-1");
}

static void
latest_does_not_fall_back_behind_one_that_is_not_trusted(void **state)
{
	const struct repo_pick lax = {.accept_unsigned = true};

	(void)state;
	add("a-1", "a", 1, REPO_TRUSTED);
	add("a-2", "a", 2, REPO_UNTRUSTED);
	refuses(&any, "latest", ERR_TRUST, "a-2 is not trusted: the reason");
	finds(&lax, "latest", "a-2");
	backups[1].state = REPO_UNSIGNED;
	refuses(&any, "latest", ERR_TRUST, "a-2 is not signed");
	finds(&lax, "latest", "a-2");
	finds(&any, "a-1", "a-1");
}

static void
latest_does_not_fall_back_behind_a_bad_seal(void **state)
{
	(void)state;
	add("a-3", "", 0, REPO_BAD);
	add("ab-3", "", 0, REPO_BAD);
	add("a-1", "a", 1, REPO_TRUSTED);
	add("a-2", "a", 2, REPO_TRUSTED);
	refuses(&any, "latest", ERR_CORRUPT,
	    "a-3 may be newer than a-2, and its seal is bad (the reason): name the backup that you "
	    "want");
}

static void
a_bad_seal_that_a_newer_one_holds_is_older(void **state)
{
	(void)state;
	add("a-1", "", 0, REPO_BAD);
	hold(add("a-2", "a", 2, REPO_TRUSTED), "a-1", 1);
	finds(&any, "latest", "a-2");
}

static void
a_bad_seal_that_is_held_may_still_be_newer_than_the_complete_one(void **state)
{
	(void)state;
	add("a-2", "", 0, REPO_BAD);
	add("a-1", "a", 1, REPO_TRUSTED);
	struct repo_backup *b = add("a-3", "a", 3, REPO_TRUSTED);
	b->seal.unreadable = 1;
	hold(b, "a-1", 1);
	hold(b, "a-2", 2);
	assert_int_equal(repo_find(&list, &any, "latest", &found, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void
names_and_unique_beginnings_are_found(void **state)
{
	(void)state;
	add("a-2026", "a", 1, REPO_TRUSTED);
	add("a-2026-2", "a", 2, REPO_TRUSTED);
	add("b-2026", "b", 2, REPO_TRUSTED);
	finds(&any, "a-2026", "a-2026");
	finds(&any, "b", "b-2026");
	finds(&any, "a-2026-", "a-2026-2");
	refuses(&any, "a", ERR_USAGE, "\"a\" may be a-2026 or a-2026-2");
	refuses(
	    &series_a, "b-2026", ERR_NOTFOUND, "no backup is named, or begins with, \"b-2026\"");
	refuses(&any, "", ERR_USAGE, "a backup's name may not be empty");
}

static void
a_bad_one_is_found_and_refused(void **state)
{
	(void)state;
	add("a-1", "", 0, REPO_BAD);
	refuses(&series_a, "a-1", ERR_CORRUPT, "a-1: bad seal: the reason");
	refuses(&(struct repo_pick){.accept_unsigned = true}, "a-1", ERR_CORRUPT,
	    "a-1: bad seal: the reason");
}

static void
an_archive_without_a_seal_is_pointed_out(void **state)
{
	(void)state;
	(void)strcpy(unsealed[0], "old-1");
	list.unsealed = unsealed;
	list.n_unsealed = 1;
	refuses(
	    &any, "old", ERR_NOTFOUND, "old-1 has no seal (manifest import adopts such archives)");
}

static void
as_of_is_the_newest_that_is_old_enough(void **state)
{
	(void)state;
	add("a-1", "a", 1, REPO_TRUSTED);
	add("a-2", "a", 2, REPO_TRUSTED)->seal.unreadable = 1;
	add("a-3", "a", 3, REPO_TRUSTED);
	struct timespec t = {.tv_sec = 2000};
	assert_int_equal(repo_find_as_of(&list, &any, t, &found, &e), 0);
	assert_string_equal(found->name, "a-2");
	t.tv_sec = 1999;
	assert_int_equal(repo_find_as_of(&list, &any, t, &found, &e), 0);
	assert_string_equal(found->name, "a-1");
	backups[0].seal.created.tv_nsec = 5;
	t = (struct timespec){.tv_sec = 1000, .tv_nsec = 4};
	assert_int_equal(repo_find_as_of(&list, &any, t, &found, &e), -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	assert_string_equal(e.msg, "no backup is as old as 1970-01-01 00:16:40 +0000");
	t.tv_nsec = 5;
	assert_int_equal(repo_find_as_of(&list, &any, t, &found, &e), 0);
}

static void
as_of_does_not_skip_what_may_lie_between(void **state)
{
	struct timespec t = {.tv_sec = 2500};

	(void)state;
	add("a-2", "", 0, REPO_BAD);
	add("a-1", "a", 1, REPO_TRUSTED);
	hold(add("a-3", "a", 3, REPO_TRUSTED), "a-2", 2);
	assert_int_equal(repo_find_as_of(&list, &any, t, &found, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	/* Made after the time: a later one with a readable time stands before it. */
	holds[0].sequence = 4;
	assert_int_equal(repo_find_as_of(&list, &any, t, &found, &e), 0);
	assert_string_equal(found->name, "a-1");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
	    T(latest_is_the_newest_complete_by_sequence),
	    T(latest_of_nothing_is_not_found),
	    T(latest_of_several_series_wants_a_name),
	    T(latest_does_not_fall_back_behind_one_that_is_not_trusted),
	    T(latest_does_not_fall_back_behind_a_bad_seal),
	    T(a_bad_seal_that_a_newer_one_holds_is_older),
	    T(a_bad_seal_that_is_held_may_still_be_newer_than_the_complete_one),
	    T(names_and_unique_beginnings_are_found),
	    T(a_bad_one_is_found_and_refused),
	    T(an_archive_without_a_seal_is_pointed_out),
	    T(as_of_is_the_newest_that_is_old_enough),
	    T(as_of_does_not_skip_what_may_lie_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
