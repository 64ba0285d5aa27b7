/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/big.h"

#include <stdlib.h>
#include <string.h>

#include "archive/cut.h"
#include "archive/tarread.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/stop.h"
#include "seal/manifest.h"

/*
 * The header's slice ends where the data would begin.  tar_read_next() gives the entry
 * before it looks for data, and nothing more is asked of the reader; it lives on
 * because the entry's strings are its own.
 */
int
restore_big_new(struct restore_big **out, struct buf *plain, struct err *e)
{
	struct restore_big *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return err_nomem(e);
	b->header = *plain;
	*plain = (struct buf){0};
	sha256_init(&b->hash);
	if (tar_reader_new_mem(&b->tar, b->header.data, b->header.len, e) != 0)
		goto bad;
	if (tar_read_next(b->tar, &b->en, e) != 1 || b->en.type != ENTRY_FILE) {
		(void)err_set(e, ERR_CORRUPT, "not the header of a file");
		goto bad;
	}
	*out = b;
	return 0;
bad:
	restore_big_free(b);
	return -1;
}

void
restore_big_free(struct restore_big *b)
{
	if (b == NULL)
		return;
	tar_reader_free(b->tar);
	buf_done(&b->header);
	free(b);
}

/* The first extent that ends behind offset. */
static size_t
extent_at(const struct entry *en, uint64_t offset)
{
	size_t low = 0, high = en->n_extents, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (en->extents[mid].offset + en->extents[mid].len <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool
restore_pieces_next(struct restore_pieces *p, uint64_t *offset, const uint8_t **data, size_t *len)
{
	const struct entry *en = &p->big->en;
	struct entry_extent x = {.offset = 0, .len = en->size};

	if (p->next >= (en->sparse ? en->n_extents : 1))
		return false;
	if (en->sparse)
		x = en->extents[p->next];
	p->next++;
	if (x.offset >= p->to)
		return false;
	*offset = x.offset < p->from ? p->from : x.offset;
	*len = (size_t)((x.offset + x.len > p->to ? p->to : x.offset + x.len) - *offset);
	*data = p->data;
	p->data += *len;
	return true;
}

int
restore_pieces_begin(struct restore_pieces *p, const struct restore_big *b,
    const struct manifest_member *m, const struct buf *plain, struct err *e)
{
	const uint8_t *data;
	uint64_t offset, sum = 0;
	struct restore_pieces count;
	size_t len;

	if (m->file_offset % CUT_CHUNK != 0 || m->file_offset >= b->en.size)
		return err_set(e, ERR_CORRUPT, "a chunk that lies outside of its file");
	*p = (struct restore_pieces){.big = b,
	    .data = plain->data,
	    .from = m->file_offset,
	    .to = m->file_offset + CUT_CHUNK,
	    .next = b->en.sparse ? extent_at(&b->en, m->file_offset) : 0};
	count = *p;
	while (restore_pieces_next(&count, &offset, &data, &len))
		sum += len;
	/* The last one has the padding too. */
	if (plain->len != sum && plain->len != sum + tar_pad(tar_data_len(&b->en)))
		return err_set(e, ERR_CORRUPT, "a chunk of the wrong length");
	return 0;
}

static int
hash_zeros(struct restore_big *b, uint64_t to, struct err *e)
{
	static const uint8_t zeros[65536];
	size_t n;

	while (b->hashed < to) {
		n = to - b->hashed < sizeof(zeros) ? (size_t)(to - b->hashed) : sizeof(zeros);
		sha256_update(&b->hash, zeros, n);
		b->hashed += n;
		/* A hole of a terabyte takes its time. */
		if (b->hashed % (1u << 30) == 0 && stop_check(e) != 0)
			return -1;
	}
	return 0;
}

int
restore_big_hash(
    struct restore_big *b, const struct manifest_member *m, const struct buf *plain, struct err *e)
{
	struct restore_pieces p;
	const uint8_t *data;
	uint64_t offset;
	size_t len;

	if (restore_pieces_begin(&p, b, m, plain, e) != 0)
		return -1;
	while (restore_pieces_next(&p, &offset, &data, &len)) {
		if (hash_zeros(b, offset, e) != 0)
			return -1;
		sha256_update(&b->hash, data, len);
		b->hashed = offset + len;
		b->stored += len;
	}
	return 0;
}

bool
restore_big_whole(const struct restore_big *b)
{
	return b->stored == tar_data_len(&b->en);
}

int
restore_big_digest(struct restore_big *b, uint8_t out[SHA256_LEN], struct err *e)
{
	if (hash_zeros(b, b->en.size, e) != 0)
		return -1;
	sha256_final(&b->hash, out);
	return 0;
}
