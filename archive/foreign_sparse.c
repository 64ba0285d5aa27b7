/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "archive/foreign_impl.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/num.h"

/*
 * GNU tar's sparse files, of which there are four:
 *
 *	typeflag S    map in the header and in blocks behind it, 21 pieces a block
 *	pax 0.0       GNU.sparse.offset and .numbytes in turns, .size
 *	pax 0.1       GNU.sparse.map=o,n,o,n,...  .size  .name
 *	pax 1.0       .major .minor .realsize .name; the map in lines before the data
 */
#define OLD_MAP 386 /* in the header */
#define OLD_MAP_LEN 4
#define OLD_MORE 482
#define OLD_REAL 483
#define BLOCK_MAP_LEN 21
#define BLOCK_MORE 504
#define FIELD 12

static int
add(struct foreign *f, uint64_t offset, uint64_t len, struct err *e)
{
	struct foreign_sparse *s = &f->sparse;

	if (len == 0) /* only marks where the file ends */
		return 0;
	if (s->n == FOREIGN_EXTENTS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "a sparse file in more than %u pieces",
		    FOREIGN_EXTENTS_MAX);
	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : s->cap * 2;
		struct entry_extent *grown = reallocarray(s->map, cap, sizeof(*grown));
		if (grown == NULL)
			return err_nomem(e);
		s->map = grown;
		s->cap = cap;
	}
	s->map[s->n++] = (struct entry_extent){.offset = offset, .len = len};
	return 0;
}

/* ---- pax ---- */

static int
bad(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "a damaged map of holes");
}

/* GNU.sparse.map */
static int
map_record(struct foreign *f, const struct pax_record *r, struct err *e)
{
	const char *s = r->value, *end = s + r->len;
	uint64_t v[2] = {0};

	for (int i = 0; s < end; i ^= 1) {
		const char *comma = memchr(s, ',', (size_t)(end - s));
		const char *to = comma != NULL ? comma : end;
		if (num_u64(s, (size_t)(to - s), INT64_MAX, &v[i]) != 0 ||
		    (comma == NULL && i == 0))
			return bad(e);
		if (i == 1 && add(f, v[0], v[1], e) != 0)
			return -1;
		s = comma != NULL ? comma + 1 : end;
	}
	return 0;
}

/* Offset and length in turns. */
static int
piece_record(struct foreign *f, bool is_offset, uint64_t v, struct err *e)
{
	struct foreign_sparse *s = &f->sparse;

	if (is_offset == s->has_pending)
		return bad(e);
	s->has_pending = is_offset;
	if (is_offset) {
		s->pending = v;
		return 0;
	}
	return add(f, s->pending, v, e);
}

static int
sparse_record(struct foreign *f, const struct pax_record *r, const char *word, struct err *e)
{
	struct foreign_sparse *s = &f->sparse;
	uint64_t v;

	s->is_there = true;
	if (strcmp(word, "name") == 0) {
		f->sparse_name = r->value;
		f->sparse_name_len = r->len;
		return 0;
	}
	if (strcmp(word, "map") == 0)
		return map_record(f, r, e);
	if (num_u64(r->value, r->len, INT64_MAX, &v) != 0)
		return bad(e);
	if (strcmp(word, "offset") == 0 || strcmp(word, "numbytes") == 0)
		return piece_record(f, word[0] == 'o', v, e);
	if (strcmp(word, "size") == 0 || strcmp(word, "realsize") == 0) {
		s->real = v;
		s->has_real = true;
	} else if (strcmp(word, "major") == 0) {
		s->in_data = v == 1;
		if (v > 1)
			return err_set(e, ERR_UNSUPPORTED, "an unknown format of sparse files");
	}
	/* minor, numblocks: nothing that the map does not tell */
	return 0;
}

int
foreign_sparse_record(struct foreign *f, const struct pax_record *r, struct err *e)
{
	static const char prefix[] = "GNU.sparse.";
	size_t n = sizeof(prefix) - 1;

	if (strncmp(r->keyword, prefix, n) != 0)
		return 0;
	return sparse_record(f, r, r->keyword + n, e) == 0 ? 1 : -1;
}

/* ---- in the header ---- */

