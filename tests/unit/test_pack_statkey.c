/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/sysmacros.h>

#include <cmocka.h>

#include "pack/facts.h"
#include "pack/statkey.h"

static const struct timespec now = {.tv_sec = 1000000};

static struct entry
file_entry(const char *path)
{
	return (struct entry){.type = ENTRY_FILE, .path = path, .path_len = strlen(path)};
}

static struct facts
old_facts(void)
{
	return (struct facts){.mode = S_IFREG | 0644,
	    .uid = 1,
	    .gid = 2,
	    .size = 3,
	    .mtime_sec = -4,
	    .mtime_nsec = 5,
	    .ctime_sec = 6,
	    .ctime_nsec = 7,
	    .ino = 8,
	    .dev = 99,
	    .nlink = 2};
}

static bool
key_of(const struct entry *en, const struct facts *f, uint8_t out[SHA256_LEN])
{
	struct statkey k;

	statkey_init(&k, statkey_settled(now, STATKEY_MARGIN));
	statkey_add(&k, en, f);
	return statkey_final(&k, out);
}

static void
statkey_is_what_the_format_says(void **state)
{
	static const char text[] = "2\0a/b\0l 420 1 2 3 -4 5 6 7 8 0 0\0to\0";
	uint8_t key[SHA256_LEN], want[SHA256_LEN];
	struct entry en = file_entry("a/b");
	struct facts f = old_facts();

	(void)state;
	en.type = ENTRY_SYMLINK;
	en.link = "to";
	en.link_len = 2;
	assert_true(key_of(&en, &f, key));
	sha256_of(text, sizeof(text) - 1, want);
	assert_memory_equal(key, want, sizeof(key));
}

static void
statkey_moves_with_every_fact_but_the_device(void **state)
{
	struct facts f = old_facts(), g;
	struct entry en = file_entry("x");
	uint8_t first[SHA256_LEN], other[SHA256_LEN];

	(void)state;
	assert_true(key_of(&en, &f, first));
#define MOVES(field)                                                                               \
	do {                                                                                       \
		g = f;                                                                             \
		g.field++;                                                                         \
		assert_true(key_of(&en, &g, other));                                               \
		assert_memory_not_equal(first, other, sizeof(first));                              \
	} while (0)
	MOVES(mode);
	MOVES(uid);
	MOVES(gid);
	MOVES(size);
	MOVES(mtime_sec);
	MOVES(mtime_nsec);
	MOVES(ctime_sec);
	MOVES(ctime_nsec);
	MOVES(ino);
	MOVES(rdev_major);
	MOVES(rdev_minor);
	g = f;
	g.dev++; /* changes when a volume is attached again */
	g.nlink++;
	g.blocks++;
	assert_true(key_of(&en, &g, other));
	assert_memory_equal(first, other, sizeof(first));
	en = file_entry("y");
	assert_true(key_of(&en, &f, other));
	assert_memory_not_equal(first, other, sizeof(first));
}

static void
statkey_does_not_trust_a_fresh_ctime(void **state)
{
	uint8_t key[SHA256_LEN];
	struct entry en = file_entry("x");
	struct facts f = old_facts();

	(void)state;
	f.ctime_sec = now.tv_sec - 61;
	assert_true(key_of(&en, &f, key));
	f.ctime_sec = now.tv_sec - 60;
	assert_false(key_of(&en, &f, key));
	f.ctime_sec = now.tv_sec + 1000; /* a clock that was set back */
	assert_false(key_of(&en, &f, key));
}

static void
statkey_of_a_flagged_member_is_none(void **state)
{
	uint8_t key[SHA256_LEN];
	struct entry en = file_entry("x");
	struct facts f = old_facts();
	struct statkey k;

	(void)state;
	statkey_init(&k, statkey_settled(now, STATKEY_MARGIN));
	statkey_spoil(&k);
	statkey_add(&k, &en, &f);
	assert_false(statkey_final(&k, key));
}

static void
statkey_trusts_no_ctime_where_none_is_kept(void **state)
{
	uint8_t key[SHA256_LEN];
	struct entry en = file_entry("x");
	struct facts f = old_facts();
	struct statkey k;

	(void)state;
	f.ctime_sec = INT64_MIN + 1;
	statkey_init(&k, statkey_settled(now, -1));
	statkey_add(&k, &en, &f);
	assert_false(statkey_final(&k, key));
}

static void
statkey_has_what_cannot_be_stored(void **state)
{
	static const char text[] = "2\0sock\0s\0a socket\0";
	uint8_t key[SHA256_LEN], want[SHA256_LEN];
	struct statkey k;

	(void)state;
	statkey_init(&k, statkey_settled(now, STATKEY_MARGIN));
	statkey_add_skipped(&k, "sock", 4, "a socket");
	assert_true(statkey_final(&k, key));
	sha256_of(text, sizeof(text) - 1, want);
	assert_memory_equal(key, want, sizeof(key));
}

static void
facts_keep_what_stat_says(void **state)
{
	struct stat st = {.st_mode = S_IFCHR | 0600,
	    .st_ino = 1,
	    .st_rdev = makedev(5, 300),
	    .st_nlink = 1,
	    .st_mtim = {-1, 999999999}};
	struct facts f;
	struct entry en = {0};

	(void)state;
	facts_from(&f, &st);
	facts_entry(&f, &en);
	assert_int_equal(en.rdev_major, 5);
	assert_int_equal(en.rdev_minor, 300);
	assert_int_equal(en.mode, 0600);
	assert_int_equal(en.mtime_sec, -1);
	assert_int_equal(en.mtime_nsec, 999999999);
	st.st_mode = S_IFREG | 04755;
	facts_from(&f, &st);
	facts_entry(&f, &en);
	assert_int_equal(en.rdev_major, 0);
	assert_int_equal(en.mode, 04755);
}

static void
facts_see_a_move_of_size_or_times(void **state)
{
	struct facts f = old_facts(), g = f;

	(void)state;
	g.nlink = 7;
	assert_true(facts_unmoved(&f, &g));
	g = f;
	g.size++;
	assert_false(facts_unmoved(&f, &g));
	g = f;
	g.mtime_nsec++;
	assert_false(facts_unmoved(&f, &g));
	g = f;
	g.ctime_nsec++;
	assert_false(facts_unmoved(&f, &g));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(statkey_is_what_the_format_says),
	    cmocka_unit_test(statkey_moves_with_every_fact_but_the_device),
	    cmocka_unit_test(statkey_does_not_trust_a_fresh_ctime),
	    cmocka_unit_test(statkey_of_a_flagged_member_is_none),
	    cmocka_unit_test(statkey_trusts_no_ctime_where_none_is_kept),
	    cmocka_unit_test(statkey_has_what_cannot_be_stored),
	    cmocka_unit_test(facts_keep_what_stat_says),
	    cmocka_unit_test(facts_see_a_move_of_size_or_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
