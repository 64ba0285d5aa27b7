/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/run.h"

#include "core/clock.h"
#include "core/err.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/stop.h"
#include "seal/key.h"
#include "store/repo.h"
#include "verify/anchor.h"
#include "verify/audit_run.h"
#include "verify/check.h"
#include "verify/held.h"
#include "verify/opts.h"
#include "verify/pick.h"
#include "verify/present.h"
#include "verify/record.h"
#include "verify/report.h"
#include "verify/rollback.h"
#include "verify/rotate.h"

/* Others hold an anchor only while they read seals. */
#define ANCHOR_WAIT_SECONDS 5

struct run {
	const struct verify_opts *opts;
	struct repo *repo;
	struct trust *trust; /* NULL: --untrusted without keys */
	struct verify_anchor anchor; /* empty without --anchor */
	struct repo_list list;
	struct verify_picks picks;
	struct verify_rotation rotation; /* empty without --oldest and --budget */
	struct verify_report report;
	struct verify_record record;
};

static int
open_anchor(struct run *r, struct err *e)
{
	const struct verify_anchor_where where = {
	    .file = r->opts->anchor, .repo = r->repo, .wait_seconds = ANCHOR_WAIT_SECONDS};

	return where.file == NULL ? 0 : verify_anchor_open(&r->anchor, &where, e);
}

/*
 * A backup run may seal and prune while the directory is read: then the seal that
 * holds no longer what is gone was too new to be seen.  It was there before anything
 * was removed, so whoever looks again sees it.
 */
static int
list_all(struct run *r, struct err *e)
{
	if (repo_list(r->repo, r->trust, &r->list, e) < 0)
		return -1;
	if (!verify_held_missing(&r->list, r->opts) &&
	    !verify_rollback_doubts(&r->anchor, &r->list, r->opts))
		return 0;
	repo_list_done(&r->list);
	return repo_list(r->repo, r->trust, &r->list, e);
}

static int
open_all(struct run *r, struct err *e)
{
	const struct verify_opts *o = r->opts;

	if (o->trust != NULL &&
	    (trust_new(&r->trust, e) < 0 || trust_load(r->trust, o->trust, e) < 0))
		return -1;
	if (repo_open(&r->repo, o->repo, e) < 0 || open_anchor(r, e) < 0 || list_all(r, e) < 0 ||
	    verify_pick(&r->list, o, verify_rollback_expects(&r->anchor, o), &r->picks, e) < 0)
		return -1;
	if (verify_rotates(o) &&
	    verify_rotation_make(&r->rotation, r->repo, &r->list, o, &r->picks, e) < 0)
		return -1;
	return verify_record_begin(&r->record, r->repo, r->list.n, verify_rotates(o), e);
}

static void
tell_state(struct run *r, const struct repo_backup *b)
{
	struct verify_finding f = {.kind = r->opts->untrusted ? VERIFY_NOTE : VERIFY_TRUST};

	if (b->state == REPO_UNSIGNED) {
		f.code = "unsigned";
		f.text = "its seal is not signed";
	} else if (b->state == REPO_UNTRUSTED) {
		f.code = "untrusted";
		f.text = b->why->msg;
	} else
		return;
	verify_report_found(&r->report, &f);
}

/* pruned may be NULL. */
static int
check_one(struct run *r, const struct repo_backup *b, bool *pruned, struct err *e)
{
	const struct verify_subject subject = {.repo = r->repo, .list = &r->list, .backup = b};
	struct verify_checked how;

	if (stop_check(e) < 0)
		return -1;
	verify_report_backup(&r->report, b);
	tell_state(r, b);
	if (verify_check(&subject, r->opts, &r->report, &how, e) < 0)
		return err_where(e, "%s", b->name);
	/* What was put in its place by whoever could not sign it is not of the history. */
	if (!how.pruned && repo_counts(b, NULL, true))
		verify_record_add(&r->record,
		    &(struct verify_result){.backup = b,
			.level = how.level,
			.at = clock_now().tv_sec,
			.ok = verify_report_ok(&r->report)});
	if (pruned != NULL)
		*pruned = how.pruned;
	return 0;
}

