/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/gunzip.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/err.h"
#include "core/io.h"

#define IN_LEN (256u << 10)
#define OUT_LEN (256u << 10)
#define GZIP_ONLY (15 + 16) /* window bits: a gzip wrapper, and zlib checks CRC and length */

struct gunzip {
	int fd;
	z_stream z;
	bool inside; /* a member has begun */
	bool any; /* a member has ended */
	uint64_t offset; /* read from the file */
	struct sha256 hash;
	uint8_t *in, *out;
};

int
gunzip_new(struct gunzip **out, int fd, struct err *e)
{
	struct gunzip *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return err_nomem(e);
	g->in = malloc(IN_LEN);
	g->out = malloc(OUT_LEN);
	if (g->in == NULL || g->out == NULL || inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
		free(g->in);
		free(g->out);
		free(g);
		return err_nomem(e);
	}
	g->fd = fd;
	sha256_init(&g->hash);
	*out = g;
	return 0;
}

void
gunzip_free(struct gunzip *g)
{
	if (g == NULL)
		return;
	(void)inflateEnd(&g->z);
	free(g->in);
	free(g->out);
	free(g);
}

uint64_t
gunzip_taken(const struct gunzip *g)
{
	return g->offset;
}

void
gunzip_digest(const struct gunzip *g, uint8_t out[SHA256_LEN])
{
	struct sha256 h = g->hash;

	sha256_final(&h, out);
}

/* Where in the file the next byte of the member lies. */
static uint64_t
at(const struct gunzip *g)
{
	return g->offset - g->z.avail_in;
}

/* More input.  1; 0 at the end of the file; -1. */
static int
refill(struct gunzip *g, struct err *e)
{
	ssize_t n = io_pread(g->fd, g->in, IN_LEN, g->offset, e);

	if (n <= 0)
		return (int)n;
	sha256_update(&g->hash, g->in, (size_t)n);
	g->offset += (uint64_t)n;
	g->z.next_in = g->in;
	g->z.avail_in = (uInt)n;
	return 1;
}

/* Between members: 1 when another one begins, 0 at the end, -1. */
static int
begin_member(struct gunzip *g, struct err *e)
{
	int rc;

	if (g->z.avail_in == 0 && (rc = refill(g, e)) <= 0) {
		if (rc == 0 && !g->any)
			return err_set(e, ERR_CORRUPT, "is empty");
		return rc;
	}
	/* The second byte of the magic is inflate's to see, should it lie in the next piece. */
	if (g->z.next_in[0] != 0x1f)
		return g->any
		    ? err_set(e, ERR_CORRUPT,
			  "something else than gzip data follows its end, at byte %" PRIu64, at(g))
		    : err_set(e, ERR_CORRUPT, "is not gzip data");
	if (inflateReset2(&g->z, GZIP_ONLY) != Z_OK)
		return err_nomem(e);
	g->inside = true;
	return 1;
}

static int
damaged(const struct gunzip *g, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "gzip data is damaged before byte %" PRIu64 ": %s", at(g),
	    g->z.msg != NULL ? g->z.msg : "no such data");
}

ssize_t
gunzip_read(void *ctx, const void **data, struct err *e)
{
	struct gunzip *g = ctx;
	int rc;

	g->z.next_out = g->out;
	g->z.avail_out = OUT_LEN;
	while (g->z.avail_out == OUT_LEN) {
		if (!g->inside && (rc = begin_member(g, e)) <= 0)
			return rc;
		if (g->z.avail_in == 0) {
			if ((rc = refill(g, e)) < 0)
				return -1;
			if (rc == 0)
				return err_set(e, ERR_CORRUPT,
				    "breaks off: the gzip data does not end at its last byte, "
				    "%" PRIu64,
				    g->offset);
		}
		rc = inflate(&g->z, Z_NO_FLUSH);
		if (rc == Z_STREAM_END) {
			g->inside = false;
			g->any = true;
		} else if (rc == Z_MEM_ERROR) {
			return err_nomem(e);
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			return damaged(g, e);
		}
	}
	*data = g->out;
	return (ssize_t)(OUT_LEN - g->z.avail_out);
}
