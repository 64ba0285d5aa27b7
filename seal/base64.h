/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_BASE64_H
#define SEAL_BASE64_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Base64 (RFC 4648, section 4), with padding and without line breaks.  Decoding takes
 * canonical text only, so that bytes and text stand one for one.  (OpenSSL's
 * EVP_DecodeBlock takes white space and any trailing bits, and gives padding back as zeros.)
 */
void base64_put(struct buf *out, const uint8_t *data, size_t len);
/* All of s[0..len), at least one byte and at most max; -1 with nothing said. */
int base64_get(const char *s, size_t len, uint8_t *out, size_t max, size_t *out_len);

#endif
