/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The character at s, of which len bytes (at least 1) may be looked at: its
 * length, and its code point in *c; 0 and nothing in *c when it is not well
 * formed (overlong, surrogate, above U+10FFFF, cut short).
 */
size_t utf8_next(const char *s, size_t len, uint32_t *c);

#endif
