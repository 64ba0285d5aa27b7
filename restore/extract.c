/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/extract.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/tarread.h"
#include "core/beneath.h"
#include "core/err.h"
#include "core/io.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "core/stop.h"
#include "restore/big.h"
#include "restore/facts.h"
#include "restore/load.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/slice.h"
#include "restore/target.h"

/*
 * The planner's thread goes over the index and makes a job of each member.  A large
 * file's header it takes apart itself, so that the file is there when the workers come
 * with chunks; they write those side by side, and the sink, where chunks arrive in
 * order, hashes them.  A last job of its own closes the file and judges it.
 */

/* A large file being written; shared by its jobs. */
struct big_file {
	atomic_uint refs;
	struct restore_big *big;
	int fd;
	char *place;
	bool made; /* it is there, under its name */
	bool good; /* and may stay */
	atomic_bool bad; /* a part is lost: told already */
	struct restore_job_ctx ctx;
};

enum job_kind { JOB_FILES, JOB_CHUNK, JOB_LAST };

struct job {
	enum job_kind kind;
	struct manifest_member m;
	char *path; /* m.path points here */
	struct big_file *file; /* CHUNK, LAST */
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
	struct big_file *file; /* being planned; NULL: none, or not wanted */
	char *lost; /* path of a large file that is not made: told already */
	struct manifest_member last; /* its last member so far; the path is big_file's */
};

static void
remove_place(const struct restore_job_ctx *ctx, const char *place)
{
	const char *base;
	int dir = beneath_parent(ctx->target->fd, place, &base);

	if (dir < 0)
		return;
	(void)unlinkat(dir, base, 0);
	(void)close(dir);
}

/* The last one to drop it: what was not found good does not stay. */
static void
big_file_drop(struct big_file *f)
{
	if (f == NULL || atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	if (f->made && !f->good)
		remove_place(&f->ctx, f->place);
	(void)io_close(&f->fd, NULL); /* judged, or given up, before */
	restore_big_free(f->big);
	free(f->place);
	free(f);
}

static void
job_free(void *arg)
{
	struct job *j = arg;

	if (j == NULL)
		return;
	big_file_drop(j->file);
	buf_done(&j->plain);
	free(j->path);
	free(j);
}

static struct job *
job_new(enum job_kind kind, const struct manifest_member *m, struct big_file *f, struct err *e)
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
		(void)atomic_fetch_add(&f->refs, 1);
	j->file = f;
	return j;
}

/* ---- workers: small files ---- */

/*
 * Content of the file that the tar reader stands at.  0; 1 when a finding says that the file is no
 * good; -1 when the work cannot go on.
 */
static int
write_content(struct restore_slice *s, int fd, const char *place, const struct section_line *line,
    struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct sha256 hash;
	const void *data;
	uint64_t offset;
	size_t len;
	int rc;

	sha256_init(&hash);
	while ((rc = restore_slice_data(s, &data, &len, &offset, e)) == 1) {
		sha256_update(&hash, data, len);
		if (io_pwrite(fd, data, len, offset, e) != 0)
			return err_where(e, "%s", place);
	}
	if (rc < 0) {
		restore_found(s->report, place, strlen(place), "not restored: %s", e->msg);
		err_clear(e);
		return 1;
	}
	sha256_final(&hash, digest);
	if (line != NULL && line->has_sha256 && memcmp(digest, line->sha256, SHA256_LEN) != 0) {
		restore_found(s->report, place, strlen(place),
		    "not restored: its content does not match its digest");
		return 1;
	}
	return 0;
}

static void
tell_flags(struct restore_report *r, const char *place, const struct section_line *line)
{
	if (line->n_unreadable > 0)
		restore_flagged(r, place, "a part could not be read when it was backed up: zeros");
	else if (line->changed)
		restore_flagged(r, place, "it changed while it was backed up");
}

