/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/run.h"

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
#include "restore/bare.h"
#include "restore/cat.h"
#include "restore/extract.h"
#include "restore/finish.h"
#include "restore/flush.h"
#include "restore/into.h"
#include "restore/load.h"
#include "restore/opts.h"
#include "restore/plan.h"
#include "restore/preview.h"
#include "restore/ready.h"
#include "restore/report.h"
#include "restore/select.h"
#include "restore/status.h"
#include "seal/key.h"
#include "store/repo.h"

struct run {
	const struct restore_opts *o;
	struct repo *repo;
	struct trust *trust; /* NULL: --untrusted without keys */
	struct repo_list list;
	const struct repo_backup *backup;
	struct restore_load *load;
	struct restore_select *select;
	struct restore_plan plan;
	struct into into;
	struct preview preview;
	struct restore_report report;
	uint8_t *marks; /* NULL: not everything */
};

/* Whoever puts a seal of his own on top must not thereby have an older state restored. */
static int
tell_newest(struct err *e)
{
	const struct err was = *e;

	return err_set(e, was.kind,
	    "%.2000s; it is the newest, and none that is older is taken for it: name one with "
	    "--backup",
	    was.msg);
}

static int
find_backup(struct run *r, struct err *e)
{
	const struct restore_opts *o = r->o;
	const struct repo_pick pick = {.series = o->series, .accept_unsigned = o->untrusted};
	const char *which = o->backup == NULL ? "latest" : o->backup;
	int rc = o->as_of != NULL ? repo_find_as_of(&r->list, &pick, o->at, &r->backup, e)
				  : repo_find(&r->list, &pick, which, &r->backup, e);

	if (rc != 0 && e->kind == ERR_NOTFOUND)
		return err_where(e, "repository %s", o->repo);
	if (rc != 0 && e->kind == ERR_TRUST && strcmp(which, "latest") == 0)
		return tell_newest(e);
	return rc;
}

/*
 * Cut, grown, or another night's: each file that does not come back is told when its turn comes,
 * but why all of them, and to a dry run, only this tells.
 */
static void
warn_size(const struct run *r)
{
	const struct repo_backup *b = r->backup;
	uint64_t size;

	if (repo_stat_part(r->repo, REPO_ARCHIVE, b->name, &size, NULL) == 0 &&
	    size != b->seal.archive_size)
		log_warn("%s.tar.gz: has %llu bytes, sealed were %llu: not all of it can be right",
		    b->name, (unsigned long long)size, (unsigned long long)b->seal.archive_size);
}

