/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <zlib.h>

#include "core/buf.h"
#include "core/err.h"

struct fixture {
	struct member_packer *packer;
	struct member_unpacker *unpacker;
	struct buf packed, plain;
	struct err e;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(member_packer_new(&f->packer, MEMBER_LEVEL_DEFAULT, &f->e), 0);
	assert_int_equal(member_unpacker_new(&f->unpacker, &f->e), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	member_packer_free(f->packer);
	member_unpacker_free(f->unpacker);
	buf_done(&f->packed);
	buf_done(&f->plain);
	free(f);
	return 0;
}

static uint64_t
next_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Bytes that pack to some degree: each kind is something that deflate treats its own way. */
static uint8_t *
sample(size_t len, int kind)
{
	uint8_t *p = malloc(len + 1);
	uint64_t s = 0x9e3779b97f4a7c15u + (uint64_t)kind;

	assert_non_null(p);
	for (size_t i = 0; i < len; i++) {
		uint64_t r = next_random(&s);

		p[i] = kind == 0 ? 0 : kind == 1 ? (uint8_t)r : (uint8_t) "etaoin shrdlu\n"[r % 14];
	}
	return p;
}

static void
expect_corrupt(struct fixture *f, const void *packed, size_t len, size_t plain_len)
{
	/* In a block of its own, so that asan sees a read past its end. */
	uint8_t *copy = malloc(len + 1);

	assert_non_null(copy);
	memcpy(copy, packed, len);
	err_clear(&f->e);
	assert_int_equal(member_unpack(f->unpacker, copy, len, plain_len, &f->plain, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
	free(copy);
}

static void
what_is_packed_unpacks_the_same(void **state)
{
	static const size_t lens[] = {0, 1, 511, 512, 65535, 65536, 1 << 20, (1 << 20) + 511};
	struct fixture *f = *state;

	for (int level = 1; level <= 12; level += level < 6 ? 5 : 3) {
		struct member_packer *p;

		assert_int_equal(member_packer_new(&p, level, &f->e), 0);
		for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]) * 3; i++) {
			size_t len = lens[i / 3];
			uint8_t *plain = sample(len, (int)(i % 3));

			buf_clear(&f->packed);
			assert_int_equal(member_pack(p, plain, len, &f->packed, &f->e), 0);
			assert_int_equal(member_claimed_len(f->packed.data, f->packed.len), len);
			assert_int_equal(member_unpack(f->unpacker, f->packed.data, f->packed.len,
					     len, &f->plain, &f->e),
			    0);
			assert_int_equal(f->plain.len, len);
			assert_memory_equal(f->plain.data, plain, len);
			free(plain);
		}
		member_packer_free(p);
	}
}

static void
a_member_has_exactly_the_header_of_the_format(void **state)
{
	static const uint8_t want[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};
	struct fixture *f = *state;

	assert_int_equal(member_pack(f->packer, "tarseal", 7, &f->packed, &f->e), 0);
	assert_memory_equal(f->packed.data, want, sizeof(want));
	assert_memory_equal(f->packed.data + f->packed.len - 4, "\7\0\0\0", 4);
}

static void
the_same_bytes_give_the_same_member_whatever_was_packed_before(void **state)
{
	struct fixture *f = *state;
	struct buf first = {0};
	uint8_t *a = sample(300000, 2), *b = sample(200000, 1);
	struct member_packer *other;

	assert_int_equal(member_packer_new(&other, MEMBER_LEVEL_DEFAULT, &f->e), 0);
	assert_int_equal(member_pack(other, a, 300000, &first, &f->e), 0);
	assert_int_equal(member_pack(f->packer, b, 200000, &f->packed, &f->e), 0);
	buf_clear(&f->packed);
	assert_int_equal(member_pack(f->packer, a, 300000, &f->packed, &f->e), 0);
	assert_int_equal(f->packed.len, first.len);
	assert_memory_equal(f->packed.data, first.data, first.len);
	member_packer_free(other);
	buf_done(&first);
	free(a);
	free(b);
}

