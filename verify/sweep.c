/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/path.h"
#include "core/pipeline.h"
#include "seal/manifest.h"
#include "seal/seal.h"
#include "verify/bigfile.h"
#include "verify/copies.h"
#include "verify/job.h"
#include "verify/links.h"
#include "verify/opts.h"
#include "verify/report.h"

/*
 * main thread                      workers (job.c)               sink
 * index lines in order      ->     read, digest, section   ->    digest of the whole archive,
 * gaps where the index             deep: unpack, compare         large files, findings in order
 * is damaged, as raw reads
 */
#define GAP_PIECE (1u << 20)

struct sweep {
	const struct verify_sweep *o;
	struct verify_swept *result;
	struct sha256 hash; /* of the archive */
	bool cut_told;
	bool gap; /* the main thread's */
	struct verify_bigfile big;
	struct verify_links links;
	struct verify_copies *copies; /* NULL: nothing was damaged so far */
	char *last_path; /* of the member before */
};

/* ---- the sink ---- */

/* The end of a tar stream is zeros; nothing may hide behind the last entry. */
static void
check_end(struct sweep *s, struct verify_job *job)
{
	static const uint8_t zeros[TAR_END_LEN];

	verify_bigfile_close(&s->big, &job->finds);
	if (job->plain.len != TAR_END_LEN || memcmp(job->plain.data, zeros, TAR_END_LEN) != 0)
		verify_finds_add(&job->finds, VERIFY_DAMAGE, "tar-stream", NULL,
		    "the last member of the archive is not the end of a tar stream");
}

/* What the worker counted; and paths ascend over the members' borders too. */
static void
count_section(struct sweep *s, struct verify_job *job)
{
	if (job->section_bad || job->first_path == NULL)
		return;
	s->result->entries += job->lines;
	s->result->files_bytes += job->files_bytes;
	if (s->last_path != NULL &&
	    path_cmp(
		s->last_path, strlen(s->last_path), job->first_path, strlen(job->first_path)) >= 0)
		verify_finds_add(&job->finds, VERIFY_DAMAGE, "manifest-order", job->first_path,
		    "is out of order in the manifest");
	free(s->last_path);
	s->last_path = job->last_path;
	job->last_path = NULL;
}

static int
take_deep(struct sweep *s, struct verify_job *job, struct err *e)
{
	switch (job->m.kind) {
	case MANIFEST_HEADER:
	case MANIFEST_CHUNK:
		if (verify_bigfile_take(&s->big, job, e) < 0)
			return -1;
		break;
	case MANIFEST_END:
		if (!job->damaged && !job->unread)
			check_end(s, job);
		break;
	case MANIFEST_FILES:
		verify_bigfile_close(&s->big, &job->finds);
		break;
	}
	return 0;
}

static void
tell_cut(struct sweep *s, const struct verify_job *job)
{
	uint64_t len = s->o->archive_len;
	const struct verify_place place = {.in_archive = true,
	    .offset = len,
	    .length = s->o->source.seal->archive_size - len,
	    .member = job->is_member ? job->number : 0};
	char text[128];

	(void)snprintf(text, sizeof(text),
	    "the archive ends at %" PRIu64 " within or before the member at %" PRIu64 "; cut off:",
	    len, job->m.offset);
	verify_report_found(s->o->report,
	    &(struct verify_finding){
		.kind = VERIFY_DAMAGE, .code = "archive-cut", .text = text, .place = &place});
	s->cut_told = true;
}

static void
take_archive_bytes(struct sweep *s, const struct verify_job *job)
{
	if (job->unread)
		s->result->incomplete = true;
	else {
		sha256_update(&s->hash, job->packed.data, job->packed.len);
		s->result->bytes += job->packed.len;
	}
	if (job->damaged || job->beyond)
		s->result->damaged = true;
	/* All that is cut off is one damage, with many files. */
	if (job->beyond && !s->cut_told)
		tell_cut(s, job);
}

/* With a member of another archive this one can be healed. */
static int
ask_others(struct sweep *s, struct verify_job *job, struct err *e)
{
	if (s->copies == NULL && verify_copies_new(&s->copies, s->o->others, e) < 0)
		return -1;
	return verify_copies_find(s->copies, &job->m, &job->place.intact, e);
}

static int
sink(void *ctx, void *p, struct err *e)
{
	struct sweep *s = ctx;
	struct verify_job *job = p;

	take_archive_bytes(s, job);
	if (job->is_member) {
		s->result->members++;
		count_section(s, job);
		if (s->o->source.level == VERIFY_DEEP && s->o->source.archive_fd >= 0 &&
		    take_deep(s, job, e) < 0)
			return -1;
		s->result->damaged |= job->damaged;
		if (job->lost && ask_others(s, job, e) < 0)
			return -1;
	}
	verify_links_take(&s->links, &job->finds);
	return verify_finds_replay(&job->finds, s->o->report, e);
}

/* ---- submitting ---- */

struct feed {
	struct sweep *sweep;
	struct pipeline *pipeline;
	struct verify_job *held; /* until it is known where the next one starts */
	uint64_t at; /* in the archive: what comes next */
};

