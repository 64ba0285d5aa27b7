/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * A growable run of bytes.  All-zero is an empty buffer.  Running out of memory
 * is sticky: later appends do nothing, and buf_check() tells at the end, so that
 * a run of appends needs one check.
 */
struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool failed;
};

void buf_done(struct buf *b); /* frees, and leaves an empty buffer */
void buf_clear(struct buf *b); /* len 0; keeps the memory, forgets a failure */
void buf_append(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_zeros(struct buf *b, size_t len);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for len more bytes, or NULL; the caller writes there and adds to b->len. */
void *buf_reserve(struct buf *b, size_t len);
/* 0, or -1 and *e when an append ran out of memory. */
int buf_check(const struct buf *b, struct err *e);
/* NUL after the data (not counted in len); "" for an empty or failed buffer. */
const char *buf_str(struct buf *b);

#endif