static void
packing_appends(void **state)
{
	struct fixture *f = *state;
	size_t one;

	assert_int_equal(member_pack(f->packer, "one", 3, &f->packed, &f->e), 0);
	one = f->packed.len;
	assert_int_equal(member_pack(f->packer, "three", 5, &f->packed, &f->e), 0);
	assert_int_equal(member_unpack(f->unpacker, f->packed.data, one, 3, &f->plain, &f->e), 0);
	assert_memory_equal(f->plain.data, "one", 3);
	assert_int_equal(member_unpack(f->unpacker, f->packed.data + one, f->packed.len - one, 5,
			     &f->plain, &f->e),
	    0);
	assert_memory_equal(f->plain.data, "three", 5);
}

/* gzip(1) and tar -z see one file in a run of members; zlib stands for them here. */
static void
zlib_reads_a_run_of_members(void **state)
{
	struct fixture *f = *state;
	uint8_t *a = sample(100000, 2), *got = malloc(100005);
	z_stream z = {0};
	int rc;

	assert_non_null(got);
	assert_int_equal(member_pack(f->packer, a, 100000, &f->packed, &f->e), 0);
	assert_int_equal(member_pack(f->packer, NULL, 0, &f->packed, &f->e), 0);
	assert_int_equal(member_pack(f->packer, "tail!", 5, &f->packed, &f->e), 0);
	z.next_in = f->packed.data;
	z.avail_in = (uInt)f->packed.len;
	z.next_out = got;
	z.avail_out = 100005;
	assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
	while ((rc = inflate(&z, Z_NO_FLUSH)) == Z_STREAM_END && z.avail_in > 0)
		assert_int_equal(inflateReset(&z), Z_OK);
	assert_int_equal(rc, Z_STREAM_END);
	assert_int_equal(z.avail_out, 0);
	assert_memory_equal(got, a, 100000);
	assert_memory_equal(got + 100000, "tail!", 5);
	(void)inflateEnd(&z);
	free(a);
	free(got);
}

static void
unpack_refuses_trailing_bytes(void **state)
{
	struct fixture *f = *state;
	uint8_t *a = sample(5000, 2);
	struct buf b = {0};

	assert_int_equal(member_pack(f->packer, a, 5000, &f->packed, &f->e), 0);
	/* A second member, and bytes put in before the trailer. */
	buf_append(&b, f->packed.data, f->packed.len);
	buf_append(&b, f->packed.data, f->packed.len);
	expect_corrupt(f, b.data, b.len, 5000);
	for (size_t n = 1; n < 20; n++) {
		buf_clear(&b);
		buf_append(&b, f->packed.data, f->packed.len - 8);
		buf_zeros(&b, n);
		buf_append(&b, f->packed.data + f->packed.len - 8, 8);
		expect_corrupt(f, b.data, b.len, 5000);
	}
	buf_done(&b);
	free(a);
}

static void
unpack_refuses_other_lengths(void **state)
{
	struct fixture *f = *state;
	uint8_t *a = sample(5000, 2);

	assert_int_equal(member_pack(f->packer, a, 5000, &f->packed, &f->e), 0);
	expect_corrupt(f, f->packed.data, f->packed.len, 0);
	expect_corrupt(f, f->packed.data, f->packed.len, 4999);
	expect_corrupt(f, f->packed.data, f->packed.len, 5001);
	expect_corrupt(f, f->packed.data, f->packed.len, SIZE_MAX);
	/* The trailer and the caller agree, and the deflate stream is shorter or longer. */
	f->packed.data[f->packed.len - 4]++;
	expect_corrupt(f, f->packed.data, f->packed.len, 5001);
	f->packed.data[f->packed.len - 4] = (uint8_t)(f->packed.data[f->packed.len - 4] - 2);
	expect_corrupt(f, f->packed.data, f->packed.len, 4999);
	free(a);
}

