/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <unistd.h>

#include "core/err.h"
#include "tests/unit/catalog_fixture.h"
#include "tests/unit/unit.h"
#include "verify/copies.h"
#include "verify/opts.h"

#define NIGHTS 24

/* Many nights of the same two files; in the middle one something is said to be damaged. */
static struct cf f;
static struct repo_list list;
static struct verify_opts opts;
static struct verify_copies *copies;
static struct manifest_member member; /* of the middle one: that of a */
static char path[] = "";
static struct err e;

static const struct cf_entry tree[] = {D(""), F("a", 1), F("b", 1)};

static void
read_member(const struct repo_backup *b)
{
	struct manifest_reader *r = NULL;
	int fd = repo_open_part(f.repo, REPO_MANIFEST, b->name, &e);

	assert_true(fd >= 0);
	assert_int_equal(manifest_reader_new(&r, fd, &b->seal, &e), 0);
	assert_int_equal(manifest_next(r, &member, &e), 1);
	assert_int_equal(member.path_len, 0);
	member.path = path;
	manifest_reader_free(r);
	assert_int_equal(close(fd), 0);
}

static const struct repo_backup *
middle(void)
{
	return &list.backups[NIGHTS / 2];
}

static void
begin(void)
{
	const struct verify_copies_of of = {
	    .repo = f.repo, .list = &list, .backup = middle(), .opts = &opts};

	assert_int_equal(verify_copies_new(&copies, &of, &e), 0);
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	opts = (struct verify_opts){.level = VERIFY_STANDARD};
	cf_setup(&f);
	for (uint64_t i = 1; i <= NIGHTS; i++)
		cf_backup(
		    &f, &(struct cf_opts){.sequence = i, .no_cuts = true}, tree, N(tree), NULL);
	cf_list(&f, &list);
	assert_int_equal(list.n, NIGHTS);
	read_member(middle());
	begin();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	verify_copies_free(copies);
	repo_list_done(&list);
	cf_teardown(&f);
	return 0;
}

/* The n that are expected, by their distance from the middle. */
static void
intact_in(size_t n, const int *distances)
{
	struct verify_intact in;

	assert_int_equal(verify_copies_find(copies, &member, &in, &e), 0);
	assert_true(in.asked);
	assert_int_equal(in.n, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(in.names[i], middle()[distances[i]].name);
}

static void
the_nearest_come_first_and_four_are_enough(void **state)
{
	(void)state;
	intact_in(4, (const int[]){-1, 1, -2, 2});
}

static void
more_are_asked_than_are_open_at_a_time(void **state)
{
	(void)state;
	for (int i = -NIGHTS / 2; i < NIGHTS / 2; i++)
		if (i != 0 && i != -NIGHTS / 2 && i != 11)
			cf_damage(&f, REPO_ARCHIVE, middle()[i].name, 20);
	for (int again = 0; again < 3; again++)
		intact_in(2, (const int[]){11, -NIGHTS / 2});
}

static void
what_cannot_be_read_is_no_copy(void **state)
{
	(void)state;
	cf_damage(&f, REPO_MANIFEST, middle()[-1].name, -10);
	cf_remove(&f, middle()[1].name);
	cf_damage(&f, REPO_ARCHIVE, middle()[-2].name, 20);
	intact_in(4, (const int[]){2, -3, 3, -4});
}

static void
nor_is_what_nobody_vouches_for(void **state)
{
	(void)state;
	list.backups[NIGHTS / 2 - 1].state = REPO_UNTRUSTED;
	list.backups[NIGHTS / 2 + 1].state = REPO_UNSIGNED;
	verify_copies_free(copies);
	begin();
	intact_in(4, (const int[]){-2, 2, -3, 3});
	opts.untrusted = true;
	verify_copies_free(copies);
	begin();
	intact_in(4, (const int[]){-1, 1, -2, 2});
}

static void
other_bytes_are_no_copy_but_the_same_packed_otherwise_are(void **state)
{
	(void)state;
	member.packed_digest[0] ^= 1;
	intact_in(4, (const int[]){-1, 1, -2, 2});
	member.plain_digest[0] ^= 1;
	intact_in(0, NULL);
	member.packed_digest[0] ^= 1;
	intact_in(4, (const int[]){-1, 1, -2, 2});
	member.kind = MANIFEST_HEADER;
	intact_in(0, NULL);
	member.kind = MANIFEST_FILES;
	member.path = "a";
	member.path_len = 1;
	intact_in(0, NULL);
}

static void
after_a_thousand_nothing_more_is_looked_for(void **state)
{
	struct verify_intact in;

	(void)state;
	for (unsigned i = 0; i < VERIFY_COPIES_MEMBERS; i++) {
		assert_int_equal(verify_copies_find(copies, &member, &in, &e), 0);
		assert_true(in.asked);
	}
	assert_int_equal(verify_copies_find(copies, &member, &in, &e), 0);
	assert_false(in.asked);
	assert_int_equal(in.n, 0);
}

static void
nor_after_so_many_lookups(void **state)
{
	struct verify_intact in = {.asked = true};
	unsigned n = 0;

	(void)state;
	/* No member of the index, so that none is read; each asks all the others. */
	memset(member.packed_digest, 0, SHA256_LEN);
	memset(member.plain_digest, 0, SHA256_LEN);
	for (; in.asked && n <= VERIFY_COPIES_MEMBERS; n++)
		assert_int_equal(verify_copies_find(copies, &member, &in, &e), 0);
	assert_true(n < VERIFY_COPIES_MEMBERS);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_nearest_come_first_and_four_are_enough),
	    T(more_are_asked_than_are_open_at_a_time),
	    T(what_cannot_be_read_is_no_copy),
	    T(nor_is_what_nobody_vouches_for),
	    T(other_bytes_are_no_copy_but_the_same_packed_otherwise_are),
	    T(after_a_thousand_nothing_more_is_looked_for),
	    T(nor_after_so_many_lookups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
