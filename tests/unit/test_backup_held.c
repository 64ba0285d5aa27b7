/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "backup/held.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/log.h"
#include "seal/key.h"
#include "store/repo.h"
#include "tests/unit/child.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"

static char dir[SCRATCH_MAX], keys[SCRATCH_MAX];
static struct key *key, *other;
static struct trust *trust;
static struct repo *repo;
static struct repo_list list;
static struct err e;

static struct key *
new_key(const char *name)
{
	char file[SCRATCH_MAX + 16], pub[SCRATCH_MAX + 16];
	struct key *k;

	(void)snprintf(file, sizeof(file), "%s/%s", keys, name);
	(void)snprintf(pub, sizeof(pub), "%s/%s.pub", keys, name);
	assert_int_equal(key_generate(file, pub, NULL, &e), 0);
	assert_int_equal(key_load(&k, file, &e), 0);
	return k;
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_NORMAL);
	scratch_new(dir);
	scratch_new(keys);
	key = new_key("key");
	other = new_key("other");
	if (trust_new(&trust, &e) != 0 || trust_add_key(trust, key, &e) != 0)
		return -1;
	return repo_open(&repo, dir, &e);
}

static int
teardown(void **state)
{
	(void)state;
	repo_list_done(&list);
	repo_close(repo);
	trust_free(trust);
	key_free(key);
	key_free(other);
	scratch_remove(dir);
	scratch_remove(keys);
	return 0;
}

static void
put(const char *name, uint64_t sequence, const struct key *k)
{
	stub_backup(dir, name, &(struct stub){.sequence = sequence, .key = k}, NULL);
}

static void
look(void)
{
	repo_list_done(&list);
	assert_int_equal(repo_list(repo, trust, &list, &e), 0);
}

static void
the_first_backup_is_number_one(void **state)
{
	(void)state;
	look();
	assert_int_equal(held_sequence(&list, "s", false), 1);
	assert_null(repo_newest(&list, "s", false));
}

static void
the_first_one_leaves_numbers_for_archives_without_a_seal(void **state)
{
	(void)state;
	scratch_puts(dir, "s-20250101_000000.tar.gz", "old");
	scratch_puts(dir, "s-20250101_000000-2.tar.gz", "old");
	scratch_puts(dir, "s-20250102_000000.tar.gz", "old");
	scratch_puts(dir, "s-t-20250102_000000.tar.gz", "of the series s-t");
	scratch_puts(dir, "s-20250102_00000.tar.gz", "no stamp");
	scratch_puts(dir, "s-20250102_000000-x.tar.gz", "no stamp");
	scratch_puts(dir, "s-20250102_000000.old.tar.gz", "no stamp");
	look();
	assert_int_equal(held_sequence(&list, "s", false), 4);
	assert_int_equal(held_sequence(&list, "s-t", false), 2);
	assert_int_equal(held_sequence(&list, "t", false), 1);
	put("s-1", 4, key); /* from then on they do not matter any more */
	look();
	assert_int_equal(held_sequence(&list, "s", false), 5);
}

static void
order_is_the_sequence(void **state)
{
	(void)state;
	put("s-9", 1, key);
	put("s-1", 7, key); /* names say nothing */
	put("s-5", 3, key);
	stub_backup(dir, "t-1", &(struct stub){.series = "t", .sequence = 90, .key = key}, NULL);
	look();
	assert_int_equal(held_sequence(&list, "s", false), 8);
	assert_string_equal(repo_newest(&list, "s", false)->name, "s-1");
}

static void
foreign_and_unsigned_ones_are_not_built_on(void **state)
{
	(void)state;
	put("s-1", 1, key);
	put("s-2", 50, other);
	put("s-3", 60, NULL);
	scratch_puts(dir, "s-4.seal", "no seal at all\n");
	look();
	assert_string_equal(repo_newest(&list, "s", false)->name, "s-1");
	assert_string_equal(repo_newest(&list, "s", true)->name, "s-3");
	/* But their numbers are taken, because they may count one day. */
	assert_int_equal(held_sequence(&list, "s", false), 61);
	assert_int_equal(held_sequence(&list, "s", true), 61);
	put("s-6", (UINT64_C(1) << 62) + 1, other); /* made to use them up */
	look();
	assert_int_equal(held_sequence(&list, "s", false), 61);
}

/* Its file may come back from a copy, and two with one number spoil a series. */
static void
the_number_of_a_bad_seal_is_not_given_again(void **state)
{
	struct seal held = {0};
	const struct seal *const holds[] = {&held, NULL};

	(void)state;
	stub_backup(dir, "s-20250101_000000", &(struct stub){.sequence = 1, .key = key}, &held);
	stub_backup(dir, "s-20250102_000000",
	    &(struct stub){.sequence = 2, .key = key, .holds = holds}, NULL);
	scratch_puts(dir, "s-20250103_000000.seal", "damaged\n");
	scratch_puts(dir, "s-t-20250103_000000.seal", "damaged, and of the series s-t\n");
	look();
	assert_int_equal(held_sequence(&list, "s", false), 4);
	assert_int_equal(held_sequence(&list, "s-t", false), 2);
	assert_int_equal(held_check_numbers(&list, "s", false, &e), 0);
	/* The number of one that the newest holds is known. */
	scratch_puts(dir, "s-20250101_000000.seal", "damaged as well\n");
	look();
	assert_int_equal(held_sequence(&list, "s", false), 4);
	seal_done(&held);
}

