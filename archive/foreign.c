/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/foreign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/foreign_impl.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/stop.h"

/*
 * Not libarchive, though it reads more formats: it gives names in the process's locale, which
 * alters some that are no UTF-8, does not check the CRC of gzip data, takes an archive that
 * breaks off between two entries for a whole one, and goes on behind a damaged header in ways
 * that a backup to be signed must not.  What people's jobs write is GNU, ustar and pax.
 */

int
foreign_new(struct foreign **out, tar_feed feed, void *ctx, struct err *e)
{
	struct foreign *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return err_nomem(e);
	f->feed = feed;
	f->ctx = ctx;
	*out = f;
	return 0;
}

void
foreign_free(struct foreign *f)
{
	if (f == NULL)
		return;
	buf_done(&f->pax);
	buf_done(&f->long_name);
	buf_done(&f->long_link);
	buf_done(&f->path);
	buf_done(&f->link);
	buf_done(&f->acl[0]);
	buf_done(&f->acl[1]);
	free(f->xattrs);
	free(f->sparse.map);
	free(f);
}

const char *
foreign_lost(const struct foreign *f)
{
	return f->lost;
}

uint64_t
foreign_taken(const struct foreign *f)
{
	return f->pos;
}

int
foreign_corrupt(const struct foreign *f, const char *why, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "tar stream at byte %" PRIu64 ": %s", f->pos, why);
}

/* ---- bytes ---- */

/* 1: there are bytes in the piece; 0: the stream is at its end; -1. */
static int
fill(struct foreign *f, struct err *e)
{
	const void *data;

	if (f->piece_len > 0)
		return 1;
	if (stop_check(e) != 0)
		return -1;
	ssize_t n = f->feed(f->ctx, &data, e);
	if (n <= 0)
		return (int)n;
	f->piece = data;
	f->piece_len = (size_t)n;
	return 1;
}

static const uint8_t *
advance(struct foreign *f, size_t len)
{
	const uint8_t *p = f->piece;

	f->piece += len;
	f->piece_len -= len;
	f->pos += len;
	return p;
}

static size_t
at_most(const struct foreign *f, uint64_t want)
{
	return want < f->piece_len ? (size_t)want : f->piece_len;
}

int
foreign_take(struct foreign *f, void *out, size_t len, struct err *e)
{
	uint8_t *to = out;
	int rc;

	while (len > 0) {
		if ((rc = fill(f, e)) <= 0)
			return rc < 0 ? -1 : foreign_corrupt(f, "the archive breaks off", e);
		size_t n = at_most(f, len);
		memcpy(to, advance(f, n), n);
		to += n;
		len -= n;
	}
	return 0;
}

static int
skip(struct foreign *f, uint64_t len, struct err *e)
{
	int rc;

	while (len > 0) {
		if ((rc = fill(f, e)) <= 0)
			return rc < 0 ? -1 : foreign_corrupt(f, "the archive breaks off", e);
		size_t n = at_most(f, len);
		(void)advance(f, n);
		len -= n;
	}
	return 0;
}

/* ---- the end ---- */

/* The first block of zeros was read: another one, then zeros only. */
static int
read_end(struct foreign *f, struct err *e)
{
	uint64_t zeros = TAR_BLOCK;
	int rc;

	while ((rc = fill(f, e)) == 1) {
		size_t n = f->piece_len, i = 0;
		while (i < n && f->piece[i] == 0)
			i++;
		(void)advance(f, i);
		zeros += i;
		if (i < n)
			return foreign_corrupt(f, "something follows the end of the archive", e);
	}
	if (rc < 0)
		return -1;
	if (zeros < TAR_END_LEN)
		return foreign_corrupt(f, "the archive breaks off within its end", e);
	f->ended = true;
	return 0;
}

/* ---- headers ---- */

/* Some old programs added up signed characters. */
static bool
is_sound(const struct ustar *h)
{
	const unsigned char *p = (const unsigned char *)h;
	size_t from = offsetof(struct ustar, checksum), to = from + sizeof(h->checksum);
	int64_t is_unsigned = 0, is_signed = 0, said;

	for (size_t i = 0; i < sizeof(*h); i++) {
		unsigned char c = i >= from && i < to ? ' ' : p[i];
		is_unsigned += c;
		is_signed += (signed char)c;
	}
	return foreign_number(h->checksum, sizeof(h->checksum), &said) == 0 &&
	    (said == is_unsigned || said == is_signed);
}

/* 1: a header; 0: the end; -1. */
static int
read_header(struct foreign *f, struct ustar *h, struct err *e)
{
	int rc = fill(f, e);

	if (rc < 0)
		return -1;
	if (rc == 0)
		return foreign_corrupt(f,
		    f->any ? "the archive breaks off: its end is not there"
			   : "there is nothing in it",
		    e);
	if (foreign_take(f, h, sizeof(*h), e) != 0)
		return -1;
	if (ustar_is_zero(h))
		return read_end(f, e);
	if (!is_sound(h)) {
		f->pos -= sizeof(*h); /* for the message */
		return foreign_corrupt(
		    f, f->any ? "the header of an entry is damaged" : "this is no tar archive", e);
	}
	f->any = true;
	return 1;
}

