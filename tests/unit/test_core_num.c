/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/err.h"
#include "core/hash.h"
#include "core/num.h"

/* FIPS 180-2, appendix B. */
static void
sha256_gives_the_standards_digests(void **state)
{
	uint8_t d[SHA256_LEN], back[SHA256_LEN];
	char hex[SHA256_HEX_LEN + 1], a[1000];
	struct sha256 h, copy;
	int i;

	(void)state;
	sha256_of("abc", 3, d);
	sha256_hex(d, hex);
	assert_string_equal(
	    hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sha256_unhex(hex, back), 0);
	assert_memory_equal(d, back, SHA256_LEN);

	memset(a, 'a', sizeof(a));
	sha256_init(&h);
	for (i = 0; i < 999; i++)
		sha256_update(&h, a, sizeof(a));
	copy = h;
	sha256_update(&h, "something else", 14);
	sha256_update(&copy, a, sizeof(a));
	sha256_final(&copy, d);
	sha256_hex(d, hex);
	assert_string_equal(
	    hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void
hex_is_lower_case_and_whole(void **state)
{
	uint8_t d[SHA256_LEN];

	(void)state;
	assert_int_equal(sha256_unhex("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20"
				      "015ad",
			     d),
	    -1);
	assert_int_equal(sha256_unhex("ba7816", d), -1);
}

static void
cuts_hash_by_the_first_eight_bytes(void **state)
{
	(void)state;
	assert_true(hash_cut("abc", 3) == 0xba7816bf8f01cfeaull);
	assert_true(hash_cut("", 0) == 0xe3b0c44298fc1c14ull);
}

static void
numbers_are_read_strictly(void **state)
{
	static const char *const bad[] = {
	    "", "01", "+1", " 1", "1 ", "-1", "0x1", "1e3", "18446744073709551616"};
	uint64_t u = 77;
	int64_t i;
	size_t k;

	(void)state;
	for (k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
		assert_int_equal(num_u64(bad[k], strlen(bad[k]), UINT64_MAX, &u), -1);
	assert_int_equal(num_u64("11", 2, 10, &u), -1);
	assert_int_equal(u, 77);
	assert_int_equal(num_u64("18446744073709551615", 20, UINT64_MAX, &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(num_i64("-9223372036854775808", 20, &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(num_i64("9223372036854775808", 19, &i), -1);
	assert_int_equal(num_i64("-0", 2, &i), -1);
	assert_int_equal(num_i64("-", 1, &i), -1);
	assert_int_equal(num_octal("0755", 4, 07777, &u), 0);
	assert_int_equal(u, 0755);
	assert_int_equal(num_octal("8", 1, 07777, &u), -1);
	assert_int_equal(num_octal("10000", 5, 07777, &u), -1);
}

static void
sizes_are_shown_as_ls_does(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} cases[] = {{0, "0"}, {1023, "1023"}, {1024, "1.0K"}, {1025, "1.1K"}, {10240, "10K"},
	    {10241, "11K"}, {1048576, "1.0M"}, {245366784, "234M"}, {1047553, "1.0M"},
	    {UINT64_MAX, "16E"}};
	char out[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		num_human(cases[i].n, out);
		assert_string_equal(out, cases[i].text);
	}
}

static void
durations_have_units(void **state)
{
	static const char *const bad[] = {"", "h", "-1h", "1w", "1.5h", "1h30m",
	    "999999999999999999999d", "18446744073709551615d"};
	struct err e = {0};
	uint64_t s;
	size_t i;

	(void)state;
	assert_int_equal(num_duration("26h", &s, &e), 0);
	assert_int_equal(s, 26 * 3600);
	assert_int_equal(num_duration("90", &s, &e), 0);
	assert_int_equal(s, 90);
	assert_int_equal(num_duration("7d", &s, &e), 0);
	assert_int_equal(s, 7 * 86400);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(num_duration(bad[i], &s, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_gives_the_standards_digests),
	    cmocka_unit_test(hex_is_lower_case_and_whole),
	    cmocka_unit_test(cuts_hash_by_the_first_eight_bytes),
	    cmocka_unit_test(numbers_are_read_strictly),
	    cmocka_unit_test(sizes_are_shown_as_ls_does),
	    cmocka_unit_test(durations_have_units),
	};

	return cmocka_run_group_tests_name("core_num", tests, NULL, NULL);
}
