/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/dense.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "archive/member.h"
#include "core/buf.h"
#include "core/err.h"

#define LEN (1u << 20)

static uint64_t
next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static uint8_t *
noise(size_t len)
{
	uint8_t *p = malloc(len);
	uint64_t s = 88172645463325252u;

	assert_non_null(p);
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(next_random(&s) >> 33);
	return p;
}

/* Length of the member that packs p. */
static size_t
packed_len(const uint8_t *p, size_t len)
{
	struct member_packer *packer;
	struct buf out = {0};
	struct err e = {0};
	size_t n;

	assert_int_equal(member_packer_new(&packer, 6, &e), 0);
	assert_int_equal(member_pack(packer, p, len, &out, &e), 0);
	n = out.len;
	member_packer_free(packer);
	buf_done(&out);
	return n;
}

static void
noise_looks_dense_and_is_stored(void **state)
{
	static const size_t lens[] = {DENSE_MIN, DENSE_MIN + 1, 100001, LEN};
	uint8_t *p = noise(LEN);

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		assert_true(dense_looks(p, lens[i]));
		assert_int_equal(packed_len(p, lens[i]), 18 + dense_stored_len(lens[i]));
	}
	assert_false(dense_looks(p, DENSE_MIN - 1));
	assert_false(dense_looks(p, 0));
	free(p);
}

static void
a_little_text_or_zeros_anywhere_do_not_look_dense(void **state)
{
	uint8_t *p = noise(LEN), *q = malloc(LEN);
	static const size_t places[] = {0, 5000, 70000, LEN / 2 + 4096, LEN - 32768};

	(void)state;
	assert_non_null(q);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		memcpy(q, p, LEN);
		for (size_t j = 0; j < 32768; j++)
			q[places[i] + j] = (uint8_t) "the quick brown fox jumps "[j % 26];
		assert_false(dense_looks(q, LEN));
		memcpy(q, p, LEN);
		memset(q + places[i], 0, 8192);
		assert_false(dense_looks(q, LEN));
	}
	free(p);
	free(q);
}

/* All byte values as often as each other, and yet it packs. */
static void
repeats_are_found_where_frequencies_are_even(void **state)
{
	uint8_t *p = noise(LEN);

	(void)state;
	for (size_t i = 8192; i < LEN; i++)
		p[i] = p[i - 8192];
	assert_true(packed_len(p, LEN) < LEN / 20);
	for (size_t i = 0; i < LEN; i++)
		p[i] = (uint8_t)i;
	assert_true(dense_looks(p, LEN));
	assert_true(packed_len(p, LEN) < LEN / 20);
	free(p);
}

static void
probes_lie_inside(void **state)
{
	static const size_t lens[] = {DENSE_MIN, DENSE_MIN + 1, 99999, LEN};
	uint8_t *p = malloc(LEN);

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		assert_ptr_equal(dense_probe(p, lens[i], 0), p);
		for (unsigned k = 1; k < DENSE_PROBES; k++) {
			size_t at = (size_t)(dense_probe(p, lens[i], k) - p);

			assert_true(at <= lens[i] - DENSE_PROBE_LEN);
			assert_true(at >= DENSE_PROBE_LEN * k);
		}
	}
	assert_true(dense_stays(DENSE_PROBE_LEN));
	assert_false(dense_stays(DENSE_PROBE_LEN - 200));
	assert_false(dense_stays(0));
	free(p);
}

static void
stored_blocks_are_sound_deflate(void **state)
{
	static const size_t lens[] = {0, 1, 65534, 65535, 65536, 131070, 131071, 200000};
	uint8_t *p = noise(200000), *got = malloc(200000);

	(void)state;
	assert_non_null(got);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		size_t n = dense_stored_len(lens[i]);
		uint8_t *out = malloc(n);
		z_stream z = {0};

		assert_non_null(out);
		dense_store(p, lens[i], out);
		z.next_in = out;
		z.avail_in = (uInt)n;
		z.next_out = got;
		z.avail_out = 200000;
		assert_int_equal(inflateInit2(&z, -MAX_WBITS), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		assert_int_equal(z.avail_in, 0);
		assert_int_equal(z.total_out, lens[i]);
		assert_memory_equal(got, p, lens[i]);
		assert_int_equal(inflateEnd(&z), Z_OK);
		free(out);
	}
	free(p);
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(noise_looks_dense_and_is_stored),
	    cmocka_unit_test(a_little_text_or_zeros_anywhere_do_not_look_dense),
	    cmocka_unit_test(repeats_are_found_where_frequencies_are_even),
	    cmocka_unit_test(probes_lie_inside),
	    cmocka_unit_test(stored_blocks_are_sound_deflate),
	};

	return cmocka_run_group_tests_name("archive/dense", tests, NULL, NULL);
}
