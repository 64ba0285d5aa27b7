/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/cut.h"
#include "core/pipeline.h"
#include "pack/bigfile.h"
#include "pack/job.h"
#include "pack/reuse.h"
#include "pack/writer.h"

static int
new_job(struct job **out, struct bigfile *b, enum job_kind kind, struct err *e)
{
	if (job_new(out, kind, e) != 0)
		return -1;
	(*out)->big = bigfile_ref(b);
	return 0;
}

/* ---- what is read ---- */

static int
submit_new(struct pipeline *p, struct bigfile *b, struct reuse_cursor *older, enum job_kind kind,
    const struct bigfile_chunk *c, bool last, struct err *e)
{
	enum manifest_kind member = kind == JOB_HEADER ? MANIFEST_HEADER : MANIFEST_CHUNK;
	struct job *j;

	if (new_job(&j, b, kind, e) != 0)
		return -1;
	if (c != NULL)
		j->chunk = *c;
	j->last = last;
	if (older != NULL &&
	    reuse_find(older, member, b->path, b->path_len, j->chunk.offset, &j->old))
		j->how = REUSE_CONTENT;
	return pipeline_submit(p, j, e);
}

int
writer_submit_big(struct pipeline *p, struct bigfile *b, struct reuse_cursor *older, struct err *e)
{
	struct bigfile_chunk c = {0};
	bool more = bigfile_next_chunk(b, &c);

	if (submit_new(p, b, older, JOB_HEADER, NULL, !more, e) != 0)
		return -1;
	while (more) {
		/* The writer may look at b, and change it, as soon as the last one is submitted. */
		bool last = c.last;
		if (submit_new(p, b, older, JOB_CHUNK, &c, last, e) != 0)
			return -1;
		c.offset += CUT_CHUNK;
		more = !last && bigfile_next_chunk(b, &c);
	}
	return 0;
}

/* ---- what is unchanged ---- */

struct unchanged {
	struct pipeline *p;
	struct bigfile *b;
	const struct reuse *reuse;
	uint64_t plain; /* of its chunks so far */
};

static int
submit_old(struct unchanged *u, const struct manifest_member *m, bool last, struct err *e)
{
	bool is_chunk = m->kind == MANIFEST_CHUNK;
	struct bigfile *b = u->b;
	struct job *j;

	if (new_job(&j, b, is_chunk ? JOB_CHUNK : JOB_HEADER, e) != 0)
		return -1;
	j->old = *m;
	j->how = REUSE_STAT;
	/* Of a sparse file no part can be read alone: match_big() decides for all of it. */
	if (is_chunk && !b->sparse)
		j->how = reuse_judge(u->reuse, m, b->key, b->path, b->path_len, m->file_offset);
	j->chunk = (struct bigfile_chunk){.offset = m->file_offset, .last = last};
	j->last = last;
	if (is_chunk)
		u->plain += m->plain_len;
	/* The index could be read when it was matched, and not now. */
	j->missed = last && u->plain != b->older_plain;
	return pipeline_submit(u->p, j, e);
}

int
writer_submit_unchanged(
    struct pipeline *p, struct bigfile *b, struct reuse_cursor *older, struct err *e)
{
	struct unchanged u = {.p = p, .b = b, .reuse = reuse_of(older)};
	struct manifest_member m = {.kind = MANIFEST_HEADER}, next;
	bool more = reuse_find(older, MANIFEST_HEADER, b->path, b->path_len, 0, &m);

	for (; more; m = next) {
		more = reuse_next_chunk(older, b->path, b->path_len, &next);
		if (submit_old(&u, &m, !more, e) != 0)
			return -1;
	}
	return 0;
}
