/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/member.h"

#include <libdeflate.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/dense.h"
#include "core/buf.h"
#include "core/err.h"

/*
 *   1f 8b 08 FLG  00 00 00 00  00 ff | [XLEN extra] | raw deflate | crc32 le | length le
 *
 * The wrapper is written and read here, and libdeflate sees only raw deflate: its own
 * gzip functions put the level into XFL, and accept names, comments and times that
 * would let two different files pass as the same member.
 */
#define HEADER_LEN 10
#define TRAILER_LEN 8
#define MIN_LEN (HEADER_LEN + TRAILER_LEN)
#define FLG_AT 3
#define FLG_EXTRA 0x04

static const uint8_t header[HEADER_LEN] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff};

struct member_packer {
	struct libdeflate_compressor *deflate;
};

struct member_unpacker {
	struct libdeflate_decompressor *inflate;
};

static void
put_le32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

static uint32_t
get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static size_t
get_le16(const uint8_t *p)
{
	return (size_t)p[0] | (size_t)p[1] << 8;
}

int
member_packer_new(struct member_packer **out, int level, struct err *e)
{
	struct member_packer *p;

	if (level < 1 || level > 12)
		return err_set(e, ERR_USAGE, "compression level %d is not 1 to 12", level);
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return err_nomem(e);
	if ((p->deflate = libdeflate_alloc_compressor(level)) == NULL) {
		free(p);
		return err_nomem(e);
	}
	*out = p;
	return 0;
}

void
member_packer_free(struct member_packer *p)
{
	if (p == NULL)
		return;
	libdeflate_free_compressor(p->deflate);
	free(p);
}

/* Uses out, which has room for it, to try. */
static bool
is_dense(struct member_packer *p, const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
	if (!dense_looks(in, len))
		return false;
	for (unsigned i = 0; i < DENSE_PROBES; i++)
		if (!dense_stays(libdeflate_deflate_compress(
			p->deflate, dense_probe(in, len, i), DENSE_PROBE_LEN, out, room)))
			return false;
	return true;
}

int
member_pack(
    struct member_packer *p, const void *plain, size_t len, struct buf *packed, struct err *e)
{
	const uint8_t *in = len == 0 ? (const uint8_t *)"" : plain;
	size_t room, n;
	uint8_t *o;

	if (len > MEMBER_PLAIN_MAX)
		return err_set(e, ERR_UNSUPPORTED, "%zu bytes are too much for one member", len);
	room = libdeflate_deflate_compress_bound(p->deflate, len);
	if (room < dense_stored_len(len))
		room = dense_stored_len(len);
	if ((o = buf_reserve(packed, MIN_LEN + room)) == NULL)
		return err_nomem(e);
	memcpy(o, header, HEADER_LEN);
	o += HEADER_LEN;
	if (is_dense(p, in, len, o, room)) {
		n = dense_stored_len(len);
		dense_store(in, len, o);
	} else if ((n = libdeflate_deflate_compress(p->deflate, in, len, o, room)) == 0) {
		return err_set(e, ERR_SYS, "libdeflate broke its own bound");
	}
	put_le32(o + n, libdeflate_crc32(0, in, len));
	put_le32(o + n + 4, (uint32_t)len);
	packed->len += MIN_LEN + n;
	return 0;
}

int
member_unpacker_new(struct member_unpacker **out, struct err *e)
{
	struct member_unpacker *u;

	if ((u = calloc(1, sizeof(*u))) == NULL)
		return err_nomem(e);
	if ((u->inflate = libdeflate_alloc_decompressor()) == NULL) {
		free(u);
		return err_nomem(e);
	}
	*out = u;
	return 0;
}

void
member_unpacker_free(struct member_unpacker *u)
{
	if (u == NULL)
		return;
	libdeflate_free_decompressor(u->inflate);
	free(u);
}

/* Subfields of an extra field: two bytes of id, two of length, that many bytes. */
static bool
extra_is_sound(const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t n;

		if (len < 4 || (n = get_le16(p + 2)) > len - 4)
			return false;
		p += 4 + n;
		len -= 4 + n;
	}
	return true;
}

/*
 * Length of the header, or 0 when it is none that Tarseal writes.  An extra field is
 * read past: a later version may pad members with one, and archives outlive versions.
 */
