/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/base64.h"

#include <string.h>

#include "core/buf.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_put(struct buf *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)data[i] << 16;

		if (n > 1)
			v |= (uint32_t)data[i + 1] << 8;
		if (n > 2)
			v |= data[i + 2];
		buf_putc(out, digits[v >> 18]);
		buf_putc(out, digits[v >> 12 & 63]);
		buf_putc(out, n > 1 ? digits[v >> 6 & 63] : '=');
		buf_putc(out, n > 2 ? digits[v & 63] : '=');
	}
}

/* 0..63, or 64 for what is no digit. */
static uint32_t
value(char c)
{
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (uint32_t)(at - digits) : 64;
}

/* Four characters as n bytes: n + 1 digits, and padding, which the caller has seen. */
static int
get_quad(const char *s, size_t n, uint8_t *out)
{
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		uint32_t d = i <= n ? value(s[i]) : 0;

		if (d == 64)
			return -1;
		v = v << 6 | d;
	}
	for (size_t i = 0; i < 3; i++) {
		uint8_t byte = (uint8_t)(v >> (16 - 8 * i));

		if (i < n)
			out[i] = byte;
		else if (byte != 0) /* bits that stand for nothing */
			return -1;
	}
	return 0;
}

int
base64_get(const char *s, size_t len, uint8_t *out, size_t max, size_t *out_len)
{
	size_t pad, total;

	if (len == 0 || len % 4 != 0)
		return -1;
	pad = (size_t)(s[len - 1] == '=') + (size_t)(s[len - 1] == '=' && s[len - 2] == '=');
	total = len / 4 * 3 - pad;
	if (total > max)
		return -1;
	for (size_t i = 0; i < len / 4; i++)
		if (get_quad(s + 4 * i, i + 1 < len / 4 ? 3 : 3 - pad, out + 3 * i) == -1)
			return -1;
	*out_len = total;
	return 0;
}
