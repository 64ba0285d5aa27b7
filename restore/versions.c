/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/versions.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "restore/extract.h"
#include "restore/finish.h"
#include "restore/into.h"
#include "restore/load.h"
#include "restore/opts.h"
#include "restore/plan.h"
#include "restore/ready.h"
#include "restore/report.h"
#include "restore/select.h"
#include "seal/section.h"
#include "store/repo.h"

struct version {
	const struct repo_backup *first;
	struct buf key; /* all that the manifest says of it */
	char *as; /* its name in the target */
	uint64_t size;
	int64_t mtime_sec;
	bool is_file;
	bool back; /* it is restored */
};

/* A backup, and which version it has. */
struct holder {
	const struct repo_backup *backup;
	size_t version;
};

struct versions {
	const struct restore_opts *o;
	const struct repo *repo;
	struct restore_report *report;
	struct version *v;
	size_t n;
	struct holder *holders; /* oldest first */
	size_t n_holders;
	size_t left_out; /* backups that cannot be believed */
	const struct repo_backup *newest; /* that was looked into */
	uint64_t bytes; /* of all versions */
};

/* ---- what it is called ---- */

/* Where the suffix of a name begins: its last dot, but not one that begins it. */
static size_t
stem_len(const char *base)
{
	const char *dot = strrchr(base, '.');

	return dot == NULL || dot == base ? strlen(base) : (size_t)(dot - base);
}

/* The stamp of a backup's name, which is unique in its series. */
static const char *
stamp_of(const struct repo_backup *b)
{
	size_t len = strlen(b->seal.series);

	return strncmp(b->name, b->seal.series, len) == 0 && b->name[len] == '-' ? b->name + len + 1
										 : b->name;
}

static char *
versioned(const char *path, const struct repo_backup *b)
{
	const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
	const char *stamp = stamp_of(b);
	size_t dot = stem_len(base), rest = strlen(stamp) + 1 + strlen(base + dot), stem;
	struct buf name = {0};
	char *out;

	/* A suffix that leaves no room for a stem is taken for none. */
	if (rest >= NAME_MAX) {
		dot = strlen(base);
		rest = strlen(stamp) + 1;
	}
	/* A name that has no room for it loses the end of its stem. */
	stem = dot + rest > NAME_MAX ? NAME_MAX - rest : dot;
	buf_append(&name, base, stem);
	buf_printf(&name, "~%s%s", stamp, base + dot);
	out = name.failed ? NULL : strdup(buf_str(&name));
	buf_done(&name);
	return out;
}

/* ---- looking ---- */

struct look {
	struct version found; /* key.len 0: it is not there */
	bool is_dir;
};

/* Of a hard link comes its own line, then that of the file. */
static void
note_line(void *ctx, const char *place, const struct section_line *line)
{
	struct look *l = ctx;
	struct version *v = &l->found;

	(void)place;
	l->is_dir |= line->type == ENTRY_DIR;
	buf_clear(&v->key);
	buf_printf(&v->key,
	    "%d %" PRIo32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRId64 ".%" PRIu32 " %" PRIu32
	    ",%" PRIu32 " ",
	    (int)line->type, line->mode, line->uid, line->gid, line->size, line->mtime_sec,
	    line->mtime_nsec, line->rdev_major, line->rdev_minor);
	if (line->has_sha256)
		buf_append(&v->key, line->sha256, SHA256_LEN);
	if (line->has_xattrs)
		buf_append(&v->key, line->xattrs, SHA256_LEN);
	if (line->link != NULL)
		buf_append(&v->key, line->link, line->link_len);
	v->size = line->size;
	v->mtime_sec = line->mtime_sec;
	v->is_file = line->type == ENTRY_FILE;
}

static bool
same_version(const struct version *a, const struct version *b)
{
	return a->key.len == b->key.len && memcmp(a->key.data, b->key.data, a->key.len) == 0;
}