static size_t
header_length(const uint8_t *p, size_t len)
{
	size_t n;

	if (len < MIN_LEN || memcmp(p, header, FLG_AT) != 0 || (p[FLG_AT] & ~FLG_EXTRA) != 0 ||
	    memcmp(p + FLG_AT + 1, header + FLG_AT + 1, HEADER_LEN - FLG_AT - 1) != 0)
		return 0;
	if (p[FLG_AT] == 0)
		return HEADER_LEN;
	if (len < MIN_LEN + 2 || (n = get_le16(p + HEADER_LEN)) > len - MIN_LEN - 2)
		return 0;
	return extra_is_sound(p + HEADER_LEN + 2, n) ? HEADER_LEN + 2 + n : 0;
}

int
member_unpack(struct member_unpacker *u, const void *packed, size_t len, size_t plain_len,
    struct buf *plain, struct err *e)
{
	const uint8_t *p = packed;
	size_t head, body, in_used, out_used;
	uint8_t *o;

	buf_clear(plain);
	if (plain_len > MEMBER_PLAIN_MAX)
		return err_set(e, ERR_CORRUPT, "a member of %zu bytes: more than any", plain_len);
	if ((head = header_length(p, len)) == 0)
		return err_set(e, ERR_CORRUPT, "not the header of a gzip member");
	/* Before any memory is taken, or work done, on the word of the index alone. */
	if (get_le32(p + len - 4) != plain_len)
		return err_set(e, ERR_CORRUPT, "a gzip member of another length");
	body = len - head - TRAILER_LEN;
	/* One byte more, so that an empty member has an address too. */
	if ((o = buf_reserve(plain, plain_len + 1)) == NULL)
		return err_nomem(e);
	if (libdeflate_deflate_decompress_ex(u->inflate, p + head, body, o, plain_len, &in_used,
		&out_used) != LIBDEFLATE_SUCCESS)
		return err_set(e, ERR_CORRUPT, "not a sound gzip member of %zu bytes", plain_len);
	if (in_used != body)
		return err_set(e, ERR_CORRUPT, "bytes follow the gzip member");
	if (out_used != plain_len)
		return err_set(e, ERR_CORRUPT, "a gzip member that ends early");
	if (libdeflate_crc32(0, o, plain_len) != get_le32(p + len - TRAILER_LEN))
		return err_set(e, ERR_CORRUPT, "a gzip member with a wrong CRC");
	plain->len = plain_len;
	return 0;
}

/*
 * The padding is one subfield (RFC 1952, 2.3.1.1) of zeros; its id is ours.  Six bytes are the
 * least that a field can take.
 */
#define PAD_HEAD 6

static void
put_padding(uint8_t *field, size_t len)
{
	size_t extra = len - 2, data = len - PAD_HEAD;

	memset(field, 0, len);
	field[0] = (uint8_t)extra;
	field[1] = (uint8_t)(extra >> 8);
	field[2] = 'T';
	field[3] = 'P';
	field[4] = (uint8_t)data;
	field[5] = (uint8_t)(data >> 8);
}

int
member_align(struct buf *packed, size_t block, struct err *e)
{
	size_t head = header_length(packed->data, packed->len), body, pad;

	if (head == 0)
		return err_set(e, ERR_CORRUPT, "not the header of a gzip member");
	if ((packed->len & (block - 1)) == 0)
		return 0;
	body = packed->len - head;
	pad = -(HEADER_LEN + body) & (block - 1);
	if (pad > 0 && pad < PAD_HEAD)
		pad += block;
	if (buf_reserve(packed, pad) == NULL)
		return err_nomem(e);
	memmove(packed->data + HEADER_LEN + pad, packed->data + head, body);
	packed->data[FLG_AT] = pad > 0 ? FLG_EXTRA : 0;
	if (pad > 0)
		put_padding(packed->data + HEADER_LEN, pad);
	packed->len = HEADER_LEN + pad + body;
	return 0;
}

uint32_t
member_claimed_len(const void *packed, size_t len)
{
	return len < MIN_LEN ? 0 : get_le32((const uint8_t *)packed + len - 4);
}

void
member_packer_name(int level, char out[64])
{
	(void)snprintf(out, 64, "libdeflate %s level %d", LIBDEFLATE_VERSION_STRING, level);
}
