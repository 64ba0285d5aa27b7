/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CORE_WORDS_H
#define CORE_WORDS_H

struct buf;

/* Append a word as it would be typed to a shell: as it is, or in single quotes. */
void words_quote(struct buf *out, const char *word);

#endif
