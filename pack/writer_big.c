/* SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/cut.h"
#include "core/err.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "core/stop.h"
#include "pack/reuse.h"
#include "pack/writer_impl.h"
#include "seal/manifest.h"

/*
 * A large file's end is where it is judged:
 *
 *	unmoved                          keep; or, when it is full of holes, pass again, sparse
 *	grew, and the prefix is the same keep, flagged
 *	changed                          pass again; the third time keep, flagged
 *
 * One that is unchanged since the older backup has its members copied, and is not judged by its
 * content.  When one of them is not to be had after all, it is passed again like any other.
 *
 * To pass again, archive and manifest are cut back to its header, and the file goes through
 * a pipeline of its own that ends here too.  The outer pipeline goes on packing what
 * follows, as far as its depth allows, and waits for us then.
 */

static void
forget_pass(struct writer_big *b)
{
	holes_done(&b->holes);
	b->n_bad = 0;
	job_output_done(&b->last);
	b->last = (struct job_output){0};
}

void
writer_big_done(struct writer_big *b)
{
	forget_pass(b);
	free(b->bad);
	manifest_mark_free(b->mark);
	bigfile_unref(b->file);
	*b = (struct writer_big){0};
}

static void
begin_pass(struct writer_big *b)
{
	forget_pass(b);
	sha256_init(&b->content);
	b->hashed = 0;
	b->was_short = b->stale = b->missed = false;
	holes_init(&b->holes, b->file->facts.size);
}

static int
begin(struct writer *w, struct bigfile *file, struct err *e)
{
	struct writer_big *b = &w->big;

	b->file = bigfile_ref(file);
	b->tries = 1;
	b->offset = w->offset;
	b->archive = w->hash;
	b->members = w->members;
	if (manifest_mark_new(&b->mark, w->manifest, e) != 0)
		return -1;
	begin_pass(b);
	return 0;
}

/* ---- content ---- */

static int
hash_zeros(struct writer_big *b, uint64_t to, struct err *e)
{
	static const uint8_t zeros[65536];

	while (b->hashed < to) {
		uint64_t n = to - b->hashed < sizeof(zeros) ? to - b->hashed : sizeof(zeros);
		sha256_update(&b->content, zeros, n);
		b->hashed += n;
		if (stop_check(e) != 0)
			return -1;
	}
	return 0;
}

static int
add_bad(struct writer_big *b, const struct section_range *r, struct err *e)
{
	struct section_range *last = b->n_bad > 0 ? &b->bad[b->n_bad - 1] : NULL;

	if (r->len == 0)
		return 0;
	if (last != NULL && last->offset + last->len == r->offset) {
		last->len += r->len;
		return 0;
	}
	if (b->n_bad == b->cap_bad) {
		size_t cap = b->cap_bad == 0 ? 8 : b->cap_bad * 2;
		struct section_range *grown = realloc(b->bad, cap * sizeof(*grown));
		if (grown == NULL)
			return err_nomem(e);
		b->bad = grown;
		b->cap_bad = cap;
	}
	assert(b->bad != NULL);
	b->bad[b->n_bad++] = *r;
	return 0;
}

static int
feed_holes(struct writer_big *b, const struct job *j, struct err *e)
{
	size_t piece = holes_piece(&b->holes);

	for (size_t at = 0, i = 0; at < j->plain.len; at += piece, i++) {
		size_t n = j->plain.len - at < piece ? j->plain.len - at : piece;
		if (holes_feed(&b->holes, n, (j->dirty >> i & 1) == 0, e) != 0)
			return -1;
	}
	return 0;
}

static int
take_content(struct writer_big *b, const struct job *j, struct err *e)
{
	const uint8_t *data = j->plain.data;
	struct entry_extent run;

	for (size_t i = 0; bigfile_chunk_run(b->file, &j->chunk, i, &run); i++) {
		if (hash_zeros(b, run.offset, e) != 0)
			return -1;
		sha256_update(&b->content, data, run.len);
		b->hashed += run.len;
		data += run.len;
	}
	if (!b->file->sparse && b->file->facts.size > CUT_SPARSE_MIN && feed_holes(b, j, e) != 0)
		return -1;
	b->was_short |= j->was_short;
	b->stale |= j->stale;
	return add_bad(b, &j->bad, e);
}

/* The member, of which the last is kept back. */
static int
take_member(struct writer *w, struct job *j, struct err *e)
{
	struct writer_big *b = &w->big;

	if (!j->last)
		return writer_put(w, &j->out[0], e);
	b->last = j->out[0];
	b->older = j->old;
	j->out[0] = (struct job_output){0};
	return 0;
}

