/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "core/log.h"
#include "manifest/copy.h"
#include "seal/key.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"
#include "tests/unit/unit.h"

/* Two repositories, and what has to be done so that the second has what the first has. */
static char from_dir[SCRATCH_MAX], to_dir[SCRATCH_MAX];
static struct repo *from, *to;
static struct repo_list here, there;
static struct key *key, *foreign;
static struct trust *trust;
static struct copy_plan plan;
static bool wanted[16];
static struct seal sealed[8];
static struct err e;

static int
setup(void **state)
{
	(void)state;
	err_clear(&e);
	log_init("test", LOG_QUIET);
	scratch_new(from_dir);
	scratch_new(to_dir);
	stub_key(from_dir, "key", &key);
	stub_key(to_dir, "foreign", &foreign);
	memset(wanted, true, sizeof(wanted));
	return trust_new(&trust, &e) < 0 || trust_add_key(trust, key, &e) < 0 ||
	    repo_open(&from, from_dir, &e) < 0 || repo_open(&to, to_dir, &e) < 0;
}

static int
teardown(void **state)
{
	(void)state;
	copy_plan_done(&plan);
	repo_list_done(&here);
	repo_list_done(&there);
	repo_close(from);
	repo_close(to);
	trust_free(trust);
	key_free(key);
	key_free(foreign);
	for (size_t i = 0; i < COUNT(sealed); i++)
		seal_done(&sealed[i]);
	scratch_remove(from_dir);
	scratch_remove(to_dir);
	return 0;
}

static void
make_plan(bool authenticated)
{
	copy_plan_done(&plan);
	repo_list_done(&here);
	repo_list_done(&there);
	assert_int_equal(repo_list(from, authenticated ? trust : NULL, &here, &e), 0);
	assert_int_equal(repo_list(to, authenticated ? trust : NULL, &there, &e), 0);
	assert_int_equal(copy_plan_make(&plan, &here, wanted, to, &there, authenticated, &e), 0);
}

static struct copy_item *
item(const char *name)
{
	for (size_t i = 0; i < plan.n; i++)
		if (strcmp(plan.items[i].backup->name, name) == 0)
			return &plan.items[i];
	fail_msg("no %s in the plan", name);
	return NULL;
}

#define assert_state(name, wants) assert_int_equal(item(name)->state, wants)
#define assert_why(name, text) assert_string_equal(buf_str(&item(name)->why), text)

/* NAME with this sequence in dir, signed with key, holding held (NULL: nothing). */
static void
put(const char *dir, const char *name, uint64_t sequence, const struct seal *held, struct seal *s)
{
	const struct seal *const holds[] = {held, NULL};

	stub_backup(dir, name,
	    &(struct stub){.sequence = sequence, .key = key, .holds = held != NULL ? holds : NULL},
	    s);
}

static void
what_is_missing_goes_in_order(void **state)
{
	uint64_t n;

	(void)state;
	put(from_dir, "s-c", 1, NULL, NULL);
	put(from_dir, "s-b", 2, NULL, NULL);
	put(from_dir, "s-a", 3, NULL, NULL);
	put(to_dir, "s-b", 2, NULL, NULL);
	make_plan(true);
	assert_int_equal(plan.n, 3);
	assert_string_equal(plan.items[0].backup->name, "s-c");
	assert_string_equal(plan.items[2].backup->name, "s-a");
	assert_state("s-c", COPY_TODO);
	assert_state("s-b", COPY_PRESENT);
	assert_state("s-a", COPY_TODO);
	assert_int_equal(
	    copy_plan_bytes(&plan, &n), 2 * (strlen(STUB_ARCHIVE) + strlen(STUB_MANIFEST)));
	assert_int_equal(n, 2);
}

static void
only_what_is_wanted_is_in_it(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	put(from_dir, "s-2", 2, NULL, NULL);
	wanted[0] = false;
	make_plan(true);
	assert_int_equal(plan.n, 1);
	assert_state("s-2", COPY_TODO);
}

