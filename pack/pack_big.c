/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "archive/cut.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "pack/bigfile.h"
#include "pack/copy.h"
#include "pack/holes.h"
#include "pack/job.h"
#include "pack/pack_impl.h"

static struct job_output *
big_output(struct job *j, enum manifest_kind kind, struct err *e)
{
	const struct bigfile *b = j->big;
	struct job_output *o = job_output_add(j, e);

	if (o == NULL)
		return NULL;
	o->m.kind = kind;
	o->m.path = b->path;
	o->m.path_len = b->path_len;
	o->m.has_key = b->has_key && b->attrs.denied == 0;
	memcpy(o->m.key, b->key, sizeof(o->m.key));
	return o;
}

/* A member of an unchanged file.  1: copied; 0: not; -1. */
static int
copy_unchanged(struct packer *p, struct job *j, struct job_output *o, struct err *e)
{
	if (j->how != REUSE_STAT)
		return 0;
	int rc = copy_member(p->older, j, o, j->big->path, e);
	if (rc == 0)
		j->how = REUSE_NOT;
	return rc;
}

int
pack_big_header(struct packer *p, struct job *j, struct err *e)
{
	struct entry en;
	struct job_output *o = big_output(j, MANIFEST_HEADER, e);

	if (o == NULL)
		return -1;
	if (j->big->unchanged) {
		int rc = copy_unchanged(p, j, o, e);
		j->missed |= rc == 0;
		return rc < 0 ? -1 : 0;
	}
	buf_clear(&p->plain);
	bigfile_entry(j->big, &en);
	if (tar_write_header(p->tar, &en, &p->plain, e) != 0)
		return err_where(e, "%s", en.path);
	sha256_of(p->plain.data, p->plain.len, o->m.plain_digest);
	return pack_output(p, j, o, &p->plain, NULL, e) < 0 ? -1 : 0;
}

/* Bit i: piece i of the chunk holds something else than zeros. */
static uint32_t
dirty_pieces(const struct buf *data, size_t piece)
{
	uint32_t dirty = 0;

	for (size_t at = 0, i = 0; at < data->len; at += piece, i++) {
		size_t n = data->len - at < piece ? data->len - at : piece;
		if (!holes_is_zero(data->data + at, n))
			dirty |= 1u << i;
	}
	return dirty;
}

/* Reads that failed make one range a chunk, up to the end of the last that did. */
static void
add_bad(struct section_range *sum, const struct section_range *bad)
{
	if (bad->len == 0)
		return;
	if (sum->len == 0)
		*sum = *bad;
	sum->len = bad->offset + bad->len - sum->offset;
}

static int
read_chunk(struct job *j, struct err *e)
{
	struct bigfile *b = j->big;
	struct entry_extent run;
	struct section_range bad;

	for (size_t i = 0; bigfile_chunk_run(b, &j->chunk, i, &run); i++) {
		uint8_t *room = buf_reserve(&j->plain, run.len + TAR_BLOCK);
		if (room == NULL)
			return err_nomem(e);
		int rc = b->ops->read(b, run.offset, room, run.len, &bad, e);
		if (rc < 0)
			return err_where(e, "%s", b->path);
		if (rc == 0)
			j->was_short = true;
		add_bad(&j->bad, &bad);
		j->plain.len += run.len;
	}
	return 0;
}

/* Padding belongs to the member, and not to the file's data. */
static int
pack_chunk(struct packer *p, struct job *j, struct job_output *o, struct err *e)
{
	size_t data_len = j->plain.len;
	struct entry en;

	bigfile_entry(j->big, &en);
	if (j->chunk.last)
		buf_zeros(&j->plain, tar_pad(tar_data_len(&en)));
	sha256_of(j->plain.data, j->plain.len, o->m.plain_digest);
	int rc = pack_output(p, j, o, &j->plain, NULL, e);
	j->plain.len = data_len;
	return rc;
}

/* Other bytes than when it had the same key: unless somebody is writing just now, nobody told. */
static bool
is_untraced(const struct job *j)
{
	struct bigfile *b = j->big;
	struct facts now;

	return !j->was_short && b->ops->facts(b, &now) == 0 && facts_unmoved(&b->facts, &now);
}

/* A part of an unchanged file that was read has to be what it was, for the rest is not read. */
static bool
is_as_it_was(const struct job *j, const struct job_output *o)
{
	return j->bad.len == 0 && o->m.plain_len == j->old.plain_len &&
	    memcmp(o->m.plain_digest, j->old.plain_digest, SHA256_LEN) == 0;
}

int
pack_big_chunk(struct packer *p, struct job *j, struct err *e)
{
	struct bigfile *b = j->big;
	struct holes h;
	struct job_output *o = big_output(j, MANIFEST_CHUNK, e);
	int rc = o == NULL ? -1 : copy_unchanged(p, j, o, e);

	if (rc < 0)
		return -1;
	o->m.file_offset = j->chunk.offset;
	if (rc == 1)
		return 0;
	if (b->unchanged && b->sparse) { /* where its data lies is not known */
		j->missed = true;
		return 0;
	}
	if (read_chunk(j, e) != 0)
		return -1;
	o->m.has_key = o->m.has_key && j->bad.len == 0;
	if (!b->sparse && b->facts.size > CUT_SPARSE_MIN) {
		holes_init(&h, b->facts.size);
		j->dirty = dirty_pieces(&j->plain, holes_piece(&h));
	}
	if ((rc = pack_chunk(p, j, o, e)) < 0)
		return -1;
	j->stale = rc == 1 && is_untraced(j);
	j->missed |= b->unchanged && !is_as_it_was(j, o);
	return 0;
}
