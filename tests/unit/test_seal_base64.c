/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"

static void
put_writes_what_rfc_4648_lists(void **state)
{
	static const char *const pairs[][2] = {
	    {"f", "Zg=="},
	    {"fo", "Zm8="},
	    {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	    {"\xfb\xff\xbf", "+/+/"},
	};
	struct buf b = {.data = NULL};
	uint8_t back[16];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_clear(&b);
		base64_put(&b, (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(buf_str(&b), pairs[i][1]);
		assert_int_equal(base64_get(pairs[i][1], strlen(pairs[i][1]), back, 16, &n), 0);
		assert_int_equal(n, strlen(pairs[i][0]));
		assert_memory_equal(back, pairs[i][0], n);
	}
	buf_done(&b);
}

static void
get_refuses_every_other_spelling(void **state)
{
	static const char *const bad[] = {"", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8",
	    "====", "Z===", "=Zg=", "Zg==Zg==", "Zg==\n", "Zm9v\nZg==", " Zg==", "Zm 9", "Zm9_",
	    "Zm9-", "Zm9\x80", "Z=9v", "Zm=v", "Zm9vZ==="};
	uint8_t out[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(base64_get(bad[i], strlen(bad[i]), out, sizeof(out), &n), -1);
}

static void
get_refuses_a_nul_among_the_digits(void **state)
{
	uint8_t out[8];
	size_t n;

	(void)state;
	assert_int_equal(base64_get("Zm\0v", 4, out, sizeof(out), &n), -1);
}

static void
get_writes_no_more_than_it_may(void **state)
{
	uint8_t out[8];
	size_t n = 77;

	(void)state;
	memset(out, 0xee, sizeof(out));
	assert_int_equal(base64_get("Zm9vYmFy", 8, out, 5, &n), -1);
	assert_int_equal(n, 77);
	assert_int_equal(out[0], 0xee);
	assert_int_equal(base64_get("Zm9vYmE=", 8, out, 5, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(out[5], 0xee);
}

/* All texts of four characters out of a small alphabet: accepted is what is written again. */
static void
accepted_text_is_written_again_the_same(void **state)
{
	static const char alphabet[] = "AQgw9+/=\n";
	struct buf b = {.data = NULL};
	uint8_t out[3];
	char s[5] = "";
	size_t n, accepted = 0, k = sizeof(alphabet) - 1;

	(void)state;
	for (size_t i = 0; i < k * k * k * k; i++) {
		s[0] = alphabet[i % k];
		s[1] = alphabet[i / k % k];
		s[2] = alphabet[i / k / k % k];
		s[3] = alphabet[i / k / k / k];
		if (base64_get(s, 4, out, 3, &n) == -1)
			continue;
		accepted++;
		buf_clear(&b);
		base64_put(&b, out, n);
		assert_string_equal(buf_str(&b), s);
	}
	/* Of seven digits, four (A Q g w) leave the bits behind the last byte at zero. */
	assert_int_equal(accepted, 7 * 7 * 7 * 7 + 7 * 7 * 4 + 7 * 4);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(put_writes_what_rfc_4648_lists),
	    cmocka_unit_test(get_refuses_every_other_spelling),
	    cmocka_unit_test(get_refuses_a_nul_among_the_digits),
	    cmocka_unit_test(get_writes_no_more_than_it_may),
	    cmocka_unit_test(accepted_text_is_written_again_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
