/* SPDX-License-Identifier: BSD-2-Clause */
#include "seal/token.h"

#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/num.h"
#include "core/path.h"

void
token_text_init(struct token_text *t, const void *text, size_t len)
{
	t->at = text;
	t->end = len > 0 ? t->at + len : t->at;
	t->line_no = 0;
}

int
token_line(struct token_text *t, struct token *c, struct err *e)
{
	const char *nl;

	if (t->at == t->end)
		return 0;
	t->line_no++;
	nl = memchr(t->at, '\n', (size_t)(t->end - t->at));
	if (nl == NULL)
		return err_set(e, ERR_CORRUPT, "a line without an end");
	c->at = t->at;
	c->end = nl;
	t->at = nl + 1;
	return 1;
}

size_t
token_left(const struct token *c)
{
	return (size_t)(c->end - c->at);
}

bool
token_done(const struct token *c)
{
	return c->at == c->end;
}

bool
token_take(struct token *c, const char *word)
{
	size_t len = strlen(word);

	if (token_left(c) < len || memcmp(c->at, word, len) != 0)
		return false;
	c->at += len;
	return true;
}

struct token
token_word(struct token *c)
{
	struct token w = *c;
	const char *space = memchr(c->at, ' ', token_left(c));

	if (space != NULL)
		w.end = space;
	c->at = w.end;
	return w;
}

bool
token_u64(struct token *c, uint64_t max, uint64_t *out)
{
	struct token w = token_word(c);

	return num_u64(w.at, token_left(&w), max, out) == 0;
}

bool
token_u32(struct token *c, uint32_t *out)
{
	uint64_t n;

	if (!token_u64(c, UINT32_MAX, &n))
		return false;
	*out = (uint32_t)n;
	return true;
}

bool
token_time(struct token *c, int64_t *sec, uint32_t *nsec)
{
	struct token w = token_word(c);
	const char *dot = memchr(w.at, '.', token_left(&w));
	uint32_t ns = 0;

	if (dot == NULL || w.end - dot != 10 || num_i64(w.at, (size_t)(dot - w.at), sec) == -1)
		return false;
	for (const char *d = dot + 1; d < w.end; d++) {
		if (*d < '0' || *d > '9')
			return false;
		ns = ns * 10 + (uint32_t)(*d - '0');
	}
	*nsec = ns;
	return true;
}

bool
token_digest(struct token *c, uint8_t out[SHA256_LEN])
{
	struct token w = token_word(c);

	return token_left(&w) == SHA256_HEX_LEN && sha256_unhex(w.at, out) == 0;
}

int
token_path(struct token *c, struct buf *path, struct err *e)
{
	struct token w = token_word(c);

	buf_clear(path);
	if (path_unescape_mtree(path, w.at, token_left(&w), e) == -1)
		return -1;
	return buf_check(path, e);
}

int
token_value(struct token *c, struct buf *value, bool rest, struct err *e)
{
	struct token w = *c;

	if (rest)
		c->at = c->end;
	else
		w = token_word(c);
	buf_clear(value);
	if (path_unescape(value, w.at, token_left(&w), rest, e) == -1)
		return -1;
	if (buf_check(value, e) == -1)
		return -1;
	if (value->len == 0 || memchr(value->data, '\0', value->len) != NULL)
		return err_set(e, ERR_CORRUPT, "an empty value, or a NUL in it");
	return 0;
}