static void
unpack_refuses_more_than_any_member_holds(void **state)
{
	struct fixture *f = *state;
	size_t cap;

	assert_int_equal(member_pack(f->packer, "x", 1, &f->packed, &f->e), 0);
	memcpy(f->packed.data + f->packed.len - 4, "\xff\xff\xff\xff", 4);
	cap = f->plain.cap;
	expect_corrupt(f, f->packed.data, f->packed.len, 0xffffffffu);
	expect_corrupt(f, f->packed.data, f->packed.len, (size_t)MEMBER_PLAIN_MAX + 1);
	assert_int_equal(f->plain.cap, cap);
	assert_int_equal(
	    member_pack(f->packer, "x", (size_t)MEMBER_PLAIN_MAX + 1, &f->packed, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_UNSUPPORTED);
}

static void
unpack_refuses_every_truncation(void **state)
{
	struct fixture *f = *state;
	uint8_t *a = sample(3000, 2);

	assert_int_equal(member_pack(f->packer, a, 3000, &f->packed, &f->e), 0);
	for (size_t n = 0; n < f->packed.len; n++)
		expect_corrupt(f, f->packed.data, n, 3000);
	assert_int_equal(member_claimed_len(f->packed.data, 17), 0);
	free(a);
}

/* Flipping a bit of the deflate stream may keep it sound, but not with the same CRC. */
static void
unpack_refuses_every_flipped_bit_that_counts(void **state)
{
	struct fixture *f = *state;
	uint8_t *a = sample(600, 2);

	assert_int_equal(member_pack(f->packer, a, 600, &f->packed, &f->e), 0);
	/* The last bits before the trailer may be padding, which says nothing. */
	size_t padded = f->packed.len - 9;
	for (size_t bit = 0; bit < f->packed.len * 8; bit++) {
		f->packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		buf_clear(&f->plain);
		if (bit / 8 == padded &&
		    member_unpack(
			f->unpacker, f->packed.data, f->packed.len, 600, &f->plain, &f->e) == 0)
			assert_memory_equal(f->plain.data, a, 600);
		else
			expect_corrupt(f, f->packed.data, f->packed.len, 600);
		f->packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(a);
}

static void
a_failed_unpack_leaves_nothing_in_plain(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(member_pack(f->packer, "good", 4, &f->packed, &f->e), 0);
	assert_int_equal(
	    member_unpack(f->unpacker, f->packed.data, f->packed.len, 4, &f->plain, &f->e), 0);
	expect_corrupt(f, f->packed.data, f->packed.len - 1, 4);
	assert_int_equal(f->plain.len, 0);
}

/* gzip members with the flags given and bytes put in after the ten of the header. */
static void
with_header(struct fixture *f, uint8_t flags, const void *more, size_t len, struct buf *out)
{
	buf_clear(out);
	buf_clear(&f->packed);
	assert_int_equal(member_pack(f->packer, "plain", 5, &f->packed, &f->e), 0);
	buf_append(out, f->packed.data, 10);
	out->data[3] = flags;
	buf_append(out, more, len);
	buf_append(out, f->packed.data + 10, f->packed.len - 10);
}

static void
an_extra_field_is_read_past(void **state)
{
	struct fixture *f = *state;
	struct buf b = {0}, extra = {0};

	with_header(f, 4, "\0\0", 2, &b);
	assert_int_equal(member_unpack(f->unpacker, b.data, b.len, 5, &f->plain, &f->e), 0);
	with_header(f, 4, "\11\0TS\1\0xQQ\0\0", 11, &b);
	assert_int_equal(member_unpack(f->unpacker, b.data, b.len, 5, &f->plain, &f->e), 0);
	assert_memory_equal(f->plain.data, "plain", 5);
	buf_append(&extra, "\xff\xffTS\xfb\xff", 6);
	buf_zeros(&extra, 0xfffb);
	with_header(f, 4, extra.data, extra.len, &b);
	assert_int_equal(member_unpack(f->unpacker, b.data, b.len, 5, &f->plain, &f->e), 0);
	buf_done(&b);
	buf_done(&extra);
}

static void
an_extra_field_that_is_not_sound_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {
	    {"\1\0x", 3}, /* no room for a subfield's head */
	    {"\3\0abc", 5}, {"\4\0TS\1\0", 6}, /* a subfield past the end */
	    {"\6\0TS\1\0xy", 8}, /* a byte left over */
	    {"\xff\xffTS\0\0", 6}, /* longer than the member */
	};
	struct fixture *f = *state;
	struct buf b = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		with_header(f, 4, bad[i].bytes, bad[i].len, &b);
		expect_corrupt(f, b.data, b.len, 5);
	}
	/* An extra field that reaches into the trailer. */
	with_header(f, 4, "\1\0", 2, &b);
	expect_corrupt(f, b.data, 19, 5);
	expect_corrupt(f, b.data, 20, 5);
	buf_done(&b);
}