static int
submit(struct feed *f, struct verify_job *job, struct err *e)
{
	job->file_size = f->sweep->o->archive_len;
	return pipeline_submit(f->pipeline, job, e);
}

/* next: the member behind the one that is held; NULL: nobody knows. */
static int
submit_held(struct feed *f, const struct manifest_member *next, struct err *e)
{
	struct verify_job *job = f->held;

	f->held = NULL;
	if (job == NULL)
		return 0;
	job->next_known = next != NULL;
	if (next != NULL && next->path != NULL && (job->next_path = strdup(next->path)) == NULL) {
		verify_job_free(job);
		return err_nomem(e);
	}
	return submit(f, job, e);
}

/*
 * Bytes up to end that no member is known for.  Where the file itself ends there is
 * nothing to read, whatever length a seal may claim.
 */
static int
submit_gap(struct feed *f, uint64_t end, struct err *e)
{
	struct sweep *s = f->sweep;
	uint64_t stop = end < s->o->archive_len ? end : s->o->archive_len;

	if (f->at < end)
		s->gap = true;
	for (; f->at < stop; f->at += GAP_PIECE) {
		uint64_t n = stop - f->at < GAP_PIECE ? stop - f->at : GAP_PIECE;
		struct manifest_member m = {.offset = f->at, .packed_len = n};
		struct verify_job *job = verify_job_new(&m, e);

		if (job == NULL || submit(f, job, e) < 0)
			return -1;
	}
	f->at = end;
	return 0;
}

/* A page that is hurt comes as a job of no bytes, to be told in its place. */
static int
submit_index_damage(struct feed *f, const struct err *why, struct err *e)
{
	struct manifest_member m = {.offset = f->at};
	struct verify_job *job;

	if (submit_held(f, NULL, e) < 0 || (job = verify_job_new(&m, e)) == NULL)
		return -1;
	verify_finds_add(&job->finds, VERIFY_DAMAGE, "manifest-index", NULL, "%s", why->msg);
	return submit(f, job, e);
}

static int
submit_member(struct feed *f, const struct manifest_member *m, struct err *e)
{
	bool follows = m->offset == f->at;

	if (submit_held(f, follows ? m : NULL, e) < 0 || submit_gap(f, m->offset, e) < 0)
		return -1;
	if ((f->held = verify_job_new(m, e)) == NULL)
		return -1;
	f->held->is_member = true;
	f->held->number = manifest_tell(f->sweep->o->reader) + 1;
	f->at = m->offset + m->packed_len;
	return 0;
}

static int
submit_all(struct feed *f, struct err *e)
{
	struct manifest_reader *reader = f->sweep->o->reader;
	struct manifest_member m;
	struct err why = {0};
	int rc = 0, next;

	while (rc == 0 && reader != NULL && (next = manifest_next(reader, &m, &why)) != 0) {
		if (next == 1)
			rc = submit_member(f, &m, e);
		else if (err_is_ours(&why))
			rc = err_pass(e, &why);
		else
			rc = submit_index_damage(f, &why, e);
	}
	if (rc == 0)
		rc = submit_held(f, NULL, e);
	return rc == 0 ? submit_gap(f, f->sweep->o->source.seal->archive_size, e) : rc;
}

static void *
worker_new(void *ctx, struct err *e)
{
	return verify_worker_new(&((struct sweep *)ctx)->o->source, e);
}

static int
work(void *ctx, void *worker, void *job, struct err *e)
{
	return verify_worker_work(&((struct sweep *)ctx)->o->source, worker, job, e);
}

static int
run(struct sweep *s, struct err *e)
{
	struct pipeline_opts o = {.ctx = s,
	    .workers = s->o->jobs,
	    .worker_new = worker_new,
	    .worker_free = verify_worker_free,
	    .work = work,
	    .sink = sink,
	    .job_free = verify_job_free};
	struct feed f = {.sweep = s};
	int rc;

	if (pipeline_new(&f.pipeline, &o, e) < 0)
		return -1;
	rc = submit_all(&f, e);
	verify_job_free(f.held);
	if (rc < 0) {
		pipeline_abort(f.pipeline);
		return -1;
	}
	return pipeline_finish(f.pipeline, e);
}

int
verify_sweep(const struct verify_sweep *o, struct verify_swept *result, struct err *e)
{
	struct sweep s = {.o = o, .result = result};
	int rc;

	memset(result, 0, sizeof(*result));
	sha256_init(&s.hash);
	rc = run(&s, e);
	if (rc == 0) {
		result->gap = s.gap;
		result->incomplete |= result->bytes < o->source.seal->archive_size;
		sha256_final(&s.hash, result->digest);
		rc = verify_links_report(&s.links, o->reader, o->report, e);
		if (rc == 0 && s.copies != NULL)
			verify_copies_tell(s.copies, s.cut_told, o->report);
	}
	verify_copies_free(s.copies);
	verify_bigfile_done(&s.big);
	verify_links_done(&s.links);
	free(s.last_path);
	return rc;
}
