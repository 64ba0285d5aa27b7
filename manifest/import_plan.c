/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_plan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/cut.h"
#include "core/err.h"
#include "core/stop.h"
#include "manifest/import_names.h"
#include "manifest/import_spool.h"
#include "pack/bigfile.h"
#include "pack/feed.h"
#include "pack/holes.h"
#include "pack/source.h"
#include "pack/statkey.h"

struct plan {
	struct feed feed;
	struct import_names *names;
	const struct import_spool *spool;
	struct import_reader *reader;
};

static uint32_t
type_bits(enum entry_type type)
{
	switch (type) {
	case ENTRY_DIR:
		return S_IFDIR;
	case ENTRY_SYMLINK:
		return S_IFLNK;
	case ENTRY_FIFO:
		return S_IFIFO;
	case ENTRY_CHAR:
		return S_IFCHR;
	case ENTRY_BLOCK:
		return S_IFBLK;
	default:
		return S_IFREG;
	}
}

static void
set_facts(struct facts *f, const struct entry *en)
{
	*f = (struct facts){
	    .size = en->size,
	    .mtime_sec = en->mtime_sec,
	    .mtime_nsec = en->mtime_nsec,
	    .ctime_sec = FACTS_NO_CTIME,
	    .mode = en->mode | type_bits(en->type),
	    .uid = en->uid,
	    .gid = en->gid,
	    .rdev_major = en->rdev_major,
	    .rdev_minor = en->rdev_minor,
	};
}

/* ---- large files ---- */

struct big {
	const struct import_spool *spool;
	uint64_t data;
	struct facts facts;
	struct buf attrs;
};

static int
big_facts(struct bigfile *b, struct facts *out)
{
	*out = ((const struct big *)b->file)->facts;
	return 0;
}

static int
big_attrs(struct bigfile *b, struct attrs *out, struct err *e)
{
	const struct big *big = b->file;

	return attrs_unpack(out, big->attrs.data, big->attrs.len, e);
}

/* Called by several workers at once: each with a reader of its own. */
static int
big_read(struct bigfile *b, uint64_t offset, uint8_t *out, size_t len, struct section_range *bad,
    struct err *e)
{
	const struct big *big = b->file;
	struct import_reader *r = NULL;

	*bad = (struct section_range){0};
	int rc = import_reader_new(&r, big->spool, e);
	if (rc == 0)
		rc = import_reader_get(r, big->data + offset, out, len, e);
	import_reader_free(r);
	return rc == 0 ? 1 : -1;
}

static bool
big_may_be_sparse(const struct bigfile *b)
{
	return b->facts.size > CUT_SPARSE_MIN; /* to look costs little more than to read */
}

static int
big_scan(struct bigfile *b, struct holes *h, struct err *e)
{
	const struct big *big = b->file;
	struct import_reader *r = NULL;
	uint8_t *room = malloc(CUT_CHUNK);
	int rc = room == NULL ? err_nomem(e) : import_reader_new(&r, big->spool, e);

	for (uint64_t at = 0; rc == 0 && at < big->facts.size; at += CUT_CHUNK) {
		uint64_t left = big->facts.size - at;
		size_t n = left < CUT_CHUNK ? (size_t)left : CUT_CHUNK;
		if ((rc = stop_check(e)) == 0 &&
		    (rc = import_reader_get(r, big->data + at, room, n, e)) == 0)
			rc = holes_feed_data(h, room, n, e);
	}
	import_reader_free(r);
	free(room);
	return rc;
}

static void
big_free(struct big *big)
{
	buf_done(&big->attrs);
	free(big);
}

static void
big_close(struct bigfile *b)
{
	big_free(b->file);
}

static const struct bigfile_ops big_ops = {
    .facts = big_facts,
    .attrs = big_attrs,
    .may_be_sparse = big_may_be_sparse,
    .scan = big_scan,
    .read = big_read,
    .close = big_close,
};

static int
add_big(struct plan *p, const struct import_entry *it, struct err *e)
{
	struct big *big = calloc(1, sizeof(*big));
	struct bigfile *b;

	if (big == NULL)
		return err_nomem(e);
	big->spool = p->spool;
	big->data = it->data;
	set_facts(&big->facts, &it->en);
	buf_append(&big->attrs, it->attrs, it->attrs_len);
	if (buf_check(&big->attrs, e) != 0 ||
	    bigfile_new_ops(&b, &big_ops, big, it->en.path, it->en.path_len, e) != 0) {
		big_free(big);
		return -1;
	}
	(void)bigfile_look(b); /* its facts are at hand */
	int rc = feed_big(&p->feed, b, e);
	bigfile_unref(b);
	return rc;
}

/* ---- all others ---- */

static int
read_content(struct plan *p, const struct import_entry *it, struct source_file *f, struct err *e)
{
	size_t len = (size_t)it->en.size;
	uint8_t *room = buf_reserve(&f->data, len);

	if (room == NULL && len > 0)
		return err_nomem(e);
	if (import_reader_get(p->reader, it->data, room, len, e) != 0)
		return err_where(e, "%.300s", it->en.path);
	f->data.len = len;
	return 0;
}

static int
add_small(struct plan *p, const struct import_entry *it, struct err *e)
{
	struct source_file *f = calloc(1, sizeof(*f));
	int rc;

	if (f == NULL)
		return err_nomem(e);
	set_facts(&f->facts, &it->en);
	rc = attrs_unpack(&f->attrs, it->attrs, it->attrs_len, e);
	if (rc == 0 && it->en.type == ENTRY_FILE)
		rc = read_content(p, it, f, e);
	const struct feed_entry en = {
	    .type = it->en.type,
	    .path = it->en.path,
	    .path_len = it->en.path_len,
	    .link = it->en.link,
	    .link_len = it->en.link_len,
	    .facts = &f->facts,
	    .read = f,
	    .settled = STATKEY_NEVER,
	};
	if (rc == 0 && (rc = feed_add(&p->feed, &en, e)) == 0)
		return 0;
	source_file_done(f);
	free(f);
	return rc;
}

int
import_plan(struct pipeline *pipeline, struct import_names *names, const struct import_spool *spool,
    struct err *e)
{
	struct plan p = {.feed = {.pipeline = pipeline}, .names = names, .spool = spool};
	struct import_entry it;
	int rc = import_reader_new(&p.reader, spool, e);

	while (rc == 0 && (rc = import_names_next(names, &it, e)) == 1)
		rc = it.en.type == ENTRY_FILE && it.en.size >= CUT_LARGE_MIN
		    ? add_big(&p, &it, e)
		    : add_small(&p, &it, e);
	if (rc == 0)
		rc = feed_end(&p.feed, e);
	feed_done(&p.feed);
	import_reader_free(p.reader);
	return rc;
}
