/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/path.h"

#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/utf8.h"

int
path_cmp(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t min = a_len < b_len ? a_len : b_len, i = 0;
	unsigned char x, y;

	while (i < min && a[i] == b[i])
		i++;
	if (i == min)
		return (a_len > b_len) - (a_len < b_len);
	/* No path holds a NUL, so that '/' may stand in its place. */
	x = a[i] == '/' ? 0 : (unsigned char)a[i];
	y = b[i] == '/' ? 0 : (unsigned char)b[i];
	return x < y ? -1 : 1;
}

bool
path_within(const char *path, size_t len, const char *dir, size_t dir_len)
{
	if (dir_len == 0)
		return true;
	if (len < dir_len || memcmp(path, dir, dir_len) != 0)
		return false;
	return len == dir_len || path[dir_len] == '/';
}

static bool
is_dots(const char *s, size_t len)
{
	return (len == 1 && s[0] == '.') || (len == 2 && s[0] == '.' && s[1] == '.');
}

bool
path_is_clean(const char *path, size_t len)
{
	const char *end = path + len, *slash;
	size_t n;

	if (len == 0)
		return true;
	if (memchr(path, '\0', len) != NULL)
		return false;
	for (;;) {
		slash = memchr(path, '/', (size_t)(end - path));
		n = (size_t)((slash == NULL ? end : slash) - path);
		if (n == 0 || is_dots(path, n))
			return false;
		if (slash == NULL)
			return true;
		path = slash + 1;
	}
}

static bool
stands_for_itself(unsigned char c, bool keep_space)
{
	switch (c) {
	case ' ':
		return keep_space;
	case '#':
	case '\\':
	case '*':
	case '?':
	case '[':
	case '=':
		return false;
	default:
		return c > 0x20 && c < 0x7F;
	}
}

static void
put_octal(struct buf *out, unsigned char c)
{
	char text[4] = {
	    '\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)), (char)('0' + (c & 7))};

	buf_append(out, text, sizeof(text));
}

static void
escape(struct buf *out, const char *s, size_t len, bool keep_space)
{
	size_t i, plain = 0;

	for (i = 0; i < len; i++) {
		if (stands_for_itself((unsigned char)s[i], keep_space))
			continue;
		buf_append(out, s + plain, i - plain);
		put_octal(out, (unsigned char)s[i]);
		plain = i + 1;
	}
	buf_append(out, s + plain, len - plain);
}

void
path_escape(struct buf *out, const char *s, size_t len, bool keep_space)
{
	if (len == 1 && s[0] == '-')
		put_octal(out, '-');
	else
		escape(out, s, len, keep_space);
}

/* The byte at *s, which moves past it; -1 when it is not as escape() writes it. */
static int
unescape_byte(const char **s, const char *end, bool keep_space)
{
	const char *p = *s;
	unsigned c;

	if (*p != '\\') {
		*s = p + 1;
		return stands_for_itself((unsigned char)*p, keep_space) ? (unsigned char)*p : -1;
	}
	if (end - p < 4 || p[1] < '0' || p[1] > '3' || p[2] < '0' || p[2] > '7' || p[3] < '0' ||
	    p[3] > '7')
		return -1;
	c = (unsigned)(p[1] - '0') << 6 | (unsigned)(p[2] - '0') << 3 | (unsigned)(p[3] - '0');
	*s = p + 4;
	/* No value holds a NUL: it would hide what follows from C strings. */
	return c == 0 || stands_for_itself((unsigned char)c, keep_space) ? -1 : (int)c;
}

static int
unescape(struct buf *out, const char *s, size_t len, bool keep_space, struct err *e)
{
	const char *end = s + len;
	uint8_t *room, *to;
	int c;

	if (len == 0)
		return 0;
	/* It never gets longer. */
	if ((room = buf_reserve(out, len)) == NULL)
		return buf_check(out, e);
	for (to = room; s < end; *to++ = (uint8_t)c)
		if ((c = unescape_byte(&s, end, keep_space)) < 0)
			return err_set(e, ERR_CORRUPT, "not escaped as it should be");
	out->len += (size_t)(to - room);
	return 0;
}

int
path_unescape(struct buf *out, const char *s, size_t len, bool keep_space, struct err *e)
{
	if (len == 1 && s[0] == '-')
		return err_set(e, ERR_CORRUPT, "not escaped as it should be");
	if (len == 4 && memcmp(s, "\\055", 4) == 0) {
		buf_putc(out, '-');
		return buf_check(out, e);
	}
	return unescape(out, s, len, keep_space, e);
}

void
path_escape_mtree(struct buf *out, const char *path, size_t len)
{
	buf_puts(out, len == 0 ? "." : "./");
	escape(out, path, len, false);
}

int
path_unescape_mtree(struct buf *out, const char *s, size_t len, struct err *e)
{
	size_t before = out->len;

	if (len == 1 && s[0] == '.')
		return 0;
	if (len < 3 || memcmp(s, "./", 2) != 0)
		return err_set(e, ERR_CORRUPT, "a path that does not start with './'");
	if (unescape(out, s + 2, len - 2, false, e) != 0)
		return -1;
	if (!path_is_clean((const char *)out->data + before, out->len - before)) {
		out->len = before;
		return err_set(e, ERR_CORRUPT, "a path with an empty, '.' or '..' component");
	}
	return 0;
}

/*
 * Characters that act instead of being shown: controls (C1 among them, which
 * terminals obey), line and paragraph separator, and those that turn the
 * direction of what follows.
 */
static bool
acts(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || c == 0x061C ||
	    c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void
path_display(struct buf *out, const char *s, size_t len)
{
	const char *plain = s, *end = s + len;
	uint32_t c;
	size_t n;

	while (s < end) {
		n = utf8_next(s, (size_t)(end - s), &c);
		if (n > 0 && !acts(c) && c != '\\') {
			s += n;
			continue;
		}
		buf_append(out, plain, (size_t)(s - plain));
		for (plain = s + (n > 0 ? n : 1); s < plain; s++)
			put_octal(out, (unsigned char)*s);
	}
	buf_append(out, plain, (size_t)(s - plain));
}

int
path_clean(struct buf *out, const char *typed, struct err *e)
{
	size_t before = out->len, n;
	const char *s;

	for (s = typed; *s != '\0'; s += n) {
		if (*s == '/') {
			n = 1;
			continue;
		}
		n = strcspn(s, "/");
		if (n == 1 && s[0] == '.')
			continue;
		if (is_dots(s, n)) {
			out->len = before;
			return err_set(e, ERR_USAGE, "a path with '..' in it: '%s'", typed);
		}
		if (out->len > before)
			buf_putc(out, '/');
		buf_append(out, s, n);
	}
	return buf_check(out, e);
}
