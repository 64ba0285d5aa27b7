/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/bare_read.h"

#include "archive/foreign.h"
#include "archive/gunzip.h"
#include "core/err.h"
#include "core/progress.h"
#include "restore/load.h"

/* gunzip_read() for the tar reader, and for the eye. */
static ssize_t
feed(void *ctx, const void **data, struct err *e)
{
	struct bare_read *r = ctx;
	ssize_t n = gunzip_read(r->gunzip, data, e);
	uint64_t taken = gunzip_taken(r->gunzip);

	progress_add(taken - r->shown, 0);
	r->shown = taken;
	return n;
}

int
bare_read_open(struct bare_read *r, int fd, struct err *e)
{
	*r = (struct bare_read){0};
	if (gunzip_new(&r->gunzip, fd, e) != 0)
		return -1;
	return foreign_new(&r->foreign, feed, r, e);
}

void
bare_read_close(struct bare_read *r)
{
	foreign_free(r->foreign);
	gunzip_free(r->gunzip);
	*r = (struct bare_read){0};
}

static int
judge(struct bare_read *r, int rc, const struct err *e)
{
	if (rc < 0)
		r->broken = restore_load_lost(e) || e->kind == ERR_UNSUPPORTED;
	return rc;
}

int
bare_read_next(struct bare_read *r, struct entry *en, struct err *e)
{
	return judge(r, foreign_next(r->foreign, en, e), e);
}

int
bare_read_data(struct bare_read *r, const void **data, size_t *len, uint64_t *offset, struct err *e)
{
	return judge(r, foreign_data(r->foreign, data, len, offset, e), e);
}

const char *
bare_read_lost(const struct bare_read *r)
{
	return foreign_lost(r->foreign);
}

void
bare_read_digest(const struct bare_read *r, uint8_t out[SHA256_LEN])
{
	gunzip_digest(r->gunzip, out);
}
