/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/extract.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/pipeline.h"
#include "core/stop.h"
#include "restore/bigfile.h"
#include "restore/files.h"
#include "restore/load.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/target.h"

/*
 * The planner's thread goes over the index and makes a job of each member.  A large
 * file's header it takes apart itself, so that the file is there when the workers come
 * with chunks; they write those side by side, and the sink, where chunks arrive in
 * order, hashes them.  A last job of its own closes the file and judges it.
 */

enum job_kind { JOB_FILES, JOB_CHUNK, JOB_LAST };

struct job {
	enum job_kind kind;
	struct manifest_member m;
	char *path; /* m.path points here */
	uint8_t *mark; /* FILES; or NULL */
	struct restore_bigfile *file; /* CHUNK, LAST */
	struct buf plain; /* CHUNK */
};

struct worker {
	struct restore_load *load;
	struct restore_parent parent;
};

/* The pipeline's context. */
struct extract {
	const struct restore_job_ctx *ctx;
	struct restore_load *load; /* the sink's */
	struct restore_load *plan_load; /* the planner's */
	struct restore_parent parent; /* the planner's */
	struct pipeline *pipeline;
	struct restore_bigfile *file; /* being planned; NULL: none, or not wanted */
	char *lost; /* path of a large file that is not made: told already */
	struct manifest_member last; /* its last member so far; the path is file's */
};

static void
job_free(void *arg)
{
	struct job *j = arg;

	if (j == NULL)
		return;
	restore_bigfile_drop(j->file);
	buf_done(&j->plain);
	free(j->path);
	free(j);
}

static struct job *
job_new(
    enum job_kind kind, const struct manifest_member *m, struct restore_bigfile *f, struct err *e)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL || (j->path = strndup(m->path, m->path_len)) == NULL) {
		free(j);
		(void)err_nomem(e);
		return NULL;
	}
	j->kind = kind;
	j->m = *m;
	j->m.path = j->path;
	if (f != NULL)
		j->file = restore_bigfile_share(f);
	return j;
}

static void *
worker_new(void *arg, struct err *e)
{
	struct extract *x = arg;
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	w->parent.fd = -1;
	if (restore_load_open(&w->load, x->ctx->repo, x->ctx->seal, e) != 0) {
		free(w);
		return NULL;
	}
	return w;
}

static void
worker_free(void *arg)
{
	struct worker *w = arg;

	restore_load_close(w->load);
	restore_parent_done(&w->parent);
	free(w);
}

static int
work(void *arg, void *worker, void *job, struct err *e)
{
	struct extract *x = arg;
	struct worker *w = worker;
	struct job *j = job;

	switch (j->kind) {
	case JOB_FILES:
		return restore_files(x->ctx, w->load, &w->parent, &j->m, j->mark, e);
	case JOB_CHUNK:
		return restore_bigfile_write(j->file, w->load, &j->m, &j->plain, e);
	default:
		return 0;
	}
}

static int
sink(void *arg, void *job, struct err *e)
{
	struct extract *x = arg;
	struct job *j = job;

	switch (j->kind) {
	case JOB_CHUNK:
		return restore_bigfile_hash(j->file, &j->m, &j->plain, e);
	case JOB_LAST:
		return restore_bigfile_end(j->file, x->load, &j->m, e);
	default:
		return 0;
	}
}

/* ---- the planner ---- */

/* The large file is whole as far as the index goes. */
static int
end_big(struct extract *x, struct err *e)
{
	struct job *j;
	int rc;

	if (x->file == NULL)
		return 0;
	x->last.path = restore_bigfile_path(x->file);
	x->last.path_len = strlen(x->last.path);
	j = job_new(JOB_LAST, &x->last, x->file, e);
	rc = j == NULL ? -1 : pipeline_submit(x->pipeline, j, e);
	restore_bigfile_drop(x->file);
	x->file = NULL;
	return rc;
}

