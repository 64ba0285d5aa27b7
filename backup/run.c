/* SPDX-License-Identifier: BSD-2-Clause */
#include "backup/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/held.h"
#include "backup/older.h"
#include "backup/opts.h"
#include "backup/plan.h"
#include "backup/report.h"
#include "backup/run_impl.h"
#include "backup/survey.h"
#include "catalog/catalog.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/pipeline.h"
#include "core/progress.h"
#include "core/stop.h"
#include "pack/reuse.h"
#include "pack/writer.h"
#include "seal/key.h"
#include "seal/seal.h"
#include "store/repo.h"
#include "tree/exclude.h"

static void
run_done(struct run *r)
{
	writer_free(r->writer);
	reuse_free(r->older);
	retention_done(&r->retention);
	buf_done(&r->archive);
	buf_done(&r->manifest);
	seal_done(&r->seal);
	repo_list_done(&r->list);
	repo_close(r->repo);
	trust_free(r->trust);
	key_free(r->key);
	free(r->source);
	if (r->source_fd >= 0)
		(void)close(r->source_fd);
	exclude_free(r->exclude);
}

/* ---- the backup ---- */

static int
fill(struct run *r, struct err *e)
{
	struct reuse_cursor *older = NULL;
	struct pipeline *p;
	int rc = -1;

	if (r->older != NULL && reuse_cursor_new(&older, r->older, e) != 0)
		return -1;
	if (writer_pipeline(r->writer, &p, e) != 0)
		goto out;
	rc = plan_run(p, r->source_fd, older, &r->walk, &r->planned, e);
	if (rc == 0)
		rc = pipeline_finish(p, e);
	else
		pipeline_abort(p);
out:
	reuse_cursor_free(older);
	return rc;
}

/* entries: beside the source itself. */
static int
check_not_empty(
    const struct run *r, uint64_t entries, uint64_t unreadable, uint64_t excluded, struct err *e)
{
	const char *source = r->o->source;

	if (entries > 0 || r->o->allow_empty)
		return 0;
	if (unreadable > 0)
		return err_set(e, ERR_SYS,
		    "source %s: nothing in it can be read by user %u; no backup is made", source,
		    (unsigned)geteuid());
	if (excluded > 0)
		return err_set(e, ERR_SYS,
		    "source %s: all that it holds is excluded (--allow-empty accepts that)",
		    source);
	return err_set(e, ERR_SYS,
	    "source %s holds nothing to back up: is its volume mounted? "
	    "(--allow-empty accepts it)",
	    source);
}

static int
write_all(struct run *r, struct repo_txn *t, struct err *e)
{
	if (older_open(&r->older, r->repo, &r->list, &r->seal, (enum older_mode)r->o->reuse, e) !=
	    0)
		return -1;
	const struct writer_opts opts = {
	    .archive_fd = repo_txn_archive_fd(t),
	    .manifest_fd = repo_txn_manifest_fd(t),
	    .archive_path = buf_str(&r->archive),
	    .manifest_path = buf_str(&r->manifest),
	    .name = r->seal.name,
	    .source_fd = r->source_fd,
	    .older = r->older,
	    .block = r->block,
	    .share = r->share,
	    .level = (int)r->o->compression,
	    .jobs = (unsigned)r->o->jobs,
	};

	if (writer_new(&r->writer, &opts, e) != 0 || fill(r, e) != 0)
		return -1;
	const struct tally *found = writer_tally(r->writer);
	if (check_not_empty(r, found->entries > 0 ? found->entries - 1 : 0,
		found->events[TALLY_UNREADABLE], r->planned.excluded, e) != 0 ||
	    stop_check(e) != 0)
		return -1;
	return writer_finish(r->writer, &r->seal, e);
}

/* Writes, seals, commits. */
static int
make(struct run *r, struct err *e)
{
	struct repo_txn *t = NULL;
	struct buf text = {0};
	int rc = -1;

	if (repo_txn_begin(&t, r->repo, r->seal.name, e) != 0)
		goto out;
	if (write_all(r, t, e) != 0 || retention_seal(r, e) != 0 ||
	    seal_write(&r->seal, r->key, &text, e) != 0)
		goto out;
	rc = repo_txn_commit(t, text.data, text.len, e);
	t = NULL;
out:
	repo_txn_abort(t);
	buf_done(&text);
	return rc;
}

/* The backup stands, whatever becomes of the catalog: it can be made again. */
void
run_update_catalog(struct run *r, bool matters)
{
	struct repo_list now = {0}; /* r->list is retention's, and the report's */
	struct err e = {0};

	if (repo_list(r->repo, r->trust, &now, &e) != 0 || catalog_update(r->repo, &now, &e) != 0) {
		if (matters)
			log_warn("catalog: %s; the backup is sound, \"manifest rebuild\" makes the "
				 "catalog again",
			    e.msg);
		else
			log_verbose("catalog: %s", e.msg);
	}
	repo_list_done(&now);
}

/* ---- the whole ---- */

static enum cli_status
status_of(const struct run *r, const struct seal *s)
{
	bool wrong = s->unreadable > 0 || r->retention.failures > 0 ||
	    (r->o->strict_changed && s->changed > 0);

	return wrong ? CLI_WRONG : CLI_OK;
}

