/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/holes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "core/err.h"
#include "core/stop.h"
#include "pack/source.h"

void
holes_init(struct holes *h, uint64_t size)
{
	*h = (struct holes){.size = size, .unit = cut_hole_unit(size)};
}

void
holes_done(struct holes *h)
{
	free(h->extents);
	*h = (struct holes){0};
}

uint32_t
holes_piece(const struct holes *h)
{
	return h->unit < CUT_CHUNK ? (uint32_t)h->unit : CUT_CHUNK;
}

bool
holes_worth(const struct holes *h)
{
	return h->saved > CUT_SPARSE_MIN;
}

bool
holes_is_zero(const void *data, size_t len)
{
	const uint8_t *p = data;

	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/* Whole units (or the last, shorter one) from offset on. */
static int
put_units(struct holes *h, uint64_t offset, uint64_t len, bool zeros, struct err *e)
{
	if (zeros) {
		h->saved += len;
		return 0;
	}
	struct entry_extent *last = h->n > 0 ? &h->extents[h->n - 1] : NULL;
	if (last != NULL && last->offset + last->len == offset) {
		last->len += len;
		return 0;
	}
	if (h->n == h->cap) {
		size_t cap = h->cap == 0 ? 16 : h->cap * 2;
		struct entry_extent *grown = realloc(h->extents, cap * sizeof(*grown));
		if (grown == NULL)
			return err_nomem(e);
		h->extents = grown;
		h->cap = cap;
	}
	assert(h->extents != NULL);
	h->extents[h->n++] = (struct entry_extent){.offset = offset, .len = len};
	return 0;
}

/* Up to the end of the unit that pos is in. */
static int
feed_unit(struct holes *h, uint64_t len, bool zeros, struct err *e)
{
	uint64_t start = h->pos & ~(h->unit - 1);
	uint64_t end = h->size - start > h->unit ? start + h->unit : h->size;

	if (!zeros)
		h->dirty = true;
	h->pos += len;
	if (h->pos < end)
		return 0;
	bool dirty = h->dirty;
	h->dirty = false;
	return put_units(h, start, end - start, !dirty, e);
}

int
holes_feed(struct holes *h, uint64_t len, bool zeros, struct err *e)
{
	while (len > 0) {
		uint64_t into = h->pos & (h->unit - 1);
		uint64_t n;
		if (into == 0 && len >= h->unit) {
			n = len & ~(h->unit - 1);
			h->pos += n;
			if (put_units(h, h->pos - n, n, zeros, e) != 0)
				return -1;
		} else {
			n = len < h->unit - into ? len : h->unit - into;
			if (feed_unit(h, n, zeros, e) != 0)
				return -1;
		}
		len -= n;
	}
	return 0;
}

int
holes_feed_data(struct holes *h, const uint8_t *data, size_t len, struct err *e)
{
	while (len > 0) {
		size_t piece = holes_piece(h) - (size_t)(h->pos & (holes_piece(h) - 1));
		if (piece > len)
			piece = len;
		if (holes_feed(h, piece, holes_is_zero(data, piece), e) != 0)
			return -1;
		data += piece;
		len -= piece;
	}
	return 0;
}

/* [h->pos, end) is data as the file system sees it; zeros in it count as well. */
static int
scan_data(struct holes *h, int fd, uint64_t end, uint8_t *room, struct err *e)
{
	struct section_range bad;

	while (h->pos < end) {
		uint64_t n = CUT_CHUNK - (h->pos & (CUT_CHUNK - 1));
		if (n > end - h->pos)
			n = end - h->pos;
		(void)source_read_range(fd, h->pos, room, n, &bad);
		if (stop_check(e) != 0)
			return -1;
		/* What cannot be read counts as data. */
		if (bad.len > 0)
			memset(room, 1, n);
		if (holes_feed_data(h, room, n, e) != 0)
			return -1;
	}
	return 0;
}

/* Where lseek finds data, or an end of it, within the file; the file system's word is only a hint.
 */
static uint64_t
find(int fd, uint64_t from, uint64_t size, int whence)
{
	off_t at = lseek(fd, (off_t)from, whence);

	if (at < 0) /* ENXIO: no data up to the end; else not supported: data all the way */
		return size;
	return (uint64_t)at < from ? from : (uint64_t)at < size ? (uint64_t)at : size;
}

uint64_t
holes_known(int fd, uint64_t size)
{
	uint64_t at = 0, sum = 0;

	if (lseek(fd, 0, SEEK_HOLE) < 0)
		return 0;
	while (at < size) {
		uint64_t data = find(fd, at, size, SEEK_DATA);
		sum += data - at;
		at = data < size ? find(fd, data, size, SEEK_HOLE) : size;
		if (at == data) /* the map moves under us, or makes no sense */
			break;
	}
	return sum;
}

int
holes_scan(struct holes *h, int fd, struct err *e)
{
	bool known = lseek(fd, 0, SEEK_HOLE) >= 0;
	uint8_t *room = malloc(CUT_CHUNK);
	int rc = room == NULL ? err_nomem(e) : 0;

	while (rc == 0 && h->pos < h->size) {
		uint64_t data = known ? find(fd, h->pos, h->size, SEEK_DATA) : h->pos;
		rc = holes_feed(h, data - h->pos, true, e);
		uint64_t end = known ? find(fd, h->pos, h->size, SEEK_HOLE) : h->size;
		if (rc == 0)
			rc = scan_data(h, fd, end, room, e);
	}
	free(room);
	return rc;
}