/* Header and chunks alike.  What a pass that is given up would tell, the next one does. */
static int
take(struct writer *w, struct job *j, struct err *e)
{
	struct writer_big *b = &w->big;

	b->missed |= j->missed;
	if (b->missed)
		return 0;
	tally_add(&w->tally, &j->tally);
	if (b->file->unchanged)
		return take_member(w, j, e);
	if (j->kind == JOB_CHUNK && take_content(b, j, e) != 0)
		return -1;
	if (j->last && hash_zeros(b, j->big->facts.size, e) != 0)
		return -1;
	return take_member(w, j, e);
}

/* ---- judgement ---- */

static void
content_digest(const struct writer_big *b, uint8_t out[SHA256_LEN])
{
	struct sha256 h = b->content;

	sha256_final(&h, out);
}

/* Read the file's first bytes, as many as were stored, once more: 1 the same, 0 others, -1. */
static int
prefix_stands(const struct writer_big *b, struct err *e)
{
	uint8_t first[SHA256_LEN], again[SHA256_LEN];
	struct section_range bad;
	uint64_t size = b->file->facts.size;
	struct sha256 h;
	int rc = -1;

	uint8_t *room = malloc(CUT_CHUNK);
	if (room == NULL)
		return err_nomem(e);
	sha256_init(&h);
	for (uint64_t at = 0; at < size; at += CUT_CHUNK) {
		size_t n = size - at < CUT_CHUNK ? (size_t)(size - at) : CUT_CHUNK;
		if ((rc = stop_check(e)) != 0)
			goto out;
		if ((rc = b->file->ops->read(b->file, at, room, n, &bad, e)) != 1)
			goto out;
		sha256_update(&h, room, n);
	}
	sha256_final(&h, again);
	content_digest(b, first);
	rc = memcmp(first, again, sizeof(first)) == 0;
out:
	free(room);
	return rc;
}

enum verdict { KEEP, PASS_AGAIN, FAILED };

static enum verdict
judge_moved(
    struct writer_big *b, const struct facts *after, struct section_facts *facts, struct err *e)
{
	int rc = 0;

	if (after->size > b->file->facts.size && (rc = prefix_stands(b, e)) < 0)
		return FAILED;
	if (rc == 1) {
		facts->grew = true;
		return KEEP;
	}
	if (b->tries == SOURCE_TRIES) {
		facts->changed = true;
		return KEEP;
	}
	b->tries++;
	if (bigfile_look(b->file) != 0) { /* it was readable a moment ago: keep what there is */
		facts->changed = true;
		return KEEP;
	}
	return bigfile_survey(b->file, e) != 0 ? FAILED : PASS_AGAIN;
}

static void
tell_uncopied(struct writer *w, const struct bigfile *f, const char *why)
{
	struct tally t = {0};

	tally_event(&t, TALLY_UNCOPIED, f->path, f->path_len, why);
	tally_add(&w->tally, &t);
	tally_done(&t);
}

/* Its line is copied too, and with that its digest. */
static enum verdict
judge_unchanged(struct writer *w, struct err *e)
{
	struct writer_big *b = &w->big;
	struct err why;
	int rc;

	if (!b->missed) {
		rc = reuse_fetch_section(w->o.older, &b->older, &b->last.section, &why, e);
		if (rc <= 0)
			return rc == 0 ? KEEP : FAILED;
		tell_uncopied(w, b->file, why.msg);
	}
	if (bigfile_look(b->file) != 0) {
		(void)err_sys(e, "source: %s", b->file->path);
		return FAILED;
	}
	return bigfile_survey(b->file, e) != 0 ? FAILED : PASS_AGAIN;
}

static enum verdict
judge(struct writer *w, struct section_facts *facts, struct err *e)
{
	struct writer_big *b = &w->big;
	struct facts after;

	*facts = (struct section_facts){.unreadable = b->bad, .n_unreadable = b->n_bad};
	if (b->file->unchanged)
		return judge_unchanged(w, e);
	if (b->n_bad > 0)
		return KEEP; /* a disk that fails is not asked again */
	if (b->file->ops->facts(b->file, &after) != 0) {
		facts->changed = true; /* nobody knows */
		return KEEP;
	}
	if (b->was_short || !facts_unmoved(&b->file->facts, &after))
		return judge_moved(b, &after, facts, e);
	if (b->file->sparse || !holes_worth(&b->holes))
		return KEEP;
	bigfile_make_sparse(b->file, b->holes.extents, b->holes.n);
	b->holes.extents = NULL;
	return PASS_AGAIN;
}