static int
open_all(struct run *r, struct err *e)
{
	const struct restore_opts *o = r->o;

	if (o->trust != NULL &&
	    (trust_new(&r->trust, e) != 0 || trust_load(r->trust, o->trust, e) != 0))
		return -1;
	if (repo_open(&r->repo, o->repo, e) != 0 ||
	    repo_list(r->repo, r->trust, &r->list, e) != 0 ||
	    restore_select_new(&r->select, &o->paths, e) != 0)
		return -1;
	if (find_backup(r, e) != 0)
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
context(const struct run *r)
{
	return (struct restore_job_ctx){.repo = r->repo,
	    .seal = &r->backup->seal,
	    .plan = &r->plan,
	    .select = r->select,
	    .target = &r->into.target,
	    .report = (struct restore_report *)&r->report,
	    .marks = r->marks,
	    .jobs = (unsigned)r->o->jobs};
}

/* A byte for each member: of a backup of a terabyte, about as many as three large files take. */
static int
make_marks(struct run *r, struct err *e)
{
	if (!r->plan.all)
		return 0;
	r->marks = calloc(manifest_totals(restore_load_index(r->load)).members, 1);
	return r->marks != NULL ? 0 : err_nomem(e);
}

static int
extract(struct run *r, struct err *e)
{
	struct restore_job_ctx ctx = context(r);
	struct restore_flush flush;
	int rc;

	restore_flush_begin(&flush, r->into.target.fd);
	rc = restore_extract(&ctx, r->load, e);
	restore_flush_end(&flush);
	return rc == 0 ? restore_finish(&ctx, r->load, e) : -1;
}

/*
 * Where there is something to lose, what takes its place has to be all there.  A damaged backup in
 * place of data that may be better is for a person to decide.
 */
static int
judge(const struct run *r, struct err *e)
{
	const struct into *i = &r->into;

	if (r->report.lost == 0 || r->o->force || i->empty || i->mode != INTO_STAGE)
		return 0;
	return err_set(
	    e, ERR_CORRUPT, "%s is not all there (--force takes what there is)", r->backup->name);
}

/* Directories on the way that are there stay as they are: nobody asked for them. */
static bool
is_ours_to_set(void *ctx, const char *path)
{
	const struct run *r = ctx;
	int fd;

	if (restore_select_match(r->select, path, strlen(path), true))
		return true;
	if ((fd = beneath_open(r->into.fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0)) < 0)
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
what_of(const struct run *r)
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
write_into(struct run *r, const struct into_what *what, struct err *e)
{
	if (into_begin(&r->into, what, e) != 0 || make_marks(r, e) != 0)
		return -1;
	if (r->into.mode == INTO_MERGE)
		restore_plan_sift_dirs(&r->plan, is_ours_to_set, r);
	if (extract(r, e) != 0 || judge(r, e) != 0)
		return -1;
	return into_commit(&r->into, e);
}

static void
tell_what_was_there(struct run *r)
{
	const struct into *i = &r->into;
	bool merged = i->mode == INTO_MERGE;

	r->report.mode = into_mode_word(i->mode);
	r->report.replaced = merged ? atomic_load(&i->merge.replaced) : i->work.moved_out;
	r->report.stayed = merged ? atomic_load(&i->merge.kept) : 0;
}

static int
write_target(struct run *r, struct err *e)
{
	const struct into_what what = what_of(r);
	struct err why = {0};
	int rc;

	if (into_open(&r->into, r->o, &what, e) != 0)
		return -1;
	limits_tell((unsigned)r->o->jobs);
	if (progress_start((enum progress_mode)r->o->common.progress, "restore", e) != 0)
		return -1;
	progress_total(what.bytes);
	rc = write_into(r, &what, e);
	progress_stop();
	tell_what_was_there(r);
	if (rc == 0)
		return 0;
	(void)err_where(e, "target %s %s", r->o->target, into_remains(&r->into));
	if (into_give_up(&r->into, &why) != 0)
		log_warn("%s", why.msg);
	return -1;
}

static int
preview(struct run *r, const struct into_what *what, struct err *e)
{
	struct restore_report *rep = &r->report;

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
restore_planned(struct run *r, struct err *e)
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

static enum cli_status
status_of(const struct run *r)
{
	return restore_report_wrong(&r->report) ? CLI_WRONG : CLI_OK;
}

static int
make_plan(struct run *r, struct err *e)
{
	const struct restore_opts *o = r->o;
	struct restore_plan_opts how = {.look = o->dry_run, .ctx = &r->preview};

	if (o->dry_run) {
		preview_begin(
		    &r->preview, o, into_mode_of(o, restore_select_all(r->select)), &r->report);
		how.each = preview_entry;
	}
	if (restore_plan_make(&r->plan, r->load, r->select, &how, &r->report, e) != 0)
		return -1;
	restore_select_misses(r->select, &r->report);
	return 0;
}

/* head(1) had enough: that is its own choice, and no news. */
static bool
reader_gone(const struct restore_opts *o, const struct err *e)
{
	return o->to_stdout && e->kind == ERR_SYS && e->sys == EPIPE;
}

/* What cannot be opened may be restored all the same, from the archive alone. */
static void
run_bare(struct run *r, struct err *e)
{
	struct bare b = {.o = r->o,
	    .repo = r->repo,
	    .list = &r->list,
	    .backup = r->backup,
	    .select = r->select,
	    .tops = r->select != NULL && are_tops(r->select)};

	if (r->select != NULL && bare_take(&b, e))
		(void)bare_run(&b, &r->report, e);
}

/* What was done, into_recover says; a program is told what is left. */
static enum cli_status
recover(const struct restore_opts *o, struct err *e)
{
	if (into_recover(o->target, e) != 0)
		return CLI_FAILED;
	return o->common.json ? status_show(o, e) : CLI_OK;
}

enum cli_status
restore_run(const struct restore_opts *o, struct err *e)
{
	struct run r = {.o = o, .preview = {.fd = -1}};
	enum cli_status status;

	if (o->status)
		return status_show(o, e);
	if (o->recover)
		return recover(o, e);
	restore_report_init(&r.report);
	if (open_all(&r, e) == 0) {
		restore_report_begin(&r.report, o, r.backup);
		if (make_plan(&r, e) == 0)
			(void)restore_planned(&r, e);
		restore_report_end(&r.report, cli_exit_status(e, status_of(&r)));
	} else
		run_bare(&r, e);
	status = status_of(&r);
	if (reader_gone(o, e)) {
		err_clear(e);
		status = CLI_FAILED;
	}
	free(r.marks);
	restore_plan_done(&r.plan);
	restore_select_free(r.select);
	restore_load_close(r.load);
	preview_done(&r.preview);
	into_close(&r.into);
	restore_report_done(&r.report);
	repo_list_done(&r.list);
	repo_close(r.repo);
	trust_free(r.trust);
	return status;
}