/* The version that b has: the last one, or a new one. */
static int
note_holder(struct versions *vs, const struct repo_backup *b, struct look *l, struct err *e)
{
	struct version *v = &vs->v[vs->n];

	if (vs->n == 0 || !same_version(&vs->v[vs->n - 1], &l->found)) {
		*v = l->found;
		l->found = (struct version){0};
		v->first = b;
		vs->n++;
		if ((v->as = versioned(vs->o->paths.items[0], b)) == NULL)
			return err_nomem(e);
		vs->bytes += v->is_file ? v->size : 0;
	}
	vs->holders[vs->n_holders++] = (struct holder){b, vs->n - 1};
	return 0;
}

/* What was done to a path of one backup, with a plan made for it. */
typedef int (*use_plan)(void *ctx, struct restore_load *l, const struct restore_plan *p,
    const struct restore_select *s, struct err *e);

/* Damage is a finding: there may be others. */
static int
with_plan(struct versions *vs, const struct repo_backup *b, const char *as,
    const struct restore_plan_opts *how, use_plan use, void *ctx, struct err *e)
{
	struct restore_select *select = NULL;
	struct restore_load *load = NULL;
	struct restore_plan plan = {0};
	int rc = restore_select_new(
	    &select, &(struct restore_select_opts){.paths = &vs->o->paths, .as = as}, e);

	if (rc == 0 && restore_load_open(&load, vs->repo, &b->seal, e) == 0)
		rc = restore_plan_make(&plan, load, select, how, vs->report, e);
	else if (rc == 0 && (restore_load_lost(e) || e->kind == ERR_NOTFOUND)) {
		restore_lost(vs->report, NULL, 0, "%s is left out: %s", b->name, e->msg);
		err_clear(e);
	} else
		rc = -1;
	if (rc == 0 && load != NULL && use != NULL)
		rc = use(ctx, load, &plan, select, e);
	restore_plan_done(&plan);
	restore_load_close(load);
	restore_select_free(select);
	return rc;
}

static int
look_into(struct versions *vs, const struct repo_backup *b, struct err *e)
{
	struct look l = {0};
	const struct restore_plan_opts how = {.each = note_line, .ctx = &l};
	int rc = with_plan(vs, b, NULL, &how, NULL, NULL, e);

	if (rc == 0 && l.is_dir)
		rc = err_set(e, ERR_USAGE, "%s is a directory in %s: --all-versions takes a file",
		    vs->o->paths.items[0], b->name);
	else if (rc == 0 && buf_check(&l.found.key, e) != 0)
		rc = -1;
	else if (rc == 0 && l.found.key.len > 0)
		rc = note_holder(vs, b, &l, e);
	vs->newest = b;
	buf_done(&l.found.key);
	return rc;
}

/* false: it is left out, which is a finding. */
static bool
may_look(struct versions *vs, const struct repo_backup *b)
{
	if (b->state == REPO_TRUSTED || (b->state != REPO_BAD && vs->o->untrusted))
		return true;
	restore_lost(vs->report, NULL, 0, "%s is left out: %s", b->name,
	    b->state == REPO_UNSIGNED ? "it is not signed" : b->why->msg);
	vs->left_out++;
	return false;
}

static bool
in_series(const struct versions *vs, const struct repo_backup *b)
{
	return vs->o->series == NULL || b->state == REPO_BAD ||
	    strcmp(b->seal.series, vs->o->series) == 0;
}

static int
look_into_all(struct versions *vs, const struct repo_list *list, struct err *e)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct repo_backup *b = &list->backups[i];

		if (stop_check(e) != 0)
			return -1;
		if (!in_series(vs, b) || !may_look(vs, b))
			continue;
		if (vs->newest != NULL && strcmp(vs->newest->seal.series, b->seal.series) != 0)
			return err_set(e, ERR_USAGE,
			    "there are several series (%s, %s): name one with --series",
			    vs->newest->seal.series, b->seal.series);
		if (look_into(vs, b, e) != 0)
			return -1;
	}
	if (vs->newest != NULL)
		return 0;
	if (vs->left_out == 0)
		return repo_find_none(list, vs->o->series, e);
	return err_set(e, ERR_TRUST, "none of the backups is signed by a trusted key");
}

/* ---- restoring ---- */

struct bring_back {
	struct versions *vs;
	struct into *into;
	const struct seal *seal;
};

