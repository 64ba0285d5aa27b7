/* SPDX-License-Identifier: BSD-2-Clause */
/* See hash.c for why not EVP: here the state's words are needed. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/sha.h>
#include <stdbool.h>

#include "core/hash.h"

/*
 * SHA-256 waits: each pair of rounds needs the one before, and a processor's SHA
 * instructions take several times as long as the next one could start.  Two hashes over
 * the same bytes fill each other's waits, and share the message schedule, so that both
 * take little longer than one does.  Where the two stand at different places in their
 * blocks, or without the instructions, it is one after the other.
 */
static void
one_by_one(struct sha256 *a, struct sha256 *b, const void *data, size_t len)
{
	sha256_update(a, data, len);
	sha256_update(b, data, len);
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdatomic.h>

#define SHA_BLOCK 64
#define LEAF7_EBX_SHA (1u << 29)

static const uint32_t k[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b,
    0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74,
    0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3,
    0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354,
    0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
    0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3,
    0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
    0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The eight words of a state as the instructions want them: a b e f, and c d g h. */
struct halves {
	__m128i abef, cdgh;
};

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

WITH_SHA static inline struct halves
split(const SHA256_CTX *c)
{
	__m128i low = _mm_loadu_si128((const __m128i *)(const void *)&c->h[0]);
	__m128i high = _mm_loadu_si128((const __m128i *)(const void *)&c->h[4]);

	low = _mm_shuffle_epi32(low, 0xb1);
	high = _mm_shuffle_epi32(high, 0x1b);
	return (struct halves){_mm_alignr_epi8(low, high, 8), _mm_blend_epi16(high, low, 0xf0)};
}

WITH_SHA static inline void
join(SHA256_CTX *c, struct halves s)
{
	__m128i low = _mm_shuffle_epi32(s.abef, 0x1b), high = _mm_shuffle_epi32(s.cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)(void *)&c->h[0], _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)&c->h[4], _mm_alignr_epi8(high, low, 8));
}

/* Four words of the schedule, from the sixteen before. */
WITH_SHA static inline __m128i
schedule(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
	__m128i x = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));

	return _mm_sha256msg2_epu32(x, w3);
}

/* Two rounds each for both, twice. */
WITH_SHA static inline void
four_rounds(struct halves *a, struct halves *b, __m128i wk)
{
	__m128i high = _mm_shuffle_epi32(wk, 0x0e);

	a->cdgh = _mm_sha256rnds2_epu32(a->cdgh, a->abef, wk);
	b->cdgh = _mm_sha256rnds2_epu32(b->cdgh, b->abef, wk);
	a->abef = _mm_sha256rnds2_epu32(a->abef, a->cdgh, high);
	b->abef = _mm_sha256rnds2_epu32(b->abef, b->cdgh, high);
}

WITH_SHA static inline void
add(struct halves *s, struct halves before)
{
	s->abef = _mm_add_epi32(s->abef, before.abef);
	s->cdgh = _mm_add_epi32(s->cdgh, before.cdgh);
}

WITH_SHA static void
blocks(SHA256_CTX *a, SHA256_CTX *b, const uint8_t *p, size_t n)
{
	const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	struct halves x = split(a), y = split(b);

	for (; n > 0; n--, p += SHA_BLOCK) {
		const struct halves x_before = x, y_before = y;
		__m128i w[4];

#pragma GCC unroll 16
		for (unsigned i = 0; i < 16; i++) {
			w[i % 4] = i < 4
			    ? _mm_shuffle_epi8(
				  _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)),
				  order)
			    : schedule(w[i % 4], w[(i + 1) % 4], w[(i + 2) % 4], w[(i + 3) % 4]);
			four_rounds(&x, &y,
			    _mm_add_epi32(w[i % 4],
				_mm_loadu_si128((const __m128i *)(const void *)&k[4 * i])));
		}
		add(&x, x_before);
		add(&y, y_before);
	}
	join(a, x);
	join(b, y);
}

/* In a virtual machine the question costs more than an answer saves: it is asked once. */
static bool
has_instructions(void)
{
	enum { UNKNOWN, NO, YES };
	static atomic_int known;
	int has = atomic_load_explicit(&known, memory_order_relaxed);
	unsigned a, b, c, d;

	if (has == UNKNOWN) {
		has = __builtin_cpu_supports("sse4.1") &&
			__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & LEAF7_EBX_SHA) != 0
		    ? YES
		    : NO;
		atomic_store_explicit(&known, has, memory_order_relaxed);
	}
	return has == YES;
}

/* The length so far, in bits. */
static void
count(SHA256_CTX *c, size_t bytes)
{
	uint64_t bits = ((uint64_t)c->Nh << 32 | c->Nl) + ((uint64_t)bytes << 3);

	c->Nl = (SHA_LONG)bits;
	c->Nh = (SHA_LONG)(bits >> 32);
}

void
sha256_update_two(struct sha256 *a, struct sha256 *b, const void *data, size_t len)
{
	SHA256_CTX *x = (SHA256_CTX *)(void *)a->opaque, *y = (SHA256_CTX *)(void *)b->opaque;
	size_t whole = len - len % SHA_BLOCK;

	if (x->num == 0 && y->num == 0 && whole > 0 && has_instructions()) {
		blocks(x, y, data, whole / SHA_BLOCK);
		count(x, whole);
		count(y, whole);
		data = (const uint8_t *)data + whole;
		len -= whole;
	}
	one_by_one(a, b, data, len);
}

#else

void
sha256_update_two(struct sha256 *a, struct sha256 *b, const void *data, size_t len)
{
	one_by_one(a, b, data, len);
}

#endif