static int
old_pieces(struct foreign *f, const char *fields, size_t n, struct err *e)
{
	int64_t offset, len;

	for (size_t i = 0; i < n; i++, fields += 2 * FIELD) {
		if (fields[0] == '\0') /* an unused one */
			continue;
		if (foreign_number(fields, FIELD, &offset) != 0 || offset < 0 ||
		    foreign_number(fields + FIELD, FIELD, &len) != 0 || len < 0)
			return bad(e);
		if (add(f, (uint64_t)offset, (uint64_t)len, e) != 0)
			return -1;
	}
	return 0;
}

static int
old_map(struct foreign *f, const struct ustar *h, struct err *e)
{
	char block[TAR_BLOCK];
	int64_t real;

	memcpy(block, h, sizeof(block));
	if (foreign_number(block + OLD_REAL, FIELD, &real) != 0 || real < 0 ||
	    old_pieces(f, block + OLD_MAP, OLD_MAP_LEN, e) != 0)
		return bad(e);
	f->sparse.real = (uint64_t)real;
	f->sparse.has_real = true;
	bool more = block[OLD_MORE] != 0;
	while (more) {
		if (foreign_take(f, block, sizeof(block), e) != 0 ||
		    old_pieces(f, block, BLOCK_MAP_LEN, e) != 0)
			return -1;
		more = block[BLOCK_MORE] != 0;
	}
	return 0;
}

/* ---- before the data ---- */

struct lines {
	char block[TAR_BLOCK];
	size_t at; /* sizeof(block): the next one is to be read */
};

static int
next_char(struct foreign *f, struct lines *l, char *c, struct err *e)
{
	if (l->at == sizeof(l->block)) {
		if (f->left < sizeof(l->block))
			return bad(e);
		if (foreign_take(f, l->block, sizeof(l->block), e) != 0)
			return -1;
		f->left -= sizeof(l->block);
		l->at = 0;
	}
	*c = l->block[l->at++];
	return 0;
}

static int
next_number(struct foreign *f, struct lines *l, uint64_t *v, struct err *e)
{
	char text[24], c = 0;
	size_t n = 0;

	for (;;) {
		if (next_char(f, l, &c, e) != 0)
			return -1;
		if (c == '\n')
			break;
		if (n == sizeof(text))
			return bad(e);
		text[n++] = c;
	}
	return num_u64(text, n, INT64_MAX, v) == 0 ? 0 : bad(e);
}

static int
data_map(struct foreign *f, struct err *e)
{
	struct lines l = {.at = sizeof(l.block)};
	uint64_t count, offset, len;

	if (next_number(f, &l, &count, e) != 0)
		return -1;
	for (uint64_t i = 0; i < count; i++)
		if (next_number(f, &l, &offset, e) != 0 || next_number(f, &l, &len, e) != 0 ||
		    add(f, offset, len, e) != 0)
			return -1;
	return 0;
}

/* ---- the whole ---- */

/*
 * Pieces ascend, lie in the file, and have as many bytes as are stored.  All but the last are whole
 * blocks: GNU tar reads each from the start of one.
 */
static int
check(const struct foreign *f, struct err *e)
{
	const struct foreign_sparse *s = &f->sparse;
	uint64_t end = 0, sum = 0;

	if (!s->has_real || s->has_pending)
		return bad(e);
	if (s->real > FOREIGN_SIZE_MAX)
		return err_set(e, ERR_UNSUPPORTED, "a sparse file of more than 16 TiB");
	for (size_t i = 0; i < s->n; i++) {
		const struct entry_extent *x = &s->map[i];
		if (x->offset < end || x->offset > s->real || x->len > s->real - x->offset ||
		    tar_pad(sum) != 0)
			return bad(e);
		end = x->offset + x->len;
		sum += x->len;
	}
	return sum == f->left ? 0 : bad(e);
}

int
foreign_sparse_map(struct foreign *f, const struct ustar *h, struct err *e)
{
	struct foreign_sparse *s = &f->sparse;

	if (s->old && old_map(f, h, e) != 0)
		return -1;
	if (s->in_data && data_map(f, e) != 0)
		return -1;
	if (check(f, e) != 0)
		return -1;
	f->entry.size = s->real;
	return 0;
}