/* ---- again ---- */

static int
cut_back(struct writer *w, struct err *e)
{
	if (ftruncate(w->o.archive_fd, (off_t)w->big.offset) != 0) {
		(void)err_sys(e, "ftruncate");
		return err_where(e, "%s", w->o.archive_path);
	}
	w->offset = w->big.offset;
	w->hash = w->big.archive;
	w->members = w->big.members;
	if (manifest_rewind(w->manifest, w->big.mark, e) != 0)
		return err_where(e, "%s", w->o.manifest_path);
	return 0;
}

static int
sink_again(void *ctx, void *job, struct err *e)
{
	return take(ctx, job, e);
}

/* The planner's cursor is further on. */
static int
older_again(struct writer *w, struct err *e)
{
	if (w->o.older == NULL)
		return 0;
	if (w->again == NULL && reuse_cursor_new(&w->again, w->o.older, e) != 0)
		return -1;
	if (w->again != NULL)
		reuse_seek(w->again, w->big.file->path, w->big.file->path_len);
	return 0;
}

static int
pass_again(struct writer *w, struct err *e)
{
	struct pipeline *p;

	if (cut_back(w, e) != 0)
		return -1;
	begin_pass(&w->big);
	if (older_again(w, e) != 0 || writer_start(w, &p, sink_again, e) != 0)
		return -1;
	if (writer_submit_big(p, w->big.file, w->again, e) != 0) {
		pipeline_abort(p);
		return -1;
	}
	return pipeline_finish(p, e);
}

/* ---- the end of the file ---- */

static void
count(struct writer *w, const struct bigfile *f, const struct section_facts *facts)
{
	struct tally t = {.entries = 1, .bytes = f->facts.size};

	if (facts->changed)
		tally_event(&t, TALLY_CHANGED, f->path, f->path_len, NULL);
	if (facts->grew)
		tally_event(&t, TALLY_GREW, f->path, f->path_len, NULL);
	if (facts->n_unreadable > 0)
		tally_event(&t, TALLY_UNREADABLE, f->path, f->path_len,
		    "I/O error; these parts are stored as zeros");
	if (w->big.stale)
		tally_event(&t, TALLY_UNTRACED, f->path, f->path_len, NULL);
	if (f->attrs.denied != 0)
		tally_event(
		    &t, TALLY_ATTRS, f->path, f->path_len, strerrordesc_np(f->attrs.denied));
	tally_add(&w->tally, &t);
	tally_done(&t);
	progress_add(0, 1);
}

static int
make_section(struct writer *w, struct section_facts *facts, struct err *e)
{
	struct writer_big *b = &w->big;
	struct buf text = {0};
	struct entry en;

	content_digest(b, facts->sha256);
	bigfile_entry(b->file, &en);
	section_put_entry(&text, &en, facts);
	if (facts->changed || facts->grew || facts->n_unreadable > 0)
		b->last.m.has_key = false;
	int rc = writer_pack_section(w, &b->last, &text, e);
	buf_done(&text);
	return rc;
}

static int
keep(struct writer *w, struct section_facts *facts, struct err *e)
{
	struct writer_big *b = &w->big;
	int rc = 0;

	b->last.m.entries = 1;
	if (b->file->unchanged)
		b->last.section_plain = b->older.section_plain;
	else
		rc = make_section(w, facts, e);
	if (rc == 0)
		rc = writer_put(w, &b->last, e);
	if (b->file->sparse)
		w->needs_sparse = true;
	count(w, b->file, facts);
	writer_big_done(b);
	return rc;
}

static int
end(struct writer *w, struct err *e)
{
	struct section_facts facts;
	enum verdict verdict;

	while ((verdict = judge(w, &facts, e)) == PASS_AGAIN) {
		if (pass_again(w, e) != 0)
			return -1;
	}
	return verdict == KEEP ? keep(w, &facts, e) : -1;
}

int
writer_big_job(struct writer *w, struct job *j, struct err *e)
{
	if (j->kind == JOB_HEADER && begin(w, j->big, e) != 0)
		return -1;
	if (take(w, j, e) != 0)
		return -1;
	progress_add(j->big->unchanged ? j->old.plain_len : j->plain.len, 0);
	return j->last ? end(w, e) : 0;
}
