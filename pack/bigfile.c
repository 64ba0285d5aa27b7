/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/bigfile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/cut.h"
#include "core/clock.h"
#include "core/err.h"
#include "pack/holes.h"
#include "pack/source.h"
#include "pack/statkey.h"

/* ---- a live file ---- */

static int
live_facts(struct bigfile *b, struct facts *out)
{
	struct stat st;

	if (fstat(b->fd, &st) != 0)
		return -1;
	facts_from(out, &st);
	return 0;
}

static int
live_attrs(struct bigfile *b, struct attrs *out, struct err *e)
{
	return attrs_read_fd(out, b->fd, e);
}

/*
 * A look at the blocks, and at the file system's map, spares most files the scan: blocks
 * alone are fewer on file systems that compress, too.  It decides nothing: holes that it
 * misses are found when the file is packed, which is then done again.
 */
static bool
live_may_be_sparse(const struct bigfile *b)
{
	uint64_t blocks = b->facts.size / 512;

	return blocks > b->facts.blocks && (blocks - b->facts.blocks) * 512 > CUT_SPARSE_MIN / 2 &&
	    holes_known(b->fd, b->facts.size) > CUT_SPARSE_MIN;
}

static int
live_scan(struct bigfile *b, struct holes *h, struct err *e)
{
	return holes_scan(h, b->fd, e);
}

static int
live_read(struct bigfile *b, uint64_t offset, uint8_t *out, size_t len, struct section_range *bad,
    struct err *e)
{
	(void)e;
	return source_read_range(b->fd, offset, out, len, bad);
}

static void
live_close(struct bigfile *b)
{
	(void)close(b->fd);
}

static const struct bigfile_ops live_ops = {
    .facts = live_facts,
    .attrs = live_attrs,
    .may_be_sparse = live_may_be_sparse,
    .scan = live_scan,
    .read = live_read,
    .close = live_close,
};

/* ---- any ---- */

int
bigfile_new_ops(struct bigfile **out, const struct bigfile_ops *ops, void *file, const char *path,
    size_t path_len, struct err *e)
{
	struct bigfile *b = calloc(1, sizeof(*b));
	char *copy = malloc(path_len + 1);

	if (b == NULL || copy == NULL) {
		free(b);
		free(copy);
		return err_nomem(e);
	}
	memcpy(copy, path, path_len);
	copy[path_len] = '\0';
	atomic_init(&b->refs, 1);
	b->ops = ops;
	b->fd = -1;
	b->margin = -1;
	b->file = file;
	b->path = copy;
	b->path_len = path_len;
	*out = b;
	return 0;
}

int
bigfile_new(
    struct bigfile **out, int fd, int64_t margin, const char *path, size_t path_len, struct err *e)
{
	if (bigfile_new_ops(out, &live_ops, NULL, path, path_len, e) != 0) {
		(void)close(fd);
		return -1;
	}
	(*out)->fd = fd;
	(*out)->margin = margin;
	return 0;
}

struct bigfile *
bigfile_ref(struct bigfile *b)
{
	atomic_fetch_add(&b->refs, 1);
	return b;
}

void
bigfile_unref(struct bigfile *b)
{
	if (b == NULL || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	b->ops->close(b);
	attrs_done(&b->attrs);
	free(b->extents);
	free(b->path);
	free(b);
}

void
bigfile_entry(const struct bigfile *b, struct entry *en)
{
	*en = (struct entry){
	    .type = ENTRY_FILE,
	    .path = b->path,
	    .path_len = b->path_len,
	    .size = b->facts.size,
	    .sparse = b->sparse,
	    .extents = b->extents,
	    .n_extents = b->n_extents,
	};
	facts_entry(&b->facts, en);
	attrs_entry(&b->attrs, en);
}

void
bigfile_make_sparse(struct bigfile *b, struct entry_extent *extents, size_t n)
{
	free(b->extents);
	b->sparse = true;
	b->extents = extents;
	b->n_extents = n;
}

static int
find_holes(struct bigfile *b, struct err *e)
{
	struct holes h;

	free(b->extents);
	b->extents = NULL;
	b->n_extents = 0;
	b->sparse = false;
	if (!b->ops->may_be_sparse(b))
		return 0;
	holes_init(&h, b->facts.size);
	int rc = b->ops->scan(b, &h, e);
	if (rc == 0 && holes_worth(&h)) {
		bigfile_make_sparse(b, h.extents, h.n);
		h.extents = NULL;
	}
	holes_done(&h);
	return rc;
}

int
bigfile_look(struct bigfile *b)
{
	int64_t settled = statkey_settled(clock_now(), b->margin);
	struct statkey key;
	struct entry en = {.type = ENTRY_FILE, .path = b->path, .path_len = b->path_len};

	if (b->ops->facts(b, &b->facts) != 0)
		return 1;
	statkey_init(&key, INT64_MAX);
	statkey_add(&key, &en, &b->facts);
	b->may_match = b->margin >= 0 && statkey_final(&key, b->key);
	b->has_key = b->may_match && b->facts.ctime_sec < settled;
	b->unchanged = false;
	return 0;
}

int
bigfile_survey(struct bigfile *b, struct err *e)
{
	return b->ops->attrs(b, &b->attrs, e) != 0 ? -1 : find_holes(b, e);
}

bool
bigfile_next_chunk(const struct bigfile *b, struct bigfile_chunk *c)
{
	uint64_t end = b->facts.size;

	if (b->sparse) {
		while (c->extent < b->n_extents &&
		    b->extents[c->extent].offset + b->extents[c->extent].len <= c->offset)
			c->extent++;
		if (c->extent == b->n_extents)
			return false;
		uint64_t data = b->extents[c->extent].offset & ~(uint64_t)(CUT_CHUNK - 1);
		if (data > c->offset)
			c->offset = data;
		end = b->extents[b->n_extents - 1].offset + b->extents[b->n_extents - 1].len;
	}
	if (c->offset >= end)
		return false;
	c->last = end - c->offset <= CUT_CHUNK;
	return true;
}

bool
bigfile_chunk_run(
    const struct bigfile *b, const struct bigfile_chunk *c, size_t i, struct entry_extent *run)
{
	struct entry_extent all = {.offset = 0, .len = b->facts.size};
	const struct entry_extent *x = &all;

	if (b->sparse) {
		if (i >= b->n_extents - c->extent)
			return false;
		x = &b->extents[c->extent + i];
	} else if (i > 0)
		return false;
	uint64_t from = x->offset > c->offset ? x->offset : c->offset;
	uint64_t to = x->offset + x->len;
	if (to > c->offset + CUT_CHUNK)
		to = c->offset + CUT_CHUNK;
	if (from >= to)
		return false;
	*run = (struct entry_extent){.offset = from, .len = to - from};
	return true;
}