static void
names_comments_times_and_reserved_flags_are_refused(void **state)
{
	struct fixture *f = *state;
	struct buf b = {0};

	with_header(f, 0x08, "name", 5, &b);
	expect_corrupt(f, b.data, b.len, 5);
	with_header(f, 0x10, "comment", 8, &b);
	expect_corrupt(f, b.data, b.len, 5);
	for (unsigned flag = 1; flag < 256; flag <<= 1) {
		with_header(f, (uint8_t)flag, "", 0, &b);
		expect_corrupt(f, b.data, b.len, 5);
	}
	for (size_t at = 0; at < 10; at++) {
		with_header(f, 0, "", 0, &b);
		b.data[at] ^= 1;
		expect_corrupt(f, b.data, b.len, 5);
	}
	buf_done(&b);
}

/* ---- padding ---- */

#define PLAIN_MAX (70u << 10)

/* The member in f->packed inflates to plain, by us and by zlib. */
static void
expect_plain(struct fixture *f, const void *plain, size_t len)
{
	static uint8_t got[PLAIN_MAX + 1];
	z_stream z = {.next_in = f->packed.data,
	    .avail_in = (uInt)f->packed.len,
	    .next_out = got,
	    .avail_out = sizeof(got)};

	assert_int_equal(
	    member_unpack(f->unpacker, f->packed.data, f->packed.len, len, &f->plain, &f->e), 0);
	assert_memory_equal(f->plain.data, plain, len);
	assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.avail_in, 0);
	assert_int_equal(z.total_out, len);
	assert_memory_equal(got, plain, len);
	(void)inflateEnd(&z);
}

/* Dense bytes are stored, so each length gives a member one byte longer. */
static void
pack_len(struct fixture *f, const uint8_t *dense, size_t len)
{
	buf_clear(&f->packed);
	assert_int_equal(member_pack(f->packer, dense, len, &f->packed, &f->e), 0);
}

/* The field as docs/FORMAT.md has it. */
static void
expect_padding(const struct buf *packed, size_t pad)
{
	const uint8_t *p = packed->data;

	assert_memory_equal(p, "\x1f\x8b\x08", 3);
	assert_int_equal(p[3], pad > 0 ? 4 : 0);
	assert_memory_equal(p + 4, "\0\0\0\0\0\xff", 6);
	if (pad == 0)
		return;
	assert_true(pad >= 6);
	assert_int_equal(p[10] | p[11] << 8, pad - 2);
	assert_memory_equal(p + 12, "TP", 2);
	assert_int_equal(p[14] | p[15] << 8, pad - 6);
	for (size_t i = 6; i < pad; i++)
		assert_int_equal(p[10 + i], 0);
}