static void
a_run_finds_what_it_made_before(void **state)
{
	(void)state;
	put("s-1", 1, key);
	look();
	assert_null(held_by_run(&list, "s", false, "job-1"));
	list.backups[0].seal.run_id = strdup("job-1");
	assert_string_equal(held_by_run(&list, "s", false, "job-1")->name, "s-1");
	assert_null(held_by_run(&list, "s", false, "job"));
	assert_null(held_by_run(&list, "t", false, "job-1"));
	list.backups[0].state = REPO_UNTRUSTED; /* somebody else's word */
	assert_null(held_by_run(&list, "s", false, "job-1"));
}

static int
warn(void *ctx)
{
	unsigned long before = log_warnings();

	log_init("backup", LOG_NORMAL);
	held_warn(&list, "s", dir, *(bool *)ctx);
	return (int)(log_warnings() - before);
}

static void
what_is_not_held_is_told(void **state)
{
	struct child c;
	bool no = false;

	(void)state;
	put("s-1", 1, key);
	put("s-2", 2, other);
	put("s-3", 3, NULL);
	scratch_puts(dir, "s-20250103_000000.seal", "no seal at all\n");
	scratch_puts(dir, "s-20250101_000000.tar.gz", "old");
	scratch_puts(dir, "s-20250102_000000.tar.gz", "old");
	scratch_puts(dir, "u-1.tar.gz", "another's");
	look();
	child_run(&c, warn, &no);
	assert_int_equal(c.status, 3);
	assert_null(strstr(c.err, "s-1 "));
	assert_non_null(strstr(c.err, "backup s-2 is left alone, and not held: unknown key"));
	assert_non_null(strstr(c.err, "backup s-3 is left alone, and not held: not signed\n"));
	assert_non_null(strstr(c.err, "backup s-20250103_000000 is left alone: "));
	assert_non_null(strstr(c.err, "2 archives without a seal (s-20250101_000000.tar.gz, ...)"));
	assert_non_null(strstr(c.err, "manifest import --repo "));
	assert_null(strstr(c.err, "u-1"));
}

static void
strangers_in_a_row_take_one_line(void **state)
{
	struct child c;
	bool no = false;

	(void)state;
	put("s-1", 1, other);
	put("s-2", 2, other);
	put("s-3", 3, other);
	put("s-4", 4, key);
	put("s-5", 5, other);
	put("s-6", 6, NULL);
	put("s-7", 7, NULL);
	look();
	child_run(&c, warn, &no);
	assert_int_equal(c.status, 3);
	assert_non_null(
	    strstr(c.err, "3 backups, s-1 to s-3, are left alone, and not held: unknown key "));
	assert_non_null(strstr(c.err, "; --trust with its public key takes them in\n"));
	assert_non_null(strstr(c.err, "backup s-5 is left alone, and not held: unknown key "));
	assert_non_null(strstr(c.err, "; --trust with its public key takes it in\n"));
	assert_non_null(
	    strstr(c.err, "2 backups, s-6 to s-7, are left alone, and not held: not signed\n"));
}

static void
a_held_backup_that_is_gone_is_told(void **state)
{
	struct seal one, two;
	struct child c;
	bool no = false;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	stub_backup(dir, "s-1", &(struct stub){.sequence = 1, .key = key}, &one);
	stub_backup(dir, "s-2", &(struct stub){.sequence = 2, .key = key}, &two);
	const struct seal *const holds[] = {&one, &two, NULL};
	stub_backup(dir, "s-3", &(struct stub){.sequence = 3, .key = key, .holds = holds}, NULL);
	look();
	child_run(&c, warn, &no);
	assert_int_equal(c.status, 0);
	assert_int_equal(unlinkat(fd, "s-1.seal", 0), 0);
	/* Another one in its place is not it. */
	stub_backup(dir, "s-2", &(struct stub){.sequence = 2, .key = key, .created = 5}, NULL);
	look();
	child_run(&c, warn, &no);
	assert_int_equal(c.status, 2);
	assert_non_null(strstr(c.err, "backup s-1, which s-3 holds, is gone or was replaced"));
	assert_non_null(strstr(c.err, "backup s-2, which s-3 holds, is gone or was replaced"));
	(void)close(fd);
	seal_done(&one);
	seal_done(&two);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_first_backup_is_number_one),
	    T(the_first_one_leaves_numbers_for_archives_without_a_seal),
	    T(order_is_the_sequence),
	    T(foreign_and_unsigned_ones_are_not_built_on),
	    T(the_number_of_a_bad_seal_is_not_given_again),
	    T(a_run_finds_what_it_made_before),
	    T(what_is_not_held_is_told),
	    T(strangers_in_a_row_take_one_line),
	    T(a_held_backup_that_is_gone_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