static int
check_turns(struct run *r, struct err *e)
{
	const struct repo_backup *b;
	bool pruned;
	int rc = 0;

	while (rc == 0 && (b = verify_rotation_next(&r->rotation)) != NULL) {
		uint64_t start = clock_mono_ns();

		rc = check_one(r, b, &pruned, e);
		if (rc == 0)
			verify_rotation_took(&r->rotation, clock_mono_ns() - start, pruned);
	}
	return rc;
}

static int
check_picked(struct run *r, struct err *e)
{
	uint64_t total = 0;
	int rc = 0;

	for (size_t i = 0; i < r->picks.n; i++)
		if (r->picks.picked[i])
			total += r->list.backups[i].seal.archive_size;
	if (r->opts->level != VERIFY_QUICK) {
		limits_tell((unsigned)r->opts->jobs);
		if (progress_start((enum progress_mode)r->opts->common.progress, "verify", e) < 0)
			return -1;
		/* How many fit into a time nobody knows. */
		progress_total(r->opts->budget.seconds > 0 ? 0 : total);
	}
	if (verify_rotates(r->opts))
		rc = check_turns(r, e);
	for (size_t i = 0; i < r->picks.n && rc == 0 && !verify_rotates(r->opts); i++)
		if (r->picks.picked[i])
			rc = check_one(r, &r->list.backups[i], NULL, e);
	progress_stop();
	return rc;
}

/* A doubt about who made it weighs more than damage. */
static enum cli_status
status_of(const struct run *r)
{
	if (r->report.found[VERIFY_TRUST] > 0)
		return CLI_UNTRUSTED;
	return r->report.found[VERIFY_DAMAGE] > 0 ? CLI_WRONG : CLI_OK;
}

/*
 * Before any data is read: that may take hours, and others want the anchor.  A doubt weighs
 * more than an anchor that cannot be written, which then is only warned of.
 */
static int
check_set(struct run *r, struct err *e)
{
	const struct verify_held_set set = {.list = &r->list,
	    .trust = r->trust,
	    .opts = r->opts,
	    .picks = &r->picks,
	    .anchor = r->opts->anchor != NULL ? &r->anchor : NULL};
	struct err why = {0};

	verify_held(&set, clock_now().tv_sec, &r->report);
	verify_present(r->repo, &set, &r->report);
	verify_rotation_tell(&r->rotation, &r->report);
	if (set.anchor == NULL)
		return 0;
	if (verify_anchor_save(&r->anchor, &why) == 0) {
		if (r->anchor.is_new && r->anchor.changed)
			verify_report_put(&r->report, VERIFY_NOTE, "anchor-new",
			    "anchor %s is new: what is here now is what it trusts in",
			    r->opts->anchor);
		return 0;
	}
	if (r->report.found[VERIFY_TRUST] == 0)
		return err_pass(e, &why);
	log_warn("%s", why.msg);
	return 0;
}

static enum cli_status
check_all(struct run *r, FILE *out, struct err *e)
{
	const struct verify_opts *o = r->opts;
	enum cli_status status;

	verify_report_begin(&r->report, o, out);
	r->report.anchor = o->anchor != NULL ? &r->anchor : NULL;
	r->report.rotation = verify_rotates(o) ? &r->rotation : NULL;
	if (check_set(r, e) == 0) {
		verify_catalog_note(r->repo, &r->list, &r->report);
		(void)check_picked(r, e);
	}
	status = status_of(r);
	verify_record_end(&r->record);
	if (verify_rotates(o) && e->kind == ERR_NONE)
		verify_rotation_end(&r->rotation, r->repo);
	verify_report_end(&r->report, cli_exit_status(e, status));
	return status;
}

static enum cli_status
audit(const struct run *r, FILE *out, struct err *e)
{
	const struct verify_audit a = {.opts = r->opts,
	    .repo = r->repo,
	    .trust = r->trust,
	    .list = &r->list,
	    .picks = &r->picks,
	    .out = out};

	return verify_audit(&a, e);
}

enum cli_status
verify_run(const struct verify_opts *o, FILE *out, struct err *e)
{
	struct run r = {.opts = o};
	enum cli_status status = CLI_OK;

	if (open_all(&r, e) == 0)
		status = o->source != NULL ? audit(&r, out, e) : check_all(&r, out, e);
	verify_record_done(&r.record);
	verify_rotation_done(&r.rotation);
	verify_picks_done(&r.picks);
	repo_list_done(&r.list);
	verify_anchor_done(&r.anchor);
	repo_close(r.repo);
	trust_free(r.trust);
	return status;
}