static int
note_lost(struct extract *x, const struct manifest_member *m, struct err *e)
{
	free(x->lost);
	x->lost = strndup(m->path, m->path_len);
	return x->lost != NULL ? 0 : err_nomem(e);
}

static int
begin_big(struct extract *x, const struct manifest_member *m, struct err *e)
{
	const char *place = restore_select_place(x->ctx->select, m->path, m->path_len, false);
	int rc;

	if (place == NULL)
		return 0;
	rc = restore_bigfile_new(&x->file, x->ctx, x->plan_load, &x->parent, m, place, e);
	if (rc == 1)
		x->last = *m;
	return rc == 0 ? note_lost(x, m, e) : rc < 0 ? -1 : 0;
}

/* Its header is damaged, which was told, or lost with a page of the index. */
static int
tell_orphan(struct extract *x, const struct manifest_member *m, struct err *e)
{
	const char *place = restore_select_place(x->ctx->select, m->path, m->path_len, false);

	if (place == NULL || (x->lost != NULL && strcmp(x->lost, m->path) == 0))
		return 0;
	restore_lost(x->ctx->report, place, strlen(place), "not restored: its header is lost");
	return note_lost(x, m, e);
}

static int
plan_chunk(struct extract *x, const struct manifest_member *m, struct err *e)
{
	struct job *j;

	if (x->file == NULL || strcmp(restore_bigfile_path(x->file), m->path) != 0)
		return tell_orphan(x, m, e);
	x->last = *m;
	j = job_new(JOB_CHUNK, m, x->file, e);
	return j == NULL ? -1 : pipeline_submit(x->pipeline, j, e);
}

static int
plan_member(struct extract *x, const struct manifest_member *m, struct err *e)
{
	struct job *j;

	if (m->kind == MANIFEST_CHUNK)
		return plan_chunk(x, m, e);
	if (end_big(x, e) != 0)
		return -1;
	if (m->kind == MANIFEST_HEADER)
		return begin_big(x, m, e);
	if (m->kind != MANIFEST_FILES)
		return 0;
	if ((j = job_new(JOB_FILES, m, NULL, e)) == NULL)
		return -1;
	if (x->ctx->marks != NULL)
		j->mark = &x->ctx->marks[manifest_tell(restore_load_index(x->plan_load))];
	return pipeline_submit(x->pipeline, j, e);
}

static int
plan_all(struct extract *x, struct err *e)
{
	struct manifest_member m;
	struct restore_walk w;
	int rc;

	restore_walk_begin(&w, x->ctx->plan, restore_load_index(x->plan_load));
	while ((rc = restore_walk_next(&w, &m, e)) != 0) {
		if (stop_check(e) != 0)
			return -1;
		if (rc < 0) {
			if (!restore_load_lost(e))
				return -1;
			restore_lost(x->ctx->report, NULL, 0,
			    "what a part of the index lists is not restored: %s", e->msg);
			err_clear(e);
		} else if (plan_member(x, &m, e) != 0)
			return -1;
	}
	return end_big(x, e);
}

int
restore_extract(const struct restore_job_ctx *ctx, struct restore_load *l, struct err *e)
{
	struct extract x = {.ctx = ctx, .plan_load = l, .parent = {.fd = -1}};
	struct pipeline_opts o = {.workers = ctx->jobs,
	    .ctx = &x,
	    .worker_new = worker_new,
	    .worker_free = worker_free,
	    .work = work,
	    .sink = sink,
	    .job_free = job_free};
	int rc = -1;

	if (restore_load_open(&x.load, ctx->repo, ctx->seal, e) != 0)
		return -1;
	if (pipeline_new(&x.pipeline, &o, e) == 0) {
		if (plan_all(&x, e) == 0)
			rc = pipeline_finish(x.pipeline, e);
		else
			pipeline_abort(x.pipeline);
	}
	restore_bigfile_drop(x.file);
	free(x.lost);
	restore_parent_done(&x.parent);
	restore_load_close(x.load);
	return rc;
}
