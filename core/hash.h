/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_HASH_H
#define CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32
#define SHA256_HEX_LEN 64

struct buf;

/*
 * SHA-256 by OpenSSL.  Plain memory, no allocation: it may be copied by
 * assignment (a state to come back to).  Nothing here fails.
 */
struct sha256 {
	uint64_t opaque[16]; /* an OpenSSL SHA256_CTX; hash.c asserts that it fits */
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *data, size_t len);
/* Both go on over the same bytes: at less than the price of two, where both stand at a block's
 * start. */
void sha256_update_two(struct sha256 *a, struct sha256 *b, const void *data, size_t len);
void sha256_final(struct sha256 *h, uint8_t out[SHA256_LEN]);
void sha256_of(const void *data, size_t len, uint8_t out[SHA256_LEN]);

/* Lower-case hex and a NUL. */
void sha256_hex(const uint8_t digest[SHA256_LEN], char out[SHA256_HEX_LEN + 1]);
/* The same, appended to text, without the NUL. */
void sha256_put(struct buf *text, const uint8_t digest[SHA256_LEN]);
/* 64 lower-case hex digits at s (need not end there), or -1. */
int sha256_unhex(const char *s, uint8_t out[SHA256_LEN]);

/* First eight bytes of SHA-256, big-endian: where archives are cut. */
uint64_t hash_cut(const void *data, size_t len);

#endif