static void
trust_decides_what_goes(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	stub_backup(from_dir, "s-2", &(struct stub){.sequence = 2}, NULL);
	stub_backup(from_dir, "s-3", &(struct stub){.sequence = 3, .key = foreign}, NULL);
	scratch_puts(from_dir, "s-4.seal", "no seal\n");
	make_plan(true);
	assert_state("s-1", COPY_TODO);
	assert_state("s-2", COPY_UNTRUSTED);
	assert_why("s-2", "is not signed");
	assert_state("s-3", COPY_UNTRUSTED);
	assert_state("s-4", COPY_BAD);
	make_plan(false);
	assert_state("s-1", COPY_TODO);
	assert_state("s-2", COPY_TODO);
	assert_state("s-3", COPY_TODO);
	assert_state("s-4", COPY_BAD);
}

static void
what_is_there_has_to_be_whole(void **state)
{
	char path[SCRATCH_MAX + 32];

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		char name[8];
		(void)snprintf(name, sizeof(name), "s-%u", i);
		put(from_dir, name, i, NULL, NULL);
		put(to_dir, name, i, NULL, NULL);
	}
	(void)snprintf(path, sizeof(path), "%s/s-1.tar.gz", to_dir);
	assert_int_equal(truncate(path, 5), 0);
	(void)snprintf(path, sizeof(path), "%s/s-2.manifest.gz", to_dir);
	assert_int_equal(unlink(path), 0);
	make_plan(true);
	assert_state("s-1", COPY_CONFLICT);
	assert_why(
	    "s-1", "is there already, but not whole: its archive has 5 bytes, sealed were 13");
	assert_state("s-2", COPY_CONFLICT);
	assert_why("s-2", "is there already, but not whole: s-2.manifest.gz: is missing");
	assert_state("s-3", COPY_PRESENT);
}

static void
names_that_are_taken_are_left_alone(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	put(from_dir, "s-2", 2, NULL, NULL);
	put(from_dir, "s-3", 3, NULL, NULL);
	scratch_puts(to_dir, "s-1.tar.gz", "old");
	scratch_puts(to_dir, "s-2.manifest.gz", "old");
	scratch_puts(to_dir, "s-3.seal", "old");
	make_plan(true);
	assert_why("s-1", "an archive of that name is there without a seal");
	assert_why("s-2", "a manifest of that name is there without a seal");
	assert_state("s-3", COPY_CONFLICT);
}

static void
one_other_backup_keeps_its_whole_series_out(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	put(from_dir, "s-2", 2, NULL, NULL);
	stub_backup(
	    from_dir, "t-1", &(struct stub){.series = "t", .sequence = 1, .key = key}, NULL);
	put(to_dir, "s-9", 2, NULL, NULL);
	make_plan(true);
	assert_state("s-1", COPY_CONFLICT);
	assert_state("s-2", COPY_CONFLICT);
	assert_why("s-1", "series s is another one there: its backup 2 is s-9, and not s-2");
	assert_why("s-2", buf_str(&item("s-1")->why));
	assert_state("t-1", COPY_TODO);
	/* Also when the one that tells it is not asked for. */
	wanted[1] = false;
	make_plan(true);
	assert_int_equal(plan.n, 2);
	assert_state("s-1", COPY_CONFLICT);
}

static void
the_same_name_with_other_data_is_another_history(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	put(from_dir, "s-2", 2, NULL, NULL);
	stub_backup(
	    to_dir, "s-1", &(struct stub){.sequence = 1, .created = 77, .key = foreign}, NULL);
	make_plan(true);
	assert_why("s-1", "series s is another one there: its s-1 is not the same backup");
	assert_state("s-2", COPY_CONFLICT);
}

static void
a_newer_seal_of_the_newest_replaces_the_old(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, &sealed[0]);
	put(from_dir, "s-2", 2, NULL, NULL);
	put(to_dir, "s-1", 1, NULL, NULL);
	put(to_dir, "s-2", 2, &sealed[0], NULL);
	make_plan(true);
	assert_state("s-1", COPY_PRESENT);
	assert_state("s-2", COPY_SEAL_TODO);
}

