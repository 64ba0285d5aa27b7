/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SEAL_TOKEN_H
#define SEAL_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

struct buf;
struct err;

/*
 * Taking a line apart, strictly, for the three texts of this room (seal, section,
 * index).  A cursor stands somewhere in one line and only moves forward: no token
 * reaches beyond the line.  There is one spelling for each value, so that what is
 * accepted is written again byte for byte.
 *
 * Functions returning bool are true when the token was there; the cursor is then
 * behind it, and else anywhere in the line.  Those returning int give 0, or -1 and *e
 * (ERR_CORRUPT, or no memory).
 */
struct token {
	const char *at, *end;
};

/* A run of lines. */
struct token_text {
	const char *at, *end;
	uint64_t line_no; /* of the line taken last, from 1 */
};

void token_text_init(struct token_text *t, const void *text, size_t len);
/* 1: the next line, without its newline; 0: end; -1: it has no newline. */
int token_line(struct token_text *t, struct token *c, struct err *e);

size_t token_left(const struct token *c);
bool token_done(const struct token *c); /* at the end of the line */
bool token_take(struct token *c, const char *word);
/* The bytes up to the next space or the end of the line; may be none. */
struct token token_word(struct token *c);
/* Each of these takes a whole word, as token_word cuts it. */
bool token_u64(struct token *c, uint64_t max, uint64_t *out);
bool token_u32(struct token *c, uint32_t *out);
bool token_time(struct token *c, int64_t *sec, uint32_t *nsec); /* 12.000000345 */
bool token_digest(struct token *c, uint8_t out[SHA256_LEN]);
/* A clean path, written as mtree does ("./a"). *path is cleared first. */
int token_path(struct token *c, struct buf *path, struct err *e);
/*
 * An escaped value that is neither empty nor holds a NUL; with rest, all that is
 * left of the line (spaces stand for themselves), else a word.
 */
int token_value(struct token *c, struct buf *value, bool rest, struct err *e);

#endif
