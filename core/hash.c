/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL 3 calls SHA256_Update() and its kin deprecated in favour of EVP.  They
 * are the same code (with the CPU's SHA instructions) without EVP's allocation,
 * and their state is plain memory, which a hash that must be set back to an
 * earlier point needs.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "core/hash.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdalign.h>
#include <string.h>

#include "core/buf.h"

static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "SHA256_CTX fits");
static_assert(alignof(SHA256_CTX) <= alignof(struct sha256), "SHA256_CTX is aligned");

/* Only OpenSSL looks inside, so that the type of the memory is always its own. */
static SHA256_CTX *
ctx(struct sha256 *h)
{
	return (SHA256_CTX *)(void *)h->opaque;
}

void
sha256_init(struct sha256 *h)
{
	*h = (struct sha256){0};
	(void)SHA256_Init(ctx(h));
}

void
sha256_update(struct sha256 *h, const void *data, size_t len)
{
	if (len > 0)
		(void)SHA256_Update(ctx(h), data, len);
}

void
sha256_final(struct sha256 *h, uint8_t out[SHA256_LEN])
{
	(void)SHA256_Final(out, ctx(h));
}

void
sha256_of(const void *data, size_t len, uint8_t out[SHA256_LEN])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_update(&h, data, len);
	sha256_final(&h, out);
}

void
sha256_hex(const uint8_t digest[SHA256_LEN], char out[SHA256_HEX_LEN + 1])
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < SHA256_LEN; i++) {
		out[2 * i] = hex[digest[i] >> 4];
		out[2 * i + 1] = hex[digest[i] & 15];
	}
	out[SHA256_HEX_LEN] = '\0';
}

void
sha256_put(struct buf *text, const uint8_t digest[SHA256_LEN])
{
	char hex[SHA256_HEX_LEN + 1];

	sha256_hex(digest, hex);
	buf_append(text, hex, SHA256_HEX_LEN);
}

/* What a lower-case hex digit stands for, one more; 0: none is it.  Manifests are full of them. */
static const uint8_t nibbles[256] = {
    ['0'] = 1,
    ['1'] = 2,
    ['2'] = 3,
    ['3'] = 4,
    ['4'] = 5,
    ['5'] = 6,
    ['6'] = 7,
    ['7'] = 8,
    ['8'] = 9,
    ['9'] = 10,
    ['a'] = 11,
    ['b'] = 12,
    ['c'] = 13,
    ['d'] = 14,
    ['e'] = 15,
    ['f'] = 16,
};

int
sha256_unhex(const char *s, uint8_t out[SHA256_LEN])
{
	uint8_t digest[SHA256_LEN];
	unsigned high, low;

	/* A string that ends early stops this at its NUL. */
	for (size_t i = 0; i < SHA256_LEN; i++) {
		if ((high = nibbles[(uint8_t)s[2 * i]]) == 0 ||
		    (low = nibbles[(uint8_t)s[2 * i + 1]]) == 0)
			return -1;
		digest[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	memcpy(out, digest, SHA256_LEN);
	return 0;
}

uint64_t
hash_cut(const void *data, size_t len)
{
	uint8_t digest[SHA256_LEN];
	uint64_t n = 0;
	size_t i;

	sha256_of(data, len, digest);
	for (i = 0; i < 8; i++)
		n = n << 8 | digest[i];
	return n;
}