static void
report(struct run *r, const struct seal *s, enum cli_status status)
{
	struct timespec now = clock_now();
	struct report rep = {
	    .opts = r->o,
	    .archive = buf_str(&r->archive),
	    .seal = s,
	    .writer = r->writer,
	    .older = r->older == NULL ? NULL : reuse_name(r->older),
	    .retention = &r->retention,
	    .excluded = r->planned.excluded,
	    .seconds = (double)(now.tv_sec - r->started.tv_sec) +
		(double)(now.tv_nsec - r->started.tv_nsec) / 1e9,
	    .status = status,
	};
	if (!report_done(&rep))
		log_warn("%s is made and sealed; only its report could not be printed", s->name);
}

/* The backup stands. */
static void
sealed(struct run *r, const struct seal *s)
{
	report_completed(r->o, buf_str(&r->archive), s->archive_size);
	if (s->unreadable > 0)
		log_warn("the backup is incomplete: %llu path%s could not be read",
		    (unsigned long long)s->unreadable, s->unreadable == 1 ? "" : "s");
}

static void
finish(struct run *r, const struct seal *s, enum cli_status *status)
{
	run_update_catalog(r, true);
	*status = status_of(r, s);
	report(r, s, *status);
}

/* 1: a run with this id has done it. */
static int
look_for_run(struct run *r, enum cli_status *status, struct err *e)
{
	const struct repo_backup *b = NULL;

	if (r->o->run_id != NULL)
		b = held_by_run(&r->list, r->o->series, r->o->is_unsigned, r->o->run_id);
	if (b == NULL)
		return 0;
	if (repo_part_path(r->repo, REPO_ARCHIVE, b->name, &r->archive, e) != 0)
		return -1;
	log_note("run %s has made its backup already: %s", r->o->run_id, b->name);
	sealed(r, &b->seal);
	if (retention_resume(r, b, e) != 0)
		return -1;
	finish(r, &b->seal, status);
	return 1;
}

static int
attempt(struct run *r, struct err *e)
{
	const struct repo_backup *last = repo_newest(&r->list, r->o->series, r->o->is_unsigned);

	if (describe_run(r, e) != 0 ||
	    repo_part_path(r->repo, REPO_ARCHIVE, r->seal.name, &r->archive, e) != 0 ||
	    repo_part_path(r->repo, REPO_MANIFEST, r->seal.name, &r->manifest, e) != 0)
		return -1;
	limits_tell((unsigned)r->o->jobs);
	report_creating(r->o, buf_str(&r->archive));
	if (progress_start((enum progress_mode)r->o->common.progress, "backup", e) != 0)
		return -1;
	progress_total(last == NULL ? 0 : last->seal.bytes);
	int rc = make(r, e);
	progress_stop();
	return rc;
}

/* The volume was full, and more room could be made: begin again. */
static int
begin_again(struct run *r, struct err *e)
{
	if (repo_is_sealed(r->repo, r->seal.name) || makeroom_again(r, e) != 1)
		return -1;
	writer_free(r->writer);
	r->writer = NULL;
	reuse_free(r->older);
	r->older = NULL;
	seal_done(&r->seal);
	r->planned = (struct plan_result){0};
	return 0;
}

static int
back_up(struct run *r, enum cli_status *status, struct err *e)
{
	held_warn(&r->list, r->o->series, repo_dir(r->repo), r->o->is_unsigned);
	sharing_decide(r);
	if (makeroom_run(r, e) != 0)
		return -1;
	if (r->block > 0 && !r->share)
		log_verbose("written without sharing blocks, as one backup in %llu is",
		    (unsigned long long)r->o->physical_every);
	while (attempt(r, e) != 0)
		if (begin_again(r, e) != 0)
			return -1;
	sealed(r, &r->seal);
	retention_prune(r);
	finish(r, &r->seal, status);
	return 0;
}

static int
dry_run(struct run *r, struct err *e)
{
	struct survey s;

	if (prepare_repo(r, e) != 0)
		return -1;
	r->started = clock_now();
	if (survey_run(r->source_fd, &r->walk, &s, e) != 0)
		return err_where(e, "source %s", r->o->source);
	if (r->o->repo != NULL && retain_policy_is_set(&r->o->keep) &&
	    retention_preview(r, s.unreadable, e) != 0)
		return -1;
	report_dry_run(r->o, &s, &r->retention);
	return check_not_empty(r, survey_entries(&s), s.unreadable, s.excluded, e);
}

static int
run(struct run *r, enum cli_status *status, struct err *e)
{
	if (clock_zone_set(r->o->timezone, e) != 0 || prepare_source(r, e) != 0)
		return -1;
	if (r->o->dry_run)
		return dry_run(r, e);
	if (prepare_repo(r, e) != 0)
		return -1;
	report_starting(r->o);
	if (prepare_lock(r, e) != 0)
		return -1;
	r->started = clock_now(); /* not before the lock: waiting is no part of it */
	int rc = look_for_run(r, status, e);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	return back_up(r, status, e);
}

int
backup_run(const struct backup_opts *opts, enum cli_status *status, struct err *e)
{
	struct run r = {.o = opts, .source_fd = -1};

	int rc = run(&r, status, e);
	run_done(&r);
	return rc;
}
