/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/utf8.h"

size_t
utf8_next(const char *s, size_t len, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)s[0], next;
	uint32_t code;
	size_t n, i;

	if (first < 0x80) {
		*c = first;
		return 1;
	}
	if (first >= 0xC2 && first <= 0xDF)
		n = 2;
	else if (first >= 0xE0 && first <= 0xEF)
		n = 3;
	else if (first >= 0xF0 && first <= 0xF4)
		n = 4;
	else
		return 0;
	if (n > len)
		return 0;
	code = first & (0x7Fu >> n);
	for (i = 1; i < n; i++) {
		next = (unsigned char)s[i];
		if ((next & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (next & 0x3Fu);
	}
	if (code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*c = code;
	return n;
}
