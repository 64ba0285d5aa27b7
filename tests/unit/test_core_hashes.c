/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/err.h"
#include "core/hash.h"
#include "core/hashes.h"
#include "tests/unit/unit.h"

static void
each_is_new_once(void **state)
{
	struct hashes h = {0};
	struct err e = {0};

	(void)state;
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(hashes_add(&h, hash_cut(&i, sizeof(i)), &e), 0);
	for (uint32_t i = 0; i < 5000; i++)
		assert_int_equal(hashes_add(&h, hash_cut(&i, sizeof(i)), &e), 1);
	assert_int_equal(h.n, 5000);
	hashes_done(&h);
}

static void
those_that_meet_in_a_slot_are_told_apart(void **state)
{
	struct hashes h = {0};
	struct err e = {0};

	(void)state;
	for (uint64_t i = 1; i < 40; i++)
		assert_int_equal(hashes_add(&h, i << 32, &e), 0);
	for (uint64_t i = 1; i < 40; i++)
		assert_int_equal(hashes_add(&h, i << 32, &e), 1);
	assert_true(hashes_has(&h, 39ull << 32));
	assert_false(hashes_has(&h, 40ull << 32));
	assert_int_equal(hashes_add(&h, 40ull << 32, &e), 0);
	hashes_done(&h);
}

static void
zero_is_a_hash_too(void **state)
{
	struct hashes h = {0};
	struct err e = {0};

	(void)state;
	assert_false(hashes_has(&h, 0));
	assert_int_equal(hashes_add(&h, 0, &e), 0);
	assert_int_equal(hashes_add(&h, 0, &e), 1);
	assert_true(hashes_has(&h, 0));
	assert_false(hashes_has(&h, 64));
	hashes_done(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_is_new_once),
	    cmocka_unit_test(those_that_meet_in_a_slot_are_told_apart),
	    cmocka_unit_test(zero_is_a_hash_too),
	};

	return cmocka_run_group_tests_name("core_hashes", tests, NULL, NULL);
}
