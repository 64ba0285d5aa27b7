/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/one.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/beneath.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/progress.h"
#include "restore/cat.h"
#include "restore/choose.h"
#include "restore/extract.h"
#include "restore/finish.h"
#include "restore/flush.h"
#include "restore/load.h"
#include "restore/opts.h"
#include "restore/ready.h"
#include "restore/report.h"
#include "restore/select.h"
#include "store/repo.h"

/*
 * Cut, grown, or another night's: each file that does not come back is told when its turn comes,
 * but why all of them, and to a dry run, only this tells.
 */
static void
warn_size(const struct restore_one *r)
{
	const struct repo_backup *b = r->backup;
	uint64_t size;

	if (repo_stat_part(r->repo, REPO_ARCHIVE, b->name, &size, NULL) == 0 &&
	    size != b->seal.archive_size)
		log_warn("%s.tar.gz: has %llu bytes, sealed were %llu: not all of it can be right",
		    b->name, (unsigned long long)size, (unsigned long long)b->seal.archive_size);
}

static int
open_backup(struct restore_one *r, struct err *e)
{
	const struct restore_opts *o = r->o;

	if (restore_select_new(&r->select,
		&(struct restore_select_opts){
		    .paths = &o->paths, .exclude = o->exclude, .strip = o->strip},
		e) != 0)
		return -1;

	if (choose_backup(o, r->repo, r->list, r->report, &r->backup, e) != 0)
		return -1;
	if (r->backup->state != REPO_TRUSTED)
		log_warn("%s is not signed by a trusted key: nobody vouches for its content",
		    r->backup->name);
	if (r->backup->seal.unreadable > 0)
		log_warn("%s is not complete: %llu path%s could not be read when it was made",
		    r->backup->name, (unsigned long long)r->backup->seal.unreadable,
		    r->backup->seal.unreadable == 1 ? "" : "s");
	if (restore_load_open(&r->load, r->repo, &r->backup->seal, e) != 0)
		return err_where(e, "%s", r->backup->name);
	warn_size(r);
	return 0;
}

static struct restore_job_ctx
context(const struct restore_one *r)
{
	return (struct restore_job_ctx){.repo = r->repo,
	    .seal = &r->backup->seal,
	    .plan = &r->plan,
	    .select = r->select,
	    .target = &r->into.target,
	    .report = r->report,
	    .marks = r->marks,
	    .jobs = (unsigned)r->o->jobs};
}

/* A byte for each member: of a backup of a terabyte, about as many as three large files take. */
static int
make_marks(struct restore_one *r, struct err *e)
{
	if (!r->plan.all)
		return 0;
	r->marks = calloc(manifest_totals(restore_load_index(r->load)).members, 1);
	return r->marks != NULL ? 0 : err_nomem(e);
}

static int
extract(struct restore_one *r, struct err *e)
{
	struct restore_job_ctx ctx = context(r);
	struct restore_flush flush;
	int rc;

	restore_flush_begin(&flush, r->into.target.fd);
	rc = restore_extract(&ctx, r->load, e);
	restore_flush_end(&flush);
	return rc == 0 ? restore_finish(&ctx, r->load, e) : -1;
}

/* Directories on the way that are there stay as they are: nobody asked for them. */
static bool
is_ours_to_set(void *ctx, const char *path)
{
	const struct restore_one *r = ctx;
	const char *name = restore_select_name(r->select, path);
	int fd;

	if (name == NULL || restore_select_match(r->select, path, strlen(path), true))
		return true;
	if ((fd = beneath_open(r->into.fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)) < 0)
		return true;
	(void)close(fd);
	return false;
}

static bool
are_tops(const struct restore_select *s)
{
	const char *path;

	for (size_t i = 0; (path = restore_select_path(s, i)) != NULL; i++)
		if (strchr(path, '/') != NULL)
			return false;
	return !restore_select_has_globs(s);
}

static struct into_what
what_of(const struct restore_one *r)
{
	const struct seal *s = &r->backup->seal;
	struct manifest_totals t = manifest_totals(restore_load_index(r->load));
	/* Of files with holes less is stored than their sizes say. */
	uint64_t all = s->bytes < t.plain ? s->bytes : t.plain;

	return (struct into_what){.repo = r->repo,
	    .seal = s,
	    .everything = r->plan.all,
	    .tops = are_tops(r->select),
	    .bytes = r->plan.all ? all : r->plan.bytes,
	    .entries = r->plan.all ? t.entries : r->plan.entries};
}

