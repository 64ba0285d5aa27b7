/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/cut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive/entry.h"
#include "core/hash.h"

#define TREE 20000

static struct entry
file_of(const char *path, uint64_t size)
{
	return (struct entry){
	    .type = ENTRY_FILE,
	    .path = path,
	    .path_len = strlen(path),
	    .size = size,
	};
}

static void
large_is_a_regular_file_over_1_mib(void **state)
{
	struct entry en = file_of("a", 1 << 20);

	(void)state;
	assert_false(cut_is_large(&en));
	en.size++;
	assert_true(cut_is_large(&en));
	en.type = ENTRY_HARDLINK;
	assert_false(cut_is_large(&en));
}

static void
weight_is_header_names_and_data_of_stored_files(void **state)
{
	struct entry en = file_of("a", 0);

	(void)state;
	assert_int_equal(cut_weight(&en), 1024 + 512);
	en.size = 1;
	assert_int_equal(cut_weight(&en), 1024 + 512 + 512);
	en.size = 512;
	assert_int_equal(cut_weight(&en), 1024 + 512 + 512);
	en.size = 513;
	assert_int_equal(cut_weight(&en), 1024 + 512 + 1024);
	en.size = 0;
	en.path_len = 0;
	assert_int_equal(cut_weight(&en), 1024);
	en.type = ENTRY_SYMLINK;
	en.path_len = 500;
	en.link = "t";
	en.link_len = 12;
	assert_int_equal(cut_weight(&en), 1024 + 512);
	en.link_len = 13; /* path and target are padded together */
	assert_int_equal(cut_weight(&en), 1024 + 1024);
	en.type = ENTRY_HARDLINK;
	en.size = 5000; /* never so, and never counted */
	assert_int_equal(cut_weight(&en), 1024 + 1024);
}

static void
an_empty_member_is_never_ended(void **state)
{
	struct entry en = file_of("a", 5 << 20);

	(void)state;
	assert_false(cut_before(&en, 0));
	en.size = 1 << 20;
	assert_false(cut_before(&en, 0));
}

static void
heavy_and_large_files_always_start_a_member(void **state)
{
	struct entry en = file_of("a", CUT_LARGE_MIN);

	(void)state;
	assert_true(cut_before(&en, 1));
	en.size = (1 << 18) - 1536; /* weight 2^18 */
	assert_true(cut_before(&en, 1));
}

/* Paths with hashes known beforehand: printf PATH | sha256sum | head -c 16. */
static void
the_first_eight_bytes_of_sha256_decide(void **state)
{
	char path[32];
	uint64_t h;
	struct entry en;

	(void)state;
	en = file_of("a", 0); /* ca978112ca1bbdca */
	assert_true(hash_cut("a", 1) == 0xca978112ca1bbdcau);
	assert_false(cut_before(&en, 1536));
	/* The least weight that passes is h / 2^46 rounded down, plus one. */
	for (unsigned i = 0; i < 200; i++) {
		uint64_t least, size;

		(void)snprintf(path, sizeof(path), "f%u", i);
		h = hash_cut(path, strlen(path));
		least = (h >> 46) + 1;
		if (least <= 2048)
			continue;
		size = least - 1536; /* weight is least or up to 511 more */
		en = file_of(path, size);
		assert_true(cut_before(&en, 1536));
		en.size = (size - 1) / 512 * 512;
		if (cut_weight(&en) < least)
			assert_false(cut_before(&en, 1536));
	}
}

static void
a_member_never_weighs_more_than_1_mib(void **state)
{
	struct entry en = file_of("a", 0); /* its hash never cuts at this weight */
	uint64_t weight = cut_weight(&en);

	(void)state;
	assert_false(cut_before(&en, CUT_WEIGHT_MAX - weight));
	assert_true(cut_before(&en, CUT_WEIGHT_MAX - weight + 1));
	assert_true(cut_before(&en, CUT_WEIGHT_MAX));
	assert_true(cut_before(&en, UINT64_MAX));
}

struct tree {
	char paths[TREE + 1][64];
	uint64_t sizes[TREE + 1];
	size_t n;
};

/* Sizes from nothing to 64 KiB, most of them small, as trees are. */
static void
grow(struct tree *t)
{
	uint64_t s = 88172645463325252u;

	t->n = TREE;
	for (size_t i = 0; i < t->n; i++) {
		s ^= s << 13;
		s ^= s >> 7;
		s ^= s << 17;
		(void)snprintf(t->paths[i], sizeof(t->paths[i]), "dir%03zu/file%04zu", i / 100, i);
		t->sizes[i] = (s >> 20) % (1u << (s % 17));
	}
}