static void
a_member_of_any_length_is_padded_to_the_next_block_that_has_room_for_the_field(void **state)
{
	static const size_t blocks[] = {512, 1024, 4096, MEMBER_BLOCK_MAX};
	struct fixture *f = *state;
	uint8_t *dense = sample(PLAIN_MAX, 1);

	for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++) {
		size_t block = blocks[b], step = block > 4096 ? 7 : 1;
		for (size_t n = block; n <= 2 * block + 8; n += step) {
			pack_len(f, dense, n);
			size_t before = f->packed.len, pad = -before & (block - 1);
			pad += pad > 0 && pad < 6 ? block : 0;
			assert_int_equal(member_align(&f->packed, block, &f->e), 0);
			assert_int_equal(f->packed.len % block, 0);
			assert_int_equal(f->packed.len, before + pad);
			expect_padding(&f->packed, pad);
			if (block <= 1024 || n % 61 == 0 || pad < 8 || pad > block - 8)
				expect_plain(f, dense, n);
		}
	}
	free(dense);
}

static void
padding_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t *dense = sample(PLAIN_MAX, 1);
	struct buf once = {0};

	for (size_t n = 0; n < 600; n++) {
		pack_len(f, dense, n);
		assert_int_equal(member_align(&f->packed, 512, &f->e), 0);
		buf_clear(&once);
		buf_append(&once, f->packed.data, f->packed.len);
		assert_int_equal(member_align(&f->packed, 512, &f->e), 0);
		assert_int_equal(f->packed.len, once.len);
		assert_memory_equal(f->packed.data, once.data, once.len);
	}
	buf_done(&once);
	free(dense);
}

/* What was padded to another block has what it would have had at once, if it is to change. */
static void
a_member_is_padded_to_another_block_as_if_it_never_was(void **state)
{
	static const size_t blocks[] = {512, 4096, MEMBER_BLOCK_MAX};
	struct fixture *f = *state;
	uint8_t *dense = sample(PLAIN_MAX, 1);
	struct buf direct = {0};

	for (size_t i = 0; i < 9 * 1200; i++) {
		size_t from = blocks[i % 3], to = blocks[i / 3 % 3], n = 3400 + i / 9;
		pack_len(f, dense, n);
		assert_int_equal(member_align(&f->packed, to, &f->e), 0);
		buf_clear(&direct);
		buf_append(&direct, f->packed.data, f->packed.len);
		pack_len(f, dense, n);
		assert_int_equal(member_align(&f->packed, from, &f->e), 0);
		bool stays = f->packed.len % to == 0;
		size_t before = f->packed.len;
		assert_int_equal(member_align(&f->packed, to, &f->e), 0);
		assert_int_equal(f->packed.len, stays ? before : direct.len);
		if (!stays)
			assert_memory_equal(f->packed.data, direct.data, direct.len);
		expect_plain(f, dense, n);
	}
	buf_done(&direct);
	free(dense);
}

/* The member ends where its memory does, so that asan sees a move past it. */
static void
padding_finds_its_own_room(void **state)
{
	struct fixture *f = *state;

	for (size_t block = 512; block <= MEMBER_BLOCK_MAX; block *= 2) {
		struct buf tight = {0};

		pack_len(f, (const uint8_t *)"five!", 5);
		tight.data = malloc(f->packed.len);
		assert_non_null(tight.data);
		memcpy(tight.data, f->packed.data, f->packed.len);
		tight.len = tight.cap = f->packed.len;
		assert_int_equal(member_align(&tight, block, &f->e), 0);
		assert_int_equal(tight.len, block);
		assert_int_equal(
		    member_unpack(f->unpacker, tight.data, tight.len, 5, &f->plain, &f->e), 0);
		buf_done(&tight);
	}
}

