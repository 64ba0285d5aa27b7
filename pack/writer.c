/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "archive/cut.h"
#include "archive/member.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/io.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "pack/pack.h"
#include "pack/reuse.h"
#include "pack/writer_impl.h"
#include "seal/manifest.h"
#include "seal/seal.h"

#define FLUSH_LEN (16u << 20)

int
writer_new(struct writer **out, const struct writer_opts *opts, struct err *e)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return err_nomem(e);
	w->o = *opts;
	sha256_init(&w->hash);
	if (member_packer_new(&w->gzip, opts->level, e) != 0)
		goto fail;
	if (manifest_writer_new(&w->manifest, opts->manifest_fd, opts->name, opts->level, e) != 0) {
		(void)err_where(e, "%s", opts->manifest_path);
		goto fail;
	}
	*out = w;
	return 0;
fail:
	writer_free(w);
	return -1;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	writer_big_done(&w->big);
	reuse_cursor_free(w->again);
	manifest_writer_free(w->manifest);
	member_packer_free(w->gzip);
	buf_done(&w->notes);
	tally_done(&w->tally);
	free(w);
}

const struct tally *
writer_tally(const struct writer *w)
{
	return &w->tally;
}

struct writer_members
writer_members(const struct writer *w)
{
	return w->members;
}

/*
 * The kernel starts to write what is complete while we go on packing, so that the
 * fsync of the commit finds little left to do.  A hint: its failure is the fsync's to tell.
 */
static void
flush_behind(struct writer *w)
{
	if (w->offset < w->flushed)
		w->flushed = w->offset; /* it was cut back */
	if (w->offset - w->flushed < FLUSH_LEN)
		return;
	(void)sync_file_range(w->o.archive_fd, (off_t)w->flushed, (off_t)(w->offset - w->flushed),
	    SYNC_FILE_RANGE_WRITE);
	w->flushed = w->offset;
}

/*
 * Let the archive have the older one's blocks instead of a copy.  What was hashed is what was read
 * of the older one; should these bytes not be what stands there any more, verify tells.  Whatever
 * the reason that it cannot be: then they are written.
 */
static bool
share(struct writer *w, const struct job_output *o)
{
	struct file_clone_range range = {
	    .src_fd = w->o.older == NULL ? -1 : reuse_archive_fd(w->o.older),
	    .src_offset = o->older_offset,
	    .src_length = o->packed.len,
	    .dest_offset = w->offset,
	};

	if (!w->o.share || !o->as_is ||
	    ((range.src_offset | range.dest_offset) & (w->o.block - 1)) != 0)
		return false;
	if (ioctl(w->o.archive_fd, FICLONERANGE, &range) != 0)
		return false;
	w->members.shared_bytes += o->packed.len;
	return true;
}

int
writer_put(struct writer *w, struct job_output *o, struct err *e)
{
	if (!share(w, o) &&
	    io_pwrite(w->o.archive_fd, o->packed.data, o->packed.len, w->offset, e) != 0)
		return err_where(e, "%s", w->o.archive_path);
	sha256_update(&w->hash, o->packed.data, o->packed.len);
	o->m.offset = w->offset;
	w->offset += o->packed.len;
	w->members.n += o->m.kind != MANIFEST_END;
	if (o->copied) {
		w->members.copied++;
		w->members.copied_bytes += o->packed.len;
	}
	flush_behind(w);
	if (manifest_write(
		w->manifest, &o->m, o->section.data, o->section.len, o->section_plain, e) != 0)
		return err_where(e, "%s", w->o.manifest_path);
	return 0;
}

int
writer_pack_section(struct writer *w, struct job_output *o, const struct buf *text, struct err *e)
{
	if (buf_check(text, e) != 0)
		return -1;
	o->section_plain = text->len;
	return text->len == 0 ? 0 : member_pack(w->gzip, text->data, text->len, &o->section, e);
}

/* ---- the pipeline's functions ---- */

static void *
worker_new(void *ctx, struct err *e)
{
	struct writer *w = ctx;
	const struct packer_opts opts = {
	    .rootfd = w->o.source_fd,
	    .workers = w->o.jobs,
	    .older = w->o.older,
	    .level = w->o.level,
	    .block = w->o.block,
	};
	struct packer *p;

	return packer_new(&p, &opts, e) == 0 ? p : NULL;
}

static void
worker_free(void *worker)
{
	packer_free(worker);
}

static int
work(void *ctx, void *worker, void *job, struct err *e)
{
	(void)ctx;
	return packer_run(worker, job, e);
}

static int
sink(void *ctx, void *job, struct err *e)
{
	struct writer *w = ctx;
	struct job *j = job;

	if (j->kind != JOB_FILES)
		return writer_big_job(w, j, e);
	for (size_t i = 0; i < j->n_out; i++) {
		if (writer_put(w, &j->out[i], e) != 0)
			return -1;
	}
	buf_append(&w->notes, j->notes.data, j->notes.len);
	tally_add(&w->tally, &j->tally);
	progress_add(j->tally.bytes, j->tally.entries);
	return buf_check(&w->notes, e);
}

int
writer_start(struct writer *w, struct pipeline **out,
    int (*to)(void *ctx, void *job, struct err *e), struct err *e)
{
	struct pipeline_opts opts = {
	    .workers = w->o.jobs,
	    .ctx = w,
	    .worker_new = worker_new,
	    .worker_free = worker_free,
	    .work = work,
	    .sink = to,
	    .job_free = job_free,
	};

	return pipeline_new(out, &opts, e);
}

int
writer_pipeline(struct writer *w, struct pipeline **out, struct err *e)
{
	return writer_start(w, out, sink, e);
}

/* ---- the end ---- */

static int
put_end(struct writer *w, struct err *e)
{
	static const uint8_t zeros[TAR_END_LEN];
	struct job_output o = {.m = {.kind = MANIFEST_END, .plain_len = TAR_END_LEN}};
	int rc = -1;

	if (member_pack(w->gzip, zeros, sizeof(zeros), &o.packed, e) != 0 ||
	    (w->o.block > 0 && member_align(&o.packed, w->o.block, e) != 0) ||
	    writer_pack_section(w, &o, &w->notes, e) != 0)
		goto out;
	o.m.packed_len = o.packed.len;
	sha256_of(zeros, sizeof(zeros), o.m.plain_digest);
	sha256_of(o.packed.data, o.packed.len, o.m.packed_digest);
	rc = writer_put(w, &o, e);
out:
	job_output_done(&o);
	return rc;
}

int
writer_finish(struct writer *w, struct seal *s, struct err *e)
{
	if (put_end(w, e) != 0)
		return -1;
	if (manifest_writer_finish(w->manifest, s, e) != 0)
		return err_where(e, "%s", w->o.manifest_path);
	s->archive_size = w->offset;
	sha256_final(&w->hash, s->archive_digest);
	s->bytes = w->tally.bytes;
	s->unreadable = w->tally.events[TALLY_UNREADABLE];
	s->changed = w->tally.events[TALLY_CHANGED];
	s->needs_gnu_sparse = w->needs_sparse;
	return 0;
}