static int
extract(void *ctx, struct restore_load *l, const struct restore_plan *p,
    const struct restore_select *s, struct err *e)
{
	const struct bring_back *b = ctx;
	const struct restore_job_ctx job = {.repo = b->vs->repo,
	    .seal = b->seal,
	    .plan = p,
	    .select = s,
	    .target = &b->into->target,
	    .report = b->vs->report,
	    .jobs = (unsigned)b->vs->o->jobs};

	return restore_extract(&job, l, e) != 0 ? -1 : restore_finish(&job, l, e);
}

static int
bring_back(struct versions *vs, struct into *into, const struct holder *h, struct err *e)
{
	static const struct restore_plan_opts how = {0};
	struct bring_back b = {.vs = vs, .into = into, .seal = &h->backup->seal};
	struct version *v = &vs->v[h->version];
	uint64_t lost = vs->report->lost;

	if (v->back)
		return 0;
	if (with_plan(vs, h->backup, v->as, &how, extract, &b, e) != 0)
		return -1;
	v->back = vs->report->lost == lost;
	return 0;
}

static int
bring_back_all(struct versions *vs, struct into *into, const struct into_what *what, struct err *e)
{
	if (into_begin(into, what, e) != 0)
		return -1;
	for (size_t i = 0; i < vs->n_holders; i++)
		if (stop_check(e) != 0 || bring_back(vs, into, &vs->holders[i], e) != 0)
			return -1;
	return into_commit(into, e);
}

static int
write_target(struct versions *vs, struct into *into, struct err *e)
{
	const struct into_what what = {
	    .repo = vs->repo, .seal = &vs->newest->seal, .bytes = vs->bytes, .entries = vs->n};
	int rc;

	if (into_open(into, vs->o, &what, e) != 0)
		return -1;
	vs->report->mode = into_mode_word(into->mode);
	vs->report->needed = vs->bytes;
	vs->report->room = into->fd < 0 ? UINT64_MAX : ready_room(into->fd).bytes;
	if (vs->o->dry_run)
		return 0;
	rc = bring_back_all(vs, into, &what, e);
	into_tell(into, vs->report);
	return rc == 0 ? 0 : into_failed(into, e);
}

/* ---- telling ---- */

static void
tell(struct versions *vs)
{
	for (size_t i = 0; i < vs->n; i++) {
		const struct version *v = &vs->v[i];

		restore_report_version(vs->report,
		    &(struct restore_version){.name = v->as,
			.backup = v->first->name,
			.size = v->is_file ? v->size : UINT64_MAX,
			.mtime_sec = v->mtime_sec,
			.back = v->back});
	}
	if (vs->o->dry_run) {
		vs->report->entries = vs->n;
		vs->report->bytes = vs->bytes;
	}
}

static int
run(struct versions *vs, const struct repo_list *list, struct into *into, struct err *e)
{
	const char *path = vs->o->paths.items[0];

	if (look_into_all(vs, list, e) != 0)
		return -1;
	restore_report_begin(vs->report, vs->o, vs->newest);
	if (vs->n == 0)
		restore_found(vs->report, path, strlen(path), "in none of the backups");
	else if (vs->o->target != NULL && write_target(vs, into, e) != 0)
		return -1;
	tell(vs);
	return 0;
}

int
restore_versions(const struct restore_opts *o, const struct repo *repo,
    const struct repo_list *list, struct restore_report *r, struct err *e)
{
	struct versions vs = {.o = o, .repo = repo, .report = r};
	struct into into = {0};
	int rc = -1;

	vs.v = calloc(list->n + 1, sizeof(*vs.v));
	vs.holders = calloc(list->n + 1, sizeof(*vs.holders));
	if (vs.v == NULL || vs.holders == NULL)
		(void)err_nomem(e);
	else
		rc = run(&vs, list, &into, e);
	into_close(&into);
	for (size_t i = 0; i < vs.n; i++) {
		buf_done(&vs.v[i].key);
		free(vs.v[i].as);
	}
	free(vs.v);
	free(vs.holders);
	return rc;
}