static void
what_is_no_member_of_ours_is_not_padded(void **state)
{
	struct fixture *f = *state;
	struct buf b = {0};

	with_header(f, 0x08, "name", 5, &b);
	assert_int_equal(member_align(&b, 512, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
	with_header(f, 4, "\3\0abc", 5, &b);
	err_clear(&f->e);
	assert_int_equal(member_align(&b, 512, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_CORRUPT);
	for (size_t n = 0; n < 18; n++) {
		with_header(f, 0, "", 0, &b);
		b.len = n;
		err_clear(&f->e);
		assert_int_equal(member_align(&b, 512, &f->e), -1);
		assert_int_equal(b.len, n);
	}
	buf_done(&b);
}

static void
levels_outside_1_to_12_are_usage_errors(void **state)
{
	struct fixture *f = *state;
	struct member_packer *p = NULL;

	assert_int_equal(member_packer_new(&p, 0, &f->e), -1);
	assert_int_equal(f->e.kind, ERR_USAGE);
	assert_int_equal(member_packer_new(&p, 13, &f->e), -1);
	assert_null(p);
	member_packer_free(NULL);
	member_unpacker_free(NULL);
}

static void
the_packer_names_library_and_level(void **state)
{
	char name[64];

	(void)state;
	member_packer_name(9, name);
	assert_int_equal(strncmp(name, "libdeflate ", 11), 0);
	assert_string_equal(strstr(name, " level"), " level 9");
}

/* Random damage, the same on every run; each result is an error or the same bytes. */
static void
random_mutations_never_harm(void **state)
{
	struct fixture *f = *state;
	uint8_t *a = sample(2000, 2);
	struct buf b = {0};
	uint64_t s = 20260209;
	clock_t end = clock() + CLOCKS_PER_SEC;

	assert_int_equal(member_pack(f->packer, a, 2000, &f->packed, &f->e), 0);
	for (int i = 0; i < 20000 && clock() < end; i++) {
		size_t len;

		buf_clear(&b);
		buf_append(&b, f->packed.data, f->packed.len);
		for (uint64_t n = 1 + next_random(&s) % 4; n > 0; n--)
			b.data[next_random(&s) % b.len] = (uint8_t)next_random(&s);
		len = next_random(&s) % 8 == 0 ? next_random(&s) % b.len : b.len;
		if (member_unpack(f->unpacker, b.data, len, 2000, &f->plain, &f->e) == 0)
			assert_memory_equal(f->plain.data, a, 2000);
		else
			assert_int_equal(f->e.kind, ERR_CORRUPT);
	}
	buf_done(&b);
	free(a);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_is_packed_unpacks_the_same),
	    TEST(a_member_has_exactly_the_header_of_the_format),
	    TEST(the_same_bytes_give_the_same_member_whatever_was_packed_before),
	    TEST(packing_appends),
	    TEST(zlib_reads_a_run_of_members),
	    TEST(unpack_refuses_trailing_bytes),
	    TEST(unpack_refuses_other_lengths),
	    TEST(unpack_refuses_more_than_any_member_holds),
	    TEST(unpack_refuses_every_truncation),
	    TEST(unpack_refuses_every_flipped_bit_that_counts),
	    TEST(a_failed_unpack_leaves_nothing_in_plain),
	    TEST(an_extra_field_is_read_past),
	    TEST(an_extra_field_that_is_not_sound_is_refused),
	    TEST(names_comments_times_and_reserved_flags_are_refused),
	    TEST(a_member_of_any_length_is_padded_to_the_next_block_that_has_room_for_the_field),
	    TEST(padding_again_changes_nothing),
	    TEST(a_member_is_padded_to_another_block_as_if_it_never_was),
	    TEST(padding_finds_its_own_room),
	    TEST(what_is_no_member_of_ours_is_not_padded),
	    TEST(levels_outside_1_to_12_are_usage_errors),
	    TEST(the_packer_names_library_and_level),
	    TEST(random_mutations_never_harm),
	};

	return cmocka_run_group_tests_name("archive/member", tests, NULL, NULL);
}
