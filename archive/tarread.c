/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/tarread.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "archive/entry.h"
#include "archive/tarparse.h"
#include "archive/tarwrite.h"
#include "archive/ustar.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/num.h"

/*
 * A reader for our own stream only, and strict: whatever the writer would not write is
 * damage, and guessing at damage restores the wrong thing.  The writer's stream also
 * goes past what libarchive reads without change (see tarwrite.c).  Other people's
 * archives are read by foreign.c.
 *
 * Pieces are handed on where they lie; only headers are copied.
 */
struct tar_reader {
	tar_feed feed;
	void *ctx;
	const void *mem; /* for tar_reader_new_mem: not yet fed */
	size_t mem_len;

	const uint8_t *piece; /* what is left of the last piece */
	size_t piece_len;
	bool fed; /* the source has no more */
	uint64_t pos; /* bytes taken from the stream */

	struct tarparse parse;
	struct entry_extent *extents;
	size_t extents_cap;

	bool ended; /* the zero blocks were there */
	uint64_t left; /* bytes of data not yet handed out */
	uint32_t pad; /* zeros behind them */
	uint64_t offset; /* in the file, of the next byte of data */
	size_t extent; /* sparse: the one that offset lies in */
};

static ssize_t
feed_mem(void *ctx, const void **data, struct err *e)
{
	struct tar_reader *r = ctx;
	size_t len = r->mem_len;

	(void)e;
	*data = r->mem;
	r->mem_len = 0;
	return (ssize_t)len;
}

static struct tar_reader *
reader_alloc(tar_feed feed, void *ctx, struct err *e)
{
	struct tar_reader *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	r->feed = feed;
	r->ctx = ctx;
	return r;
}

int
tar_reader_new(struct tar_reader **out, tar_feed feed, void *ctx, struct err *e)
{
	struct tar_reader *r = reader_alloc(feed, ctx, e);

	if (r == NULL)
		return -1;
	*out = r;
	return 0;
}

int
tar_reader_new_mem(struct tar_reader **out, const void *data, size_t len, struct err *e)
{
	struct tar_reader *r = reader_alloc(feed_mem, NULL, e);

	if (r == NULL)
		return -1;
	r->ctx = r;
	r->mem = data;
	r->mem_len = len;
	*out = r;
	return 0;
}

void
tar_reader_free(struct tar_reader *r)
{
	if (r == NULL)
		return;
	tarparse_done(&r->parse);
	free(r->extents);
	free(r);
}

static int
corrupt(const struct tar_reader *r, const char *why, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "tar stream at %" PRIu64 ": %s", r->pos, why);
}

/* 1: there are bytes in the piece; 0: the stream is at its end; -1. */
static int
fill(struct tar_reader *r, struct err *e)
{
	const void *data = NULL;
	ssize_t n;

	if (r->piece_len > 0)
		return 1;
	if (r->fed)
		return 0;
	if ((n = r->feed(r->ctx, &data, e)) < 0)
		return -1;
	r->fed = n == 0;
	r->piece = data;
	r->piece_len = (size_t)n;
	return n > 0;
}

static const uint8_t *
take(struct tar_reader *r, size_t len)
{
	const uint8_t *p = r->piece;

	r->piece += len;
	r->piece_len -= len;
	r->pos += len;
	return p;
}

