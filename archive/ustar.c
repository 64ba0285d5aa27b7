/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/ustar.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct ustar) == 512, "a tar header is one block");

static const char magic[8] = {'u', 's', 't', 'a', 'r', 0, '0', '0'};

void
ustar_init(struct ustar *h, char typeflag)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, magic, sizeof(magic));
	h->typeflag = typeflag;
	ustar_put_number(h->mode, sizeof(h->mode), 0);
	ustar_put_number(h->uid, sizeof(h->uid), 0);
	ustar_put_number(h->gid, sizeof(h->gid), 0);
	ustar_put_number(h->size, sizeof(h->size), 0);
	ustar_put_number(h->mtime, sizeof(h->mtime), 0);
	ustar_put_number(h->devmajor, sizeof(h->devmajor), 0);
	ustar_put_number(h->devminor, sizeof(h->devminor), 0);
}

/*
 * Octal with all its digits and a NUL; else base-256, two's complement with the top bit
 * of the first byte set, which every reader of today knows: a reader that passes over
 * pax records still finds the next header and the right owner.
 */
void
ustar_put_number(char *field, size_t len, int64_t v)
{
	bool octal = v >= 0 && v >> 3 * (len - 1) == 0;
	uint64_t u = (uint64_t)v;
	uint8_t fill = v < 0 ? 0xff : 0;

	if (octal) {
		field[len - 1] = '\0';
		for (size_t i = len - 1; i-- > 0; u >>= 3)
			field[i] = (char)('0' + (u & 7));
		return;
	}
	for (size_t i = len; i-- > 0; u >>= 8)
		field[i] = (char)(len - i > 8 ? fill : (uint8_t)u);
	field[0] = (char)((uint8_t)field[0] | 0x80);
}

bool
ustar_put_name(struct ustar *h, const char *name, size_t len)
{
	const char *slash;
	size_t prefix_len;

	if (len <= sizeof(h->name)) {
		memcpy(h->name, name, len);
		return true;
	}
	/* The first '/' that leaves no more than 100 bytes behind it, and not none. */
	slash = memchr(name + len - sizeof(h->name) - 1, '/', sizeof(h->name));
	if (slash == NULL || (prefix_len = (size_t)(slash - name)) > sizeof(h->prefix) ||
	    prefix_len == 0) {
		memcpy(h->name, name, sizeof(h->name));
		return false;
	}
	memcpy(h->prefix, name, prefix_len);
	memcpy(h->name, slash + 1, len - prefix_len - 1);
	return true;
}

static unsigned
checksum(const struct ustar *h)
{
	const uint8_t *p = (const uint8_t *)h;
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	for (size_t i = 0; i < sizeof(h->checksum); i++)
		sum -= (uint8_t)h->checksum[i];
	return sum + 8 * ' ';
}

void
ustar_put_checksum(struct ustar *h)
{
	ustar_put_number(h->checksum, 7, checksum(h));
	h->checksum[7] = ' ';
}

static int
get_base256(const uint8_t *p, size_t len, int64_t *v)
{
	bool negative = (p[0] & 0x40) != 0;
	uint8_t fill = negative ? 0xff : 0;
	uint64_t u = negative ? UINT64_MAX : 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t b = i == 0 ? (uint8_t)((p[0] & 0x7f) | (negative ? 0x80 : 0)) : p[i];

		if (len - i > 8 && b != fill)
			return -1;
		u = u << 8 | b;
	}
	if (u >> 63 != negative)
		return -1;
	*v = (int64_t)u;
	return 0;
}

int
ustar_get_number(const char *field, size_t len, int64_t *v)
{
	size_t i;
	uint64_t u = 0;

	if ((uint8_t)field[0] & 0x80)
		return get_base256((const uint8_t *)field, len, v);
	for (i = 0; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		u = u << 3 | (uint64_t)(field[i] - '0'); /* 12 digits at most: 36 bits */
	if (i == 0)
		return -1;
	for (; i < len; i++)
		if (field[i] != '\0' && field[i] != ' ')
			return -1;
	*v = (int64_t)u;
	return 0;
}

bool
ustar_is_sound(const struct ustar *h)
{
	int64_t sum;

	return memcmp(h->magic, magic, sizeof(magic)) == 0 &&
	    ustar_get_number(h->checksum, sizeof(h->checksum), &sum) == 0 && sum == checksum(h);
}

size_t
ustar_get_name(const struct ustar *h, char out[257])
{
	size_t n = strnlen(h->prefix, sizeof(h->prefix));
	size_t name_len = strnlen(h->name, sizeof(h->name));

	memcpy(out, h->prefix, n);
	if (n > 0)
		out[n++] = '/';
	memcpy(out + n, h->name, name_len);
	n += name_len;
	out[n] = '\0';
	return n;
}

bool
ustar_is_zero(const struct ustar *h)
{
	static const struct ustar zero;

	return memcmp(h, &zero, sizeof(zero)) == 0;
}