/* starts[i]: entry i starts a member.  Returns the number of members and the heaviest. */
static size_t
cut_tree(const struct tree *t, bool *starts, uint64_t *total, uint64_t *heaviest)
{
	uint64_t weight = 0;
	size_t members = 0;

	*total = *heaviest = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct entry en = file_of(t->paths[i], t->sizes[i]);

		starts[i] = i == 0 || cut_before(&en, weight);
		if (starts[i]) {
			weight = 0;
			members++;
		}
		weight += cut_weight(&en);
		*total += cut_weight(&en);
		if (weight > *heaviest)
			*heaviest = weight;
	}
	return members;
}

static void
members_come_to_about_256_kib(void **state)
{
	struct tree *t = calloc(1, sizeof(*t));
	bool *starts = calloc(TREE + 1, 1);
	uint64_t total, heaviest;
	size_t members;

	(void)state;
	assert_non_null(t);
	assert_non_null(starts);
	grow(t);
	members = cut_tree(t, starts, &total, &heaviest);
	assert_true(members > 50);
	assert_in_range(total / members, 3 << 16, 5 << 16);
	assert_true(heaviest <= CUT_WEIGHT_MAX);
	free(t);
	free(starts);
}

static void
an_inserted_path_changes_at_most_two_members(void **state)
{
	struct tree *t = calloc(1, sizeof(*t)), *u = calloc(1, sizeof(*u));
	bool *a = calloc(TREE + 1, 1), *b = calloc(TREE + 1, 1);
	uint64_t total, heaviest;

	(void)state;
	assert_non_null(t);
	assert_non_null(u);
	assert_non_null(a);
	assert_non_null(b);
	grow(t);
	(void)cut_tree(t, a, &total, &heaviest);
	for (size_t at = 1; at < TREE; at += 997) {
		size_t moved = 0;

		*u = *t;
		memmove(u->paths[at + 1], u->paths[at], (TREE - at) * sizeof(u->paths[0]));
		memmove(&u->sizes[at + 1], &u->sizes[at], (TREE - at) * sizeof(u->sizes[0]));
		(void)snprintf(u->paths[at], sizeof(u->paths[0]), "dir%03zu/inserted", at / 100);
		u->sizes[at] = at * 4;
		u->n = TREE + 1;
		(void)cut_tree(u, b, &total, &heaviest);
		for (size_t i = 0; i < TREE; i++)
			moved += a[i] != b[i < at ? i : i + 1];
		/*
		 * A cut more (its own) leaves each other cut in place: the member that it fell into
		 * becomes two.  A cut by weight may move too: it lies in the same member or the
		 * next.
		 */
		assert_in_range(moved, 0, 2);
	}
	free(t);
	free(u);
	free(a);
	free(b);
}

static void
hole_units_keep_a_map_below_65537_blocks(void **state)
{
	(void)state;
	assert_int_equal(cut_hole_unit(0), 64 << 10);
	assert_int_equal(cut_hole_unit(1), 64 << 10);
	assert_int_equal(cut_hole_unit(UINT64_C(4) << 30), 64 << 10);
	assert_int_equal(cut_hole_unit((UINT64_C(4) << 30) + 1), 128 << 10);
	assert_int_equal(cut_hole_unit(UINT64_C(1) << 40), 16 << 20);
	assert_int_equal(cut_hole_unit(UINT64_MAX), UINT64_C(1) << 48);
	for (unsigned shift = 0; shift < 64; shift++) {
		uint64_t size = UINT64_C(1) << shift, unit = cut_hole_unit(size);

		assert_true(unit >= 64 << 10 && (unit & (unit - 1)) == 0);
		assert_true((size - 1) / unit + 1 <= 65536);
		assert_true(unit == 64 << 10 || (size - 1) / (unit / 2) + 1 > 65536);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(large_is_a_regular_file_over_1_mib),
	    cmocka_unit_test(weight_is_header_names_and_data_of_stored_files),
	    cmocka_unit_test(an_empty_member_is_never_ended),
	    cmocka_unit_test(heavy_and_large_files_always_start_a_member),
	    cmocka_unit_test(the_first_eight_bytes_of_sha256_decide),
	    cmocka_unit_test(a_member_never_weighs_more_than_1_mib),
	    cmocka_unit_test(members_come_to_about_256_kib),
	    cmocka_unit_test(an_inserted_path_changes_at_most_two_members),
	    cmocka_unit_test(hole_units_keep_a_map_below_65537_blocks),
	};

	return cmocka_run_group_tests_name("archive/cut", tests, NULL, NULL);
}