/* The data of a header that speaks of the entry to come. */
static int
read_meta(struct foreign *f, const struct ustar *h, struct buf *out, struct err *e)
{
	int64_t len;

	if (foreign_number(h->size, sizeof(h->size), &len) != 0 || len < 0)
		return foreign_corrupt(f, "a size that is no number", e);
	if ((uint64_t)len > FOREIGN_META_MAX || out->len + (uint64_t)len > FOREIGN_META_MAX)
		return foreign_corrupt(f, "names and records of an entry over 4 MiB", e);
	uint8_t *room = buf_reserve(out, (size_t)len + 1);
	if (room == NULL)
		return err_nomem(e);
	if (foreign_take(f, room, (size_t)len, e) != 0)
		return -1;
	out->len += (size_t)len;
	return skip(f, tar_pad((uint64_t)len), e);
}

static int
read_long(struct foreign *f, const struct ustar *h, struct buf *name, bool *has, struct err *e)
{
	buf_clear(name);
	if (read_meta(f, h, name, e) != 0)
		return -1;
	name->len = strnlen(buf_str(name), name->len); /* its NUL is counted */
	*has = true;
	return buf_check(name, e);
}

static int
read_global(struct foreign *f, const struct ustar *h, struct err *e)
{
	struct buf records = {0};
	int rc = read_meta(f, h, &records, e);

	if (rc == 0)
		rc = foreign_global(f, &records, e);
	buf_done(&records);
	return rc;
}

static int
skip_label(struct foreign *f, const struct ustar *h, struct err *e)
{
	int64_t len;

	if (foreign_number(h->size, sizeof(h->size), &len) != 0 || len < 0)
		return foreign_corrupt(f, "a size that is no number", e);
	return skip(f, (uint64_t)len + tar_pad((uint64_t)len), e);
}

/* 1: h is the header of an entry; 0: it spoke of one to come; -1. */
static int
take_header(struct foreign *f, const struct ustar *h, bool *begun, struct err *e)
{
	switch (h->typeflag) {
	case 'x':
	case 'X': /* the same, before POSIX settled on a letter */
		*begun = true;
		return read_meta(f, h, &f->pax, e);
	case 'g':
		return read_global(f, h, e);
	case 'L':
		*begun = true;
		return read_long(f, h, &f->long_name, &f->has_long_name, e);
	case 'K':
		*begun = true;
		return read_long(f, h, &f->long_link, &f->has_long_link, e);
	case 'V':
		return skip_label(f, h, e);
	default:
		return 1;
	}
}

static void
forget(struct foreign *f)
{
	buf_clear(&f->pax);
	f->has_long_name = f->has_long_link = false;
	f->numbers = f->global;
	f->path_record = f->link_record = f->sparse_name = NULL;
	f->path_record_len = f->link_record_len = f->sparse_name_len = 0;
	struct entry_extent *map = f->sparse.map;
	size_t cap = f->sparse.cap;
	f->sparse = (struct foreign_sparse){.map = map, .cap = cap};
	f->n_xattrs = 0;
	buf_clear(&f->acl[0]);
	buf_clear(&f->acl[1]);
	memset(f->acl_exact, 0, sizeof(f->acl_exact));
	memset(f->acl_lost, 0, sizeof(f->acl_lost));
	f->lost = NULL;
	f->offset = 0;
	f->extent = 0;
}

int
foreign_next(struct foreign *f, struct entry *en, struct err *e)
{
	bool begun = false;
	struct ustar h;
	int rc;

	if (f->ended)
		return 0;
	if (skip(f, f->left, e) != 0 || skip(f, f->pad, e) != 0)
		return -1;
	f->left = f->pad = 0;
	forget(f);
	do {
		if ((rc = read_header(f, &h, e)) <= 0)
			return rc == 0 && begun
			    ? foreign_corrupt(f, "the archive ends within an entry", e)
			    : rc;
		rc = take_header(f, &h, &begun, e);
	} while (rc == 0);
	if (rc < 0)
		return -1;
	uint64_t at = f->pos - sizeof(h);
	if (foreign_fields(f, &h, e) != 0)
		return err_where(e, "tar entry at byte %" PRIu64, at);
	if (f->sparse.is_there && foreign_sparse_map(f, &h, e) != 0)
		return err_where(e, "%.300s", f->entry.path);
	*en = f->entry;
	return 1;
}

/* ---- data ---- */

int
foreign_data(struct foreign *f, const void **data, size_t *len, uint64_t *offset, struct err *e)
{
	uint64_t want = f->left;
	int rc;

	if (f->left == 0)
		return 0;
	if (f->sparse.is_there) {
		const struct entry_extent *x = &f->sparse.map[f->extent];

		if (f->offset == x->offset + x->len)
			x = &f->sparse.map[++f->extent];
		if (f->offset < x->offset)
			f->offset = x->offset;
		want = x->offset + x->len - f->offset;
	}
	if ((rc = fill(f, e)) <= 0)
		return rc < 0 ? -1 : foreign_corrupt(f, "the archive breaks off", e);
	size_t n = at_most(f, want);
	*data = advance(f, n);
	*len = n;
	*offset = f->offset;
	f->offset += n;
	f->left -= n;
	return 1;
}
