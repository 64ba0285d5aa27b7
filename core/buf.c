/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

#define CAP_FIRST 64

void
buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void *
buf_reserve(struct buf *b, size_t len)
{
	uint8_t *data;
	size_t cap;

	if (b->failed)
		return NULL;
	if (b->cap - b->len >= len && b->data != NULL)
		return b->data + b->len;
	if (len > PTRDIFF_MAX - b->len) {
		b->failed = true;
		return NULL;
	}
	cap = b->cap < CAP_FIRST ? CAP_FIRST : b->cap;
	while (cap - b->len < len)
		cap = cap > PTRDIFF_MAX / 2 ? PTRDIFF_MAX : cap * 2;
	if ((data = realloc(b->data, cap)) == NULL) {
		b->failed = true;
		return NULL;
	}
	b->data = data;
	b->cap = cap;
	return b->data + b->len;
}

void
buf_append(struct buf *b, const void *data, size_t len)
{
	void *room;

	if (len == 0 || (room = buf_reserve(b, len)) == NULL)
		return;
	memcpy(room, data, len);
	b->len += len;
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void
buf_putc(struct buf *b, char c)
{
	buf_append(b, &c, 1);
}

void
buf_zeros(struct buf *b, size_t len)
{
	void *room;

	if (len == 0 || (room = buf_reserve(b, len)) == NULL)
		return;
	memset(room, 0, len);
	b->len += len;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room;
	va_list ap;
	int n;

	if (buf_reserve(b, 1) == NULL)
		return;
	room = b->cap - b->len;
	va_start(ap, fmt);
	n = vsnprintf((char *)b->data + b->len, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)n >= room) {
		/* vsnprintf wants a place for its NUL. */
		if (buf_reserve(b, (size_t)n + 1) == NULL)
			return;
		va_start(ap, fmt);
		(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

int
buf_check(const struct buf *b, struct err *e)
{
	return b->failed ? err_nomem(e) : 0;
}

const char *
buf_str(struct buf *b)
{
	char *end;

	if (b->len == 0 || (end = buf_reserve(b, 1)) == NULL)
		return "";
	*end = '\0';
	return (const char *)b->data;
}