static int
write_into(struct restore_one *r, const struct into_what *what, struct err *e)
{
	if (into_begin(&r->into, what, e) != 0 || make_marks(r, e) != 0)
		return -1;
	if (r->into.mode == INTO_MERGE)
		restore_plan_sift_dirs(&r->plan, is_ours_to_set, r);
	if (extract(r, e) != 0 || into_judge(&r->into, r->report, r->backup->name, e) != 0)
		return -1;
	return into_commit(&r->into, e);
}

static int
write_target(struct restore_one *r, struct err *e)
{
	const struct into_what what = what_of(r);
	int rc;

	if (into_open(&r->into, r->o, &what, e) != 0)
		return -1;
	limits_tell((unsigned)r->o->jobs);
	if (progress_start((enum progress_mode)r->o->common.progress, "restore", e) != 0)
		return -1;
	progress_total(what.bytes);
	rc = write_into(r, &what, e);
	progress_stop();
	into_tell(&r->into, r->report);
	return rc == 0 ? 0 : into_failed(&r->into, e);
}

static int
preview(struct restore_one *r, const struct into_what *what, struct err *e)
{
	struct restore_report *rep = r->report;

	rep->entries = r->plan.entries;
	rep->bytes = r->plan.bytes;
	if (r->o->target == NULL)
		return 0;
	if (into_open(&r->into, r->o, what, e) != 0 ||
	    preview_end(&r->preview, what->everything, e) != 0)
		return -1;
	rep->mode = into_mode_word(r->into.mode);
	rep->stayed = r->preview.n[PREVIEW_KEEP];
	if (r->into.mode == INTO_MERGE)
		rep->replaced = r->preview.n[PREVIEW_REPLACE];
	rep->needed = what->bytes;
	rep->room = r->into.fd < 0 ? UINT64_MAX : ready_room(r->into.fd).bytes;
	return 0;
}

static int
restore_planned(struct restore_one *r, struct err *e)
{
	const struct into_what what = what_of(r);
	struct restore_job_ctx ctx = context(r);

	if (r->o->dry_run)
		return preview(r, &what, e);
	/* A misspelt name should not leave an empty target behind. */
	if (!r->plan.all && r->plan.n_ranges == 0)
		return 0;
	if (!r->o->to_stdout)
		return write_target(r, e);
	if (restore_cat(&ctx, r->load, e) != 0)
		return e->kind == ERR_CORRUPT ? err_where(e, "%s", r->backup->name) : -1;
	return 0;
}

static int
make_plan(struct restore_one *r, struct err *e)
{
	const struct restore_opts *o = r->o;
	struct restore_plan_opts how = {.look = o->dry_run, .ctx = &r->preview};

	if (o->dry_run) {
		preview_begin(
		    &r->preview, o, into_mode_of(o, restore_select_all(r->select)), r->report);
		how.each = preview_entry;
	}
	if (restore_plan_make(&r->plan, r->load, r->select, &how, r->report, e) != 0)
		return -1;
	restore_select_misses(r->select, r->report);
	return 0;
}

int
restore_one_open(struct restore_one *r, struct err *e)
{
	r->preview.fd = -1;
	return open_backup(r, e);
}

int
restore_one_run(struct restore_one *r, struct err *e)
{
	return make_plan(r, e) != 0 ? -1 : restore_planned(r, e);
}

int
restore_one_bare(struct restore_one *r, struct err *e)
{
	if (r->select == NULL)
		return -1;
	r->bare = (struct bare){.o = r->o,
	    .repo = r->repo,
	    .list = r->list,
	    .backup = r->backup,
	    .select = r->select,
	    .tops = are_tops(r->select)};
	return bare_take(&r->bare, e) ? bare_run(&r->bare, r->report, e) : -1;
}

void
restore_one_done(struct restore_one *r)
{
	if (r->o == NULL)
		return;
	free(r->marks);
	restore_plan_done(&r->plan);
	restore_select_free(r->select);
	restore_load_close(r->load);
	preview_done(&r->preview);
	into_close(&r->into);
}