static int
make_small(const struct restore_job_ctx *ctx, struct worker *w, struct restore_slice *s,
    const struct entry *en, const char *place, const struct section_line *line, struct err *e)
{
	const char *base;
	int fd, rc;

	/* Holes are for large files, which have members of their own. */
	if (en->sparse) {
		restore_found(ctx->report, place, strlen(place),
		    "not restored: a sparse file where there can be none");
		return 0;
	}
	fd = restore_make_file(&w->parent, ctx->target, place);
	if (fd < 0) {
		if (restore_is_fatal(errno, place, e))
			return -1;
		restore_found(
		    ctx->report, place, strlen(place), "not restored: %s", restore_why(errno));
		return 0;
	}
	rc = write_content(s, fd, place, line, e);
	if (rc == 0) {
		restore_facts_fd(fd, en, place, ctx->report);
		restore_count(ctx->report, en->size);
		if (line != NULL)
			tell_flags(ctx->report, place, line);
	} else if (restore_parent(&w->parent, ctx->target, place, &base) >= 0)
		(void)unlinkat(w->parent.fd, base, 0);
	if (io_close(&fd, rc == 0 ? e : NULL) != 0 && rc == 0)
		return err_where(e, "%s", place);
	return rc < 0 ? -1 : 0;
}

static int
make_entry(const struct restore_job_ctx *ctx, struct worker *w, struct restore_slice *s,
    const struct entry *en, const struct section_line *line, struct err *e)
{
	const char *place =
	    restore_select_place(ctx->select, en->path, en->path_len, en->type == ENTRY_DIR);

	if (place == NULL || en->type == ENTRY_HARDLINK)
		return 0;
	if (en->type == ENTRY_FILE)
		return make_small(ctx, w, s, en, place, line, e);
	return restore_make_other(&w->parent, ctx->target, place, en, ctx->report, e);
}

/* ---- workers: what to say of a member that is lost ---- */

/* Every wanted path of the section; without one, the path that the index has. */
static void
tell_lost(const struct restore_job_ctx *ctx, const struct buf *text,
    const struct manifest_member *m, const char *why)
{
	struct section_parser *p = NULL;
	struct section_line line;

	if (text == NULL || section_parser_new(&p, text->data, text->len, NULL) != 0) {
		restore_found(ctx->report, m->path, m->path_len,
		    "this and what follows in its member of the archive is not restored: %s", why);
		return;
	}
	while (section_next(p, &line, NULL) == 1)
		if (!line.is_note && line.type != ENTRY_DIR && line.type != ENTRY_HARDLINK &&
		    restore_select_place(ctx->select, line.path, line.path_len, false) != NULL)
			restore_found(
			    ctx->report, line.path, line.path_len, "not restored: %s", why);
	section_parser_free(p);
}

static int
damaged(const struct restore_job_ctx *ctx, const struct buf *text, const struct manifest_member *m,
    struct err *e)
{
	if (!restore_load_lost(e))
		return -1;
	tell_lost(ctx, text, m, e->msg);
	err_clear(e);
	return 0;
}

static int
work_files(const struct restore_job_ctx *ctx, struct worker *w, struct job *j, struct err *e)
{
	const struct buf *text, *plain;
	const struct section_line *line;
	struct restore_slice slice;
	struct entry en;
	bool told;
	int rc;

	if ((text = restore_load_section(w->load, &j->m, e)) == NULL) {
		if (!restore_load_lost(e))
			return -1;
		restore_found(ctx->report, j->path, j->m.path_len,
		    "%s; restored from the archive alone", e->msg);
		err_clear(e);
	}
	if ((plain = restore_load_member(w->load, &j->m, e)) == NULL)
		return damaged(ctx, text, &j->m, e);
	if (restore_slice_open(&slice, plain, text, ctx->select, ctx->report, e) != 0)
		return -1;
	while ((rc = restore_slice_next(&slice, &en, &line, &told, e)) == 1)
		if (make_entry(ctx, w, &slice, &en, line, e) != 0)
			break;
	restore_slice_close(&slice);
	progress_add(j->m.plain_len, j->m.entries);
	if (rc < 0 && e->kind == ERR_CORRUPT) {
		if (!told)
			tell_lost(ctx, NULL, &j->m, e->msg);
		err_clear(e);
		return 0;
	}
	return rc == 0 ? 0 : -1;
}

/* ---- workers: chunks ---- */

#define HOLE_UNIT 65536u

static bool
is_zero(const uint8_t *p, size_t len)
{
	return len == 0 || (p[0] == 0 && memcmp(p, p + 1, len - 1) == 0);
}