/* How many of len bytes the piece can give now: at least 1, or -1 when there are none. */
static ssize_t
some(struct tar_reader *r, uint64_t len, struct err *e)
{
	int rc = fill(r, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return corrupt(r, "it ends early", e);
	return (ssize_t)(r->piece_len < len ? r->piece_len : len);
}

static int
skip(struct tar_reader *r, uint64_t len, struct err *e)
{
	while (len > 0) {
		ssize_t n = some(r, len, e);

		if (n < 0)
			return -1;
		(void)take(r, (size_t)n);
		len -= (size_t)n;
	}
	return 0;
}

static int
copy(struct tar_reader *r, void *to, size_t len, struct err *e)
{
	for (uint8_t *p = to; len > 0;) {
		ssize_t n = some(r, len, e);

		if (n < 0)
			return -1;
		memcpy(p, take(r, (size_t)n), (size_t)n);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* 1: a header that is sound, or a zero block; 0: end of the stream before it; -1. */
static int
read_block(struct tar_reader *r, struct ustar *h, bool *zero, struct err *e)
{
	int rc = fill(r, e);

	if (rc <= 0)
		return rc;
	if (copy(r, h, sizeof(*h), e) != 0)
		return -1;
	*zero = ustar_is_zero(h);
	if (!*zero && !ustar_is_sound(h)) {
		r->pos -= sizeof(*h);
		return corrupt(r, "not a header", e);
	}
	return 1;
}

/* The second zero block, and nothing behind it. */
static int
read_end(struct tar_reader *r, struct err *e)
{
	struct ustar h;
	bool zero;
	int rc = read_block(r, &h, &zero, e);

	if (rc < 0)
		return -1;
	if (rc == 0 || !zero)
		return corrupt(r, "one zero block where two end an archive", e);
	if ((rc = fill(r, e)) < 0)
		return -1;
	if (rc > 0)
		return corrupt(r, "bytes follow its end", e);
	r->ended = true;
	return 0;
}

/* Take the records of a pax header, and the header behind it into h. */
static int
read_pax(struct tar_reader *r, struct ustar *h, struct err *e)
{
	struct buf *pax = &r->parse.pax;
	int64_t len;
	bool zero;
	int rc;

	if (ustar_get_number(h->size, sizeof(h->size), &len) != 0 || len <= 0 || len > TAR_PAX_MAX)
		return corrupt(r, "a pax header of a length that none has", e);
	if (buf_reserve(pax, (size_t)len) == NULL)
		return err_nomem(e);
	if (copy(r, pax->data, (size_t)len, e) != 0 || skip(r, tar_pad((uint64_t)len), e) != 0)
		return -1;
	pax->len = (size_t)len;
	if ((rc = read_block(r, h, &zero, e)) < 0)
		return -1;
	if (rc == 0 || zero || h->typeflag == 'x')
		return corrupt(r, "a pax header without an entry", e);
	return 0;
}

/* Numbers of a sparse map: lines, read from blocks until all are there. */
struct map_reader {
	uint8_t block[TAR_BLOCK];
	size_t at; /* TAR_BLOCK: the next block is needed */
};

static int
map_number(struct tar_reader *r, struct map_reader *m, uint64_t max, uint64_t *out, struct err *e)
{
	char text[24];
	size_t n = 0;

	for (;;) {
		uint8_t c;

		if (m->at == sizeof(m->block)) {
			if (r->left < sizeof(m->block))
				return corrupt(r, "a sparse map longer than its file", e);
			if (copy(r, m->block, sizeof(m->block), e) != 0)
				return -1;
			r->left -= sizeof(m->block);
			m->at = 0;
		}
		if ((c = m->block[m->at++]) == '\n')
			break;
		if (n == sizeof(text))
			return corrupt(r, "not a number in a sparse map", e);
		text[n++] = (char)c;
	}
	if (num_u64(text, n, max, out) != 0)
		return corrupt(r, "not a number in a sparse map", e);
	return 0;
}

static int
add_extent(struct tar_reader *r, size_t i, struct entry_extent x, struct err *e)
{
	if (i == r->extents_cap) {
		/* Grown as they come: a map that claims many must hold many. */
		size_t cap = i == 0 ? 64 : i * 2;
		struct entry_extent *p = reallocarray(r->extents, cap, sizeof(*p));

		if (p == NULL)
			return err_nomem(e);
		r->extents = p;
		r->extents_cap = cap;
	}
	r->extents[i] = x;
	return 0;
}

static int
read_map(struct tar_reader *r, struct entry *en, struct err *e)
{
	struct map_reader m = {.at = sizeof(m.block)};
	struct entry_extent x;
	uint64_t count, end = 0, sum = 0;

	if (map_number(r, &m, TAR_EXTENTS_MAX, &count, e) != 0)
		return -1;
	if (count == 0)
		return corrupt(r, "an empty sparse map", e);
	for (size_t i = 0; i < count; i++) {
		if (map_number(r, &m, en->size, &x.offset, e) != 0 ||
		    map_number(r, &m, en->size - x.offset, &x.len, e) != 0)
			return -1;
		/* Only a last hole is marked, by an empty extent at the end. */
		if (x.len == 0 && i + 1 == count && x.offset == en->size &&
		    (i == 0 || end < en->size))
			break;
		if (x.len == 0 || x.offset < end || (i > 0 && x.offset == end) || tar_pad(sum) != 0)
			return corrupt(r, "a sparse map out of order", e);
		if (add_extent(r, i, x, e) != 0)
			return -1;
		end = x.offset + x.len;
		sum += x.len;
		en->n_extents = i + 1;
	}
	if (sum != r->left || (en->n_extents == count && end != en->size))
		return corrupt(r, "a sparse map that does not fit its file", e);
	en->extents = en->n_extents > 0 ? r->extents : NULL;
	r->offset = en->n_extents > 0 ? r->extents[0].offset : 0;
	r->extent = 0;
	return 0;
}

int
tar_read_next(struct tar_reader *r, struct entry *en, struct err *e)
{
	struct entry *parsed = &r->parse.entry;
	struct ustar h;
	bool zero;
	int rc;

	if (r->ended)
		return 0;
	if (skip(r, r->left, e) != 0 || skip(r, r->pad, e) != 0)
		return -1;
	r->left = r->pad = 0;
	if ((rc = read_block(r, &h, &zero, e)) <= 0)
		return rc;
	if (zero)
		return read_end(r, e);
	buf_clear(&r->parse.pax);
	if (h.typeflag == 'x' && read_pax(r, &h, e) != 0)
		return -1;
	if (tarparse_header(&r->parse, &h, e) != 0)
		return err_where(e, "tar stream at %" PRIu64, r->pos - sizeof(h));
	r->left = r->parse.stored;
	r->pad = tar_pad(r->left);
	r->offset = 0;
	if (parsed->sparse && read_map(r, parsed, e) != 0)
		return -1;
	*en = *parsed;
	return 1;
}

int
tar_read_data(struct tar_reader *r, const void **data, size_t *len, uint64_t *offset, struct err *e)
{
	const struct entry *en = &r->parse.entry;
	uint64_t want = r->left;
	ssize_t n;

	if (r->left == 0)
		return 0;
	if (en->sparse) {
		const struct entry_extent *x = &r->extents[r->extent];

		if (r->offset == x->offset + x->len) {
			x = &r->extents[++r->extent];
			r->offset = x->offset;
		}
		want = x->offset + x->len - r->offset;
	}
	if ((n = some(r, want, e)) < 0)
		return -1;
	*data = take(r, (size_t)n);
	*len = (size_t)n;
	*offset = r->offset;
	r->offset += (size_t)n;
	r->left -= (size_t)n;
	return 1;
}