static void
a_seal_that_a_newer_one_there_speaks_of_stays(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	put(from_dir, "s-2", 2, NULL, &sealed[0]); /* the new one */
	put(to_dir, "s-1", 1, NULL, &sealed[1]);
	put(to_dir, "s-2", 2, &sealed[1], &sealed[2]); /* the old one */
	put(to_dir, "s-3", 3, &sealed[2], NULL);
	make_plan(true);
	assert_state("s-2", COPY_CONFLICT);
	assert_why("s-2",
	    "is there under another seal, and s-3, which is newer there, does not hold this one");
	/* Were the newer one's word for the new seal, it would go. */
	put(to_dir, "s-3", 3, &sealed[0], NULL);
	make_plan(true);
	assert_state("s-2", COPY_SEAL_TODO);
}

static void
a_broken_signature_there_is_mended(void **state)
{
	struct buf text = {0};
	char *at;

	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	put(from_dir, "s-2", 2, NULL, NULL);
	put(to_dir, "s-1", 1, NULL, NULL);
	put(to_dir, "s-2", 2, NULL, NULL);
	scratch_get(to_dir, "s-1.seal", &text);
	at = strstr(buf_str(&text), "# signature: ");
	at += strlen("# signature: ") + SHA256_HEX_LEN + 1;
	*at = *at == 'A' ? 'B' : 'A';
	scratch_put(to_dir, "s-1.seal", text.data, text.len);
	buf_done(&text);
	make_plan(true);
	assert_state("s-1", COPY_SEAL_TODO);
	make_plan(false);
	assert_state("s-1", COPY_PRESENT);
}

static void
of_two_in_one_place_the_first_goes(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	put(from_dir, "s-2", 1, NULL, NULL);
	make_plan(true);
	assert_state("s-1", COPY_TODO);
	assert_state("s-2", COPY_CONFLICT);
}

static void
held_backups_that_are_not_there_are_counted(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, &sealed[0]);
	put(to_dir, "s-2", 2, &sealed[0], NULL);
	make_plan(true);
	assert_int_equal(copy_held_missing(&there, &there.backups[0], true), 1);
	put(to_dir, "s-1", 1, NULL, NULL);
	make_plan(true);
	assert_int_equal(copy_held_missing(&there, &there.backups[0], true), 0);
	assert_int_equal(copy_held_missing(&there, &there.backups[1], true), 0);
	/* Another one of that name is not the one. */
	stub_backup(to_dir, "s-1", &(struct stub){.sequence = 1, .created = 5, .key = key}, NULL);
	make_plan(true);
	assert_int_equal(copy_held_missing(&there, &there.backups[1], true), 1);
}

static void
more_than_fits_is_refused_with_both_figures(void **state)
{
	(void)state;
	put(from_dir, "s-1", 1, NULL, NULL);
	make_plan(true);
	assert_int_equal(copy_plan_space(&plan, to, &e), 0);
	plan.items[0].size = (uint64_t)1 << 60;
	assert_int_equal(copy_plan_space(&plan, to, &e), -1);
	assert_int_equal(e.kind, ERR_SYS);
	assert_non_null(strstr(e.msg, ": no space for 1 backup: "));
	assert_non_null(strstr(e.msg, " is free, 1.1E is needed"));
	plan.items[0].size = UINT64_MAX;
	assert_int_equal(copy_plan_space(&plan, to, &e), -1);
	/* What is not to be copied needs nothing. */
	plan.items[0].state = COPY_PRESENT;
	assert_int_equal(copy_plan_space(&plan, to, &e), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_is_missing_goes_in_order),
	    T(only_what_is_wanted_is_in_it),
	    T(trust_decides_what_goes),
	    T(what_is_there_has_to_be_whole),
	    T(names_that_are_taken_are_left_alone),
	    T(one_other_backup_keeps_its_whole_series_out),
	    T(the_same_name_with_other_data_is_another_history),
	    T(a_newer_seal_of_the_newest_replaces_the_old),
	    T(a_seal_that_a_newer_one_there_speaks_of_stays),
	    T(a_broken_signature_there_is_mended),
	    T(of_two_in_one_place_the_first_goes),
	    T(held_backups_that_are_not_there_are_counted),
	    T(more_than_fits_is_refused_with_both_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