/*
 * The file has its length already, so that zeros may stay unwritten: holes that were
 * stored as zeros come back as holes.
 */
static int
write_piece(int fd, const uint8_t *data, size_t len, uint64_t offset, struct err *e)
{
	while (len > 0) {
		size_t n = HOLE_UNIT - (size_t)(offset % HOLE_UNIT);

		if (n > len)
			n = len;
		if (!(n == HOLE_UNIT && is_zero(data, n)) && io_pwrite(fd, data, n, offset, e) != 0)
			return -1;
		data += n;
		offset += n;
		len -= n;
	}
	return 0;
}

static int
work_chunk(struct worker *w, struct job *j, struct err *e)
{
	struct big_file *f = j->file;
	const struct buf *plain;
	struct restore_pieces p;
	const uint8_t *data;
	uint64_t offset;
	size_t len;

	if (atomic_load(&f->bad))
		return 0;
	plain = restore_load_member(w->load, &j->m, e);
	if (plain == NULL || restore_pieces_begin(&p, f->big, &j->m, plain, e) != 0) {
		if (!restore_load_lost(e))
			return -1;
		if (!atomic_exchange(&f->bad, true))
			restore_found(
			    f->ctx.report, f->place, strlen(f->place), "not restored: %s", e->msg);
		err_clear(e);
		return 0;
	}
	while (restore_pieces_next(&p, &offset, &data, &len))
		if (write_piece(f->fd, data, len, offset, e) != 0)
			return err_where(e, "%s", f->place);
	buf_append(&j->plain, plain->data, plain->len);
	progress_add(j->m.plain_len, 0);
	return buf_check(&j->plain, e);
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
	struct job *j = job;

	switch (j->kind) {
	case JOB_FILES:
		return work_files(x->ctx, worker, j, e);
	case JOB_CHUNK:
		return work_chunk(worker, j, e);
	default:
		return 0;
	}
}

/* ---- the sink: large files, in order ---- */

/* The line of a large file; false when its section is lost, which is a finding. */
static bool
big_line(struct extract *x, struct job *j, struct section_parser **p, struct section_line *line)
{
	struct err e = {0};
	const struct buf *text = restore_load_section(x->load, &j->m, &e);
	const char *what;

	if (text == NULL || section_parser_new(p, text->data, text->len, &e) != 0 ||
	    section_next(*p, line, &e) != 1 || line->is_note || strcmp(line->path, j->path) != 0) {
		restore_found(x->ctx->report, j->path, j->m.path_len,
		    "its line in the manifest is lost%s%s; restored from the archive alone",
		    e.msg[0] != '\0' ? ": " : "", e.msg);
		return false;
	}
	if (!section_matches(line, &j->file->big->en, &what))
		restore_found(x->ctx->report, j->path, j->m.path_len,
		    "archive and manifest disagree on its %s", what);
	return true;
}

/* Is the content right?  A finding says so if not. */
static int
judge_big(struct extract *x, struct big_file *f, const struct section_line *line, struct err *e)
{
	uint8_t digest[SHA256_LEN];

	if (atomic_load(&f->bad))
		return 0;
	if (!restore_big_whole(f->big)) {
		restore_found(x->ctx->report, f->place, strlen(f->place),
		    "not restored: parts of it are missing");
		return 0;
	}
	if (restore_big_digest(f->big, digest, e) != 0)
		return -1;
	f->good =
	    line == NULL || !line->has_sha256 || memcmp(digest, line->sha256, SHA256_LEN) == 0;
	if (!f->good)
		restore_found(x->ctx->report, f->place, strlen(f->place),
		    "not restored: its content does not match its digest");
	return 0;
}

static int
sink_last(struct extract *x, struct job *j, struct err *e)
{
	struct big_file *f = j->file;
	struct section_parser *p = NULL;
	struct section_line line;
	bool has_line = !atomic_load(&f->bad) && big_line(x, j, &p, &line);
	int rc = judge_big(x, f, has_line ? &line : NULL, e);

	if (f->good) {
		restore_facts_fd(f->fd, &f->big->en, f->place, x->ctx->report);
		restore_count(x->ctx->report, f->big->en.size);
		if (has_line)
			tell_flags(x->ctx->report, f->place, &line);
	}
	section_parser_free(p);
	progress_add(0, 1);
	if (rc != 0)
		return -1;
	if (io_close(&f->fd, e) == 0)
		return 0;
	f->good = false;
	return err_where(e, "%s", f->place);
}

