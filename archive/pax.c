/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/pax.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/num.h"

#define NSEC 1000000000u
#define NUMBER_MAX 32 /* any number as text, with sign, fraction and NUL */

/* The length counts its own digits, which may make it a digit longer. */
static void
put_head(struct buf *out, size_t rest)
{
	char text[NUMBER_MAX];
	size_t digits = num_digits(rest, text);

	if (num_digits(rest + digits, text) > digits)
		digits++;
	(void)num_digits(rest + digits, text);
	buf_append(out, text, digits);
}

void
pax_put(struct buf *out, const char *keyword, const void *value, size_t len)
{
	size_t keyword_len = strlen(keyword);

	put_head(out, 1 + keyword_len + 1 + len + 1);
	buf_putc(out, ' ');
	buf_append(out, keyword, keyword_len);
	buf_putc(out, '=');
	buf_append(out, value, len);
	buf_putc(out, '\n');
}

void
pax_put_string(struct buf *out, const char *keyword, const char *value)
{
	pax_put(out, keyword, value, strlen(value));
}

void
pax_put_number(struct buf *out, const char *keyword, uint64_t value)
{
	char text[NUMBER_MAX];

	pax_put(out, keyword, text, num_digits(value, text));
}

void
pax_put_time(struct buf *out, const char *keyword, int64_t sec, uint32_t nsec)
{
	char text[NUMBER_MAX];
	uint64_t whole = (uint64_t)sec;
	size_t len = 0;

	if (sec < 0) {
		/* sec + nsec / 1e9 as a sign and a magnitude. */
		text[len++] = '-';
		whole = nsec > 0 ? (uint64_t) - (sec + 1) : -(uint64_t)sec;
		nsec = nsec > 0 ? NSEC - nsec : 0;
	}
	len += num_digits(whole, text + len);
	text[len++] = '.';
	for (uint32_t unit = NSEC / 10; unit > 0; unit /= 10)
		text[len++] = (char)('0' + nsec / unit % 10);
	pax_put(out, keyword, text, len);
}

void
pax_put_xattr(struct buf *out, const char *name, const void *value, size_t len)
{
	static const char prefix[] = "SCHILY.xattr.";
	size_t name_len = strlen(name);

	for (const char *s = name; *s != '\0'; s++)
		if (*s == '%' || *s == '=')
			name_len += 2;
	put_head(out, 1 + sizeof(prefix) - 1 + name_len + 1 + len + 1);
	buf_putc(out, ' ');
	buf_puts(out, prefix);
	for (const char *s = name; *s != '\0'; s++) {
		if (*s == '%')
			buf_puts(out, "%25");
		else if (*s == '=')
			buf_puts(out, "%3D");
		else
			buf_putc(out, *s);
	}
	buf_putc(out, '=');
	buf_append(out, value, len);
	buf_putc(out, '\n');
}

int
pax_next(char **at, char *end, struct pax_record *r)
{
	char *s = *at, *space, *equals;
	size_t left = (size_t)(end - s);
	uint64_t len;

	if (left == 0)
		return 0;
	if ((space = memchr(s, ' ', left < NUMBER_MAX ? left : NUMBER_MAX)) == NULL ||
	    num_u64(s, (size_t)(space - s), left, &len) != 0 || len < (size_t)(space - s) + 2 ||
	    s[len - 1] != '\n')
		return -1;
	if ((equals = memchr(space + 1, '=', (size_t)(s + len - 1 - (space + 1)))) == NULL ||
	    equals == space + 1 || memchr(space + 1, '\0', (size_t)(equals - space - 1)) != NULL)
		return -1;
	*equals = '\0';
	s[len - 1] = '\0';
	r->keyword = space + 1;
	r->value = equals + 1;
	r->len = (size_t)(s + len - 1 - r->value);
	*at = s + len;
	return 1;
}

/* The digits behind the point: up to nine. */
static int
get_fraction(const char *s, size_t len, uint32_t *nsec)
{
	uint32_t unit = NSEC / 10;

	*nsec = 0;
	if (len == 0 || len > 9)
		return -1;
	for (size_t i = 0; i < len; i++, unit /= 10) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		*nsec += (uint32_t)(s[i] - '0') * unit;
	}
	return 0;
}

int
pax_get_time(const char *s, size_t len, int64_t *sec, uint32_t *nsec)
{
	bool negative = len > 0 && s[0] == '-';
	const char *point;
	uint64_t whole;
	uint32_t part = 0;
	size_t digits;

	if (negative) {
		s++;
		len--;
	}
	point = memchr(s, '.', len);
	digits = point != NULL ? (size_t)(point - s) : len;
	if (point != NULL && get_fraction(point + 1, len - digits - 1, &part) != 0)
		return -1;
	if (num_u64(s, digits, (uint64_t)INT64_MAX + negative, &whole) != 0)
		return -1;
	if (negative && part > 0) {
		/* -1.25 is two seconds before the epoch and three quarters after that. */
		if (whole > INT64_MAX)
			return -1;
		*sec = -(int64_t)whole - 1;
		*nsec = NSEC - part;
		return 0;
	}
	*sec = negative ? (int64_t)-whole : (int64_t)whole;
	*nsec = part;
	return 0;
}

int
pax_unescape_xattr(char *name)
{
	char *to = name;

	for (const char *s = name; *s != '\0'; s++) {
		if (*s != '%') {
			*to++ = *s;
			continue;
		}
		if (strncmp(s, "%25", 3) != 0 && strncmp(s, "%3D", 3) != 0)
			return -1;
		*to++ = s[1] == '2' ? '%' : '=';
		s += 2;
	}
	*to = '\0';
	return name[0] == '\0' ? -1 : 0;
}
