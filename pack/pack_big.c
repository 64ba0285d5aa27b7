/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "archive/cut.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "pack/bigfile.h"
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
	o->m.has_key = b->has_key && j->bad.len == 0;
	memcpy(o->m.key, b->key, sizeof(o->m.key));
	return o;
}

int
pack_big_header(struct packer *p, struct job *j, struct err *e)
{
	struct entry en;
	struct job_output *o = big_output(j, MANIFEST_HEADER, e);

	if (o == NULL)
		return -1;
	buf_clear(&p->plain);
	bigfile_entry(j->big, &en);
	if (tar_write_header(p->tar, &en, &p->plain, e) != 0)
		return err_where(e, "%s", en.path);
	return pack_output(p, o, &p->plain, NULL, e);
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

int
pack_big_chunk(struct packer *p, struct job *j, struct err *e)
{
	struct bigfile *b = j->big;
	struct entry_extent run;
	struct section_range bad;
	struct holes h;
	struct entry en;

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
	if (!b->sparse && b->facts.size > CUT_SPARSE_MIN) {
		holes_init(&h, b->facts.size);
		j->dirty = dirty_pieces(&j->plain, holes_piece(&h));
	}
	struct job_output *o = big_output(j, MANIFEST_CHUNK, e);
	if (o == NULL)
		return -1;
	o->m.file_offset = j->chunk.offset;
	size_t data_len = j->plain.len;
	bigfile_entry(b, &en);
	if (j->chunk.last)
		buf_zeros(&j->plain, tar_pad(tar_data_len(&en)));
	int rc = pack_output(p, o, &j->plain, NULL, e);
	j->plain.len = data_len;
	return rc;
}
