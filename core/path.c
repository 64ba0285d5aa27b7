/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/path.h"

#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/utf8.h"

int
path_cmp(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t n = a_len < b_len ? a_len : b_len, i;
	unsigned char x, y;

	for (i = 0; i < n && a[i] == b[i]; i++)
		;
	if (i == n)
		return (a_len > b_len) - (a_len < b_len);
	x = a[i] == '/' ? 0 : (unsigned char)a[i];
	y = b[i] == '/' ? 0 : (unsigned char)b[i];
	return x < y ? -1 : 1;
}

bool
path_within(const char *path, size_t len, const char *dir, size_t dir_len)
{
	if (dir_len == 0)
		return true;
	return len >= dir_len && memcmp(path, dir, dir_len) == 0 &&
	    (len == dir_len || path[dir_len] == '/');
}

bool
path_is_clean(const char *path, size_t len)
{
	const char *end = path + len, *p = path, *slash;
	size_t n;

	if (len == 0)
		return true;
	if (memchr(path, '\0', len) != NULL)
		return false;
	for (;;) {
		slash = memchr(p, '/', (size_t)(end - p));
		n = (size_t)((slash == NULL ? end : slash) - p);
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (slash == NULL)
			return true;
		p = slash + 1;
	}
}

/* ---- escapes ---- */

static bool
must_escape(unsigned char c, bool keep_space)
{
	if (c == ' ')
		return !keep_space;
	return c < 0x21 || c > 0x7E || strchr("#\\*?[=", c) != NULL;
}

static void
put_octal(struct buf *out, unsigned char c)
{
	char text[4] = {
	    '\\', (char)('0' + (c >> 6)), (char)('0' + ((c >> 3) & 7)), (char)('0' + (c & 7))};

	buf_append(out, text, sizeof(text));
}

void
path_escape(struct buf *out, const char *s, size_t len, bool keep_space)
{
	size_t i;

	if (len == 1 && s[0] == '-') {
		put_octal(out, '-');
		return;
	}
	for (i = 0; i < len; i++) {
		if (must_escape((unsigned char)s[i], keep_space))
			put_octal(out, (unsigned char)s[i]);
		else
			buf_putc(out, s[i]);
	}
}

/* The byte that three octal digits at s stand for, or -1. */
static int
get_octal(const char *s, size_t left)
{
	size_t i;
	int c = 0;

	if (left < 3)
		return -1;
	for (i = 0; i < 3; i++) {
		if (s[i] < '0' || s[i] > '7')
			return -1;
		c = c * 8 + (s[i] - '0');
	}
	return c > 255 ? -1 : c;
}

int
path_unescape(struct buf *out, const char *s, size_t len, bool keep_space, struct err *e)
{
	size_t i;
	int c;

	if (len == 4 && memcmp(s, "\\055", 4) == 0) {
		buf_putc(out, '-');
		return 0;
	}
	if (len == 1 && s[0] == '-')
		return err_set(e, ERR_CORRUPT, "a value is missing");
	for (i = 0; i < len; i++) {
		if (s[i] != '\\') {
			if (must_escape((unsigned char)s[i], keep_space))
				return err_set(
				    e, ERR_CORRUPT, "a byte that should be escaped is not");
			buf_putc(out, s[i]);
			continue;
		}
		c = get_octal(s + i + 1, len - i - 1);
		if (c < 0 || !must_escape((unsigned char)c, keep_space))
			return err_set(e, ERR_CORRUPT, "a bad escape");
		buf_putc(out, (char)c);
		i += 3;
	}
	return 0;
}

void
path_escape_mtree(struct buf *out, const char *path, size_t len)
{
	buf_putc(out, '.');
	if (len == 0)
		return;
	buf_putc(out, '/');
	/* Behind "./" a lone '-' is no missing value. */
	if (len == 1 && path[0] == '-')
		buf_putc(out, '-');
	else
		path_escape(out, path, len, false);
}

int
path_unescape_mtree(struct buf *out, const char *s, size_t len, struct err *e)
{
	size_t start = out->len;

	if (len == 1 && s[0] == '.')
		return 0;
	if (len < 3 || s[0] != '.' || s[1] != '/')
		return err_set(e, ERR_CORRUPT, "a path does not start with ./");
	if (len == 3 && s[2] == '-')
		buf_putc(out, '-');
	else if (len == 6 && memcmp(s + 2, "\\055", 4) == 0)
		return err_set(e, ERR_CORRUPT, "a bad escape");
	else if (path_unescape(out, s + 2, len - 2, false, e) != 0)
		return -1;
	if (buf_check(out, e) != 0)
		return -1;
	if (!path_is_clean((const char *)out->data + start, out->len - start))
		return err_set(e, ERR_CORRUPT, "a path with an empty, '.' or '..' component");
	return 0;
}

/* ---- people ---- */

/*
 * Bytes of s that a terminal shows as text: 0 when the first is a control
 * character (C0, DEL, C1), a backslash, a line or paragraph separator, a
 * direction override, or no UTF-8.
 */
static size_t
shown(const char *s, size_t len)
{
	uint32_t c;
	size_t n = utf8_next(s, len, &c);

	if (n == 0 || c < 0x20 || c == '\\' || (c >= 0x7F && c < 0xA0))
		return 0;
	if (c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return n;
}

void
path_display(struct buf *out, const char *s, size_t len)
{
	size_t n;

	while (len > 0) {
		n = shown(s, len);
		if (n == 0) {
			put_octal(out, (unsigned char)*s);
			n = 1;
		} else
			buf_append(out, s, n);
		s += n;
		len -= n;
	}
}

int
path_clean(struct buf *out, const char *typed, struct err *e)
{
	size_t start = out->len, n;
	const char *p;

	for (p = typed; *p != '\0'; p += n) {
		n = strcspn(p, "/");
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(e, ERR_USAGE, "a path in a backup has no '..': %s", typed);
		if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (out->len > start)
				buf_putc(out, '/');
			buf_append(out, p, n);
		}
		n += p[n] == '/';
	}
	return buf_check(out, e);
}