static int
sink(void *arg, void *job, struct err *e)
{
	struct extract *x = arg;
	struct job *j = job;

	if (j->kind == JOB_LAST)
		return sink_last(x, j, e);
	if (j->kind == JOB_FILES || atomic_load(&j->file->bad))
		return 0;
	return restore_big_hash(j->file->big, &j->m, &j->plain, e);
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
	x->last.path = x->file->big->en.path;
	x->last.path_len = x->file->big->en.path_len;
	j = job_new(JOB_LAST, &x->last, x->file, e);
	rc = j == NULL ? -1 : pipeline_submit(x->pipeline, j, e);
	big_file_drop(x->file);
	x->file = NULL;
	return rc;
}

/* 1: the file is made; 0: it cannot be, a finding says so; -1. */
static int
make_big(struct extract *x, struct big_file *f, struct err *e)
{
	const struct restore_job_ctx *ctx = x->ctx;

	f->fd = restore_make_file(&x->parent, ctx->target, f->place);
	f->made = f->fd >= 0;
	if (f->made && ftruncate(f->fd, (off_t)f->big->en.size) == 0)
		return 1;
	if (restore_is_fatal(errno, f->place, e))
		return -1;
	restore_found(
	    ctx->report, f->place, strlen(f->place), "not restored: %s", restore_why(errno));
	return 0;
}

static int
check_path(const struct restore_big *b, const struct manifest_member *m, struct err *e)
{
	if (strcmp(b->en.path, m->path) == 0)
		return 0;
	return err_set(e, ERR_CORRUPT, "archive and manifest disagree on its path");
}

static int
lost_big(struct extract *x, const char *place, struct err *e)
{
	if (!restore_load_lost(e))
		return -1;
	restore_found(x->ctx->report, place, strlen(place), "not restored: %s", e->msg);
	err_clear(e);
	return 0;
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
	const struct buf *plain;
	struct buf copy = {0};
	struct big_file *f;
	int rc;

	if (place == NULL)
		return 0;
	if ((f = calloc(1, sizeof(*f))) == NULL || (f->place = strdup(place)) == NULL) {
		free(f);
		return err_nomem(e);
	}
	f->refs = 1;
	f->fd = -1;
	f->ctx = *x->ctx;
	if ((plain = restore_load_member(x->plan_load, m, e)) != NULL)
		buf_append(&copy, plain->data, plain->len);
	if (plain == NULL || buf_check(&copy, e) != 0 || restore_big_new(&f->big, &copy, e) != 0 ||
	    check_path(f->big, m, e) != 0) {
		buf_done(&copy);
		big_file_drop(f);
		return lost_big(x, place, e) == 0 ? note_lost(x, m, e) : -1;
	}
	rc = make_big(x, f, e);
	if (rc == 1) {
		x->file = f;
		x->last = *m;
		return 0;
	}
	big_file_drop(f);
	return rc < 0 ? -1 : note_lost(x, m, e);
}

/* Its header is damaged, which was told, or lost with a page of the index. */
static int
tell_orphan(struct extract *x, const struct manifest_member *m, struct err *e)
{
	const char *place = restore_select_place(x->ctx->select, m->path, m->path_len, false);

	if (place == NULL || (x->lost != NULL && strcmp(x->lost, m->path) == 0))
		return 0;
	restore_found(x->ctx->report, place, strlen(place), "not restored: its header is lost");
	return note_lost(x, m, e);
}

static int
plan_chunk(struct extract *x, const struct manifest_member *m, struct err *e)
{
	struct job *j;

	if (x->file == NULL || strcmp(x->file->big->en.path, m->path) != 0)
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
	j = job_new(JOB_FILES, m, NULL, e);
	return j == NULL ? -1 : pipeline_submit(x->pipeline, j, e);
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
			restore_found(x->ctx->report, "", 0, "not restored: %s", e->msg);
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
	big_file_drop(x.file);
	free(x.lost);
	restore_parent_done(&x.parent);
	restore_load_close(x.load);
	return rc;
}
