/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/evp.h>
#include <string.h>

#include "core/buf.h"
#include "core/hash.h"
#include "tests/unit/unit.h"

#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OF_MILLION_A "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"

static void
assert_hex(const uint8_t digest[SHA256_LEN], const char *want)
{
	char hex[SHA256_HEX_LEN + 1];

	sha256_hex(digest, hex);
	assert_string_equal(hex, want);
}

static void
digests_are_those_of_fips_180(void **state)
{
	struct sha256 h;
	uint8_t out[SHA256_LEN];
	char a[1000];
	int i;

	(void)state;
	sha256_of("abc", 3, out);
	assert_hex(out, OF_ABC);
	sha256_of(NULL, 0, out);
	assert_hex(out, OF_NOTHING);
	memset(a, 'a', sizeof(a));
	sha256_init(&h);
	for (i = 0; i < 1000; i++)
		sha256_update(&h, a, sizeof(a));
	sha256_final(&h, out);
	assert_hex(out, OF_MILLION_A);
}

static void
put_appends_the_hex_alone(void **state)
{
	struct buf text = {0};
	uint8_t out[SHA256_LEN];

	(void)state;
	sha256_of("abc", 3, out);
	buf_puts(&text, "x ");
	sha256_put(&text, out);
	assert_int_equal(text.len, 2 + SHA256_HEX_LEN);
	assert_string_equal(buf_str(&text), "x " OF_ABC);
	buf_done(&text);
}

/* a stands after skew bytes, both go over the same ones, b begins there. */
static void
check_two(const uint8_t *data, size_t skew, size_t piece, size_t len)
{
	struct sha256 a, b;
	uint8_t got[SHA256_LEN], want[SHA256_LEN];

	sha256_init(&a);
	sha256_init(&b);
	sha256_update(&a, data, skew);
	for (size_t at = skew, n; at < len; at += n) {
		n = len - at < piece ? len - at : piece;
		sha256_update_two(&a, &b, data + at, n);
	}
	sha256_final(&a, got);
	sha256_of(data, len, want);
	assert_memory_equal(got, want, SHA256_LEN);
	sha256_final(&b, got);
	sha256_of(data + skew, len - skew, want);
	assert_memory_equal(got, want, SHA256_LEN);
}

static void
two_at_once_are_as_two_apart(void **state)
{
	static const size_t skews[] = {0, 1, 63, 64, 512}, pieces[] = {1, 63, 64, 65, 1000, 4096};
	uint8_t data[4096];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 131 + i / 7);
	for (i = 0; i < sizeof(skews) / sizeof(skews[0]); i++)
		for (j = 0; j < sizeof(pieces) / sizeof(pieces[0]); j++) {
			check_two(data, skews[i], pieces[j], sizeof(data));
			check_two(data, skews[i], pieces[j], 1000);
		}
	check_two(data, 0, 64, 0);
}

/* Bits are counted in two words of the state. */
static void
two_at_once_count_past_half_a_gigabyte(void **state)
{
	static uint8_t piece[1 << 20];
	struct sha256 a, b, c;
	uint8_t got[SHA256_LEN], want[SHA256_LEN];

	(void)state;
	sha256_init(&a);
	sha256_init(&b);
	sha256_init(&c);
	for (int i = 0; i < 513; i++) {
		sha256_update_two(&a, &b, piece, sizeof(piece));
		sha256_update(&c, piece, sizeof(piece));
	}
	sha256_final(&a, got);
	sha256_final(&c, want);
	assert_memory_equal(got, want, SHA256_LEN);
	sha256_final(&b, got);
	assert_memory_equal(got, want, SHA256_LEN);
}

static void
pieces_of_any_length_agree_with_evp(void **state)
{
	uint8_t data[1000], mine[SHA256_LEN], theirs[SHA256_LEN];
	struct sha256 h;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(EVP_Digest(data, sizeof(data), theirs, NULL, EVP_sha256(), NULL), 1);
	for (n = 1; n < 200; n++) {
		sha256_init(&h);
		for (i = 0; i < sizeof(data); i += n)
			sha256_update(&h, data + i, n < sizeof(data) - i ? n : sizeof(data) - i);
		sha256_final(&h, mine);
		assert_memory_equal(mine, theirs, SHA256_LEN);
	}
}

static void
a_copied_state_is_a_point_to_come_back_to(void **state)
{
	struct sha256 h, saved;
	uint8_t out[SHA256_LEN];
	char noise[150];

	(void)state;
	memset(noise, 1, sizeof(noise));
	sha256_init(&h);
	sha256_update(&h, "ab", 2);
	saved = h;
	sha256_update(&h, noise, sizeof(noise));
	sha256_final(&h, out);
	h = saved;
	sha256_update(&h, "c", 1);
	sha256_final(&h, out);
	assert_hex(out, OF_ABC);
}

static void
unhex_reverses_hex_and_needs_no_terminator(void **state)
{
	uint8_t out[SHA256_LEN];

	(void)state;
	assert_int_equal(sha256_unhex(OF_ABC "0", out), 0);
	assert_hex(out, OF_ABC);
}

static void
unhex_refuses_all_but_lower_case_hex(void **state)
{
	static const char bad[] = "gG/:`@AF -\xE1";
	char text[SHA256_HEX_LEN + 1];
	uint8_t out[SHA256_LEN];
	size_t i, place;

	(void)state;
	memset(out, 7, sizeof(out));
	/* The last one is the terminator: a string that is too short. */
	for (i = 0; i < sizeof(bad); i++) {
		for (place = 0; place < SHA256_HEX_LEN; place++) {
			memcpy(text, OF_ABC, sizeof(text));
			text[place] = bad[i];
			assert_int_equal(sha256_unhex(text, out), -1);
		}
	}
	assert_int_equal(sha256_unhex("", out), -1);
	assert_int_equal(out[0], 7);
	assert_int_equal(out[31], 7);
}

static void
cut_is_the_first_eight_bytes_big_endian(void **state)
{
	(void)state;
	assert_true(hash_cut("abc", 3) == UINT64_C(0xba7816bf8f01cfea));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digests_are_those_of_fips_180),
	    cmocka_unit_test(put_appends_the_hex_alone),
	    cmocka_unit_test(pieces_of_any_length_agree_with_evp),
	    cmocka_unit_test(two_at_once_are_as_two_apart),
	    cmocka_unit_test(two_at_once_count_past_half_a_gigabyte),
	    cmocka_unit_test(a_copied_state_is_a_point_to_come_back_to),
	    cmocka_unit_test(unhex_reverses_hex_and_needs_no_terminator),
	    cmocka_unit_test(unhex_refuses_all_but_lower_case_hex),
	    cmocka_unit_test(cut_is_the_first_eight_bytes_big_endian),
	};

	return cmocka_run_group_tests_name("core_hash", tests, NULL, NULL);
}
