/* SPDX-License-Identifier: BSD-2-Clause */
#include "verify/audit_run.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/io.h"
#include "core/limits.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/within.h"
#include "store/repo.h"
#include "tree/audit.h"
#include "tree/exclude.h"
#include "tree/top.h"
#include "verify/audit_report.h"
#include "verify/held.h"
#include "verify/opts.h"
#include "verify/pick.h"

/* One audit.  found() is called by another thread than damaged(), and touches out and json only. */
struct run {
	const struct verify_audit *a;
	const struct repo_backup *backup;
	int source;
	struct exclude *exclude;
	struct json json;
	struct buf damage;
	uint64_t damaged;
	uint64_t wrong, untrusted; /* of the set */
	struct audit_totals totals;
};

/* ---- the set ---- */

/* Lines of what verify reports, as warnings. */
static void
warn_lines(char *text)
{
	char *rest = NULL;

	for (char *l = strtok_r(text, "\n", &rest); l != NULL; l = strtok_r(NULL, "\n", &rest))
		log_warn("%s", l);
}

static int
judge_set(struct run *r, struct err *e)
{
	struct verify_opts o = *r->a->opts;
	const struct verify_held_set set = {
	    .list = r->a->list, .trust = r->a->trust, .opts = r->a->opts, .picks = r->a->picks};
	struct verify_report report;
	char *text = NULL;
	size_t len;
	FILE *lines = open_memstream(&text, &len);

	if (lines == NULL)
		return err_nomem(e);
	o.common.json = false;
	o.common.quiet = true; /* no notes: they are not about the tree */
	verify_report_begin(&report, &o, lines);
	verify_held(&set, clock_now().tv_sec, &report);
	verify_report_end(&report, 0);
	r->wrong = report.found[VERIFY_DAMAGE];
	r->untrusted = report.found[VERIFY_TRUST];
	if (fclose(lines) != 0) {
		free(text);
		return err_nomem(e);
	}
	warn_lines(text);
	free(text);
	return 0;
}

static int
pick_one(struct run *r, struct err *e)
{
	const struct repo_list *l = r->a->list;

	for (size_t i = 0; i < l->n; i++) {
		if (!r->a->picks->picked[i])
			continue;
		if (r->backup != NULL)
			return err_set(e, ERR_USAGE,
			    "the repository holds several series: compare with which? (--series "
			    "NAME, or a BACKUP)");
		r->backup = &l->backups[i];
	}
	if (r->backup == NULL)
		return err_set(e, r->untrusted > 0 ? ERR_TRUST : ERR_NOTFOUND,
		    "there is no backup that the source could be compared with");
	return 0;
}

/* A manifest that anybody may have written says nothing about a tree. */
static int
judge_backup(const struct run *r, struct err *e)
{
	const struct repo_backup *b = r->backup;
	const char *why = b->state == REPO_UNSIGNED ? "its seal is not signed"
	    : b->state == REPO_UNTRUSTED	    ? b->why->msg
						    : NULL;

	if (b->seal.unreadable > 0)
		log_warn("%s is incomplete: %" PRIu64 " path%s could not be read when it was made, "
			 "and what is missing is not compared",
		    b->name, b->seal.unreadable, b->seal.unreadable == 1 ? "" : "s");
	if (why == NULL)
		return 0;
	if (!r->a->opts->untrusted)
		return err_set(e, ERR_TRUST, "%s: %s", b->name, why);
	log_warn("%s: %s", b->name, why);
	return 0;
}

/* ---- the tree ---- */

/* One that has it somewhere below is refused where the walk meets it, unless that is left out. */
static int
refuse_repo(const struct run *r, struct err *e)
{
	int how = within_compare(r->source, repo_fd(r->a->repo), e);

	if (how == WITHIN_SAME)
		return err_set(
		    e, ERR_USAGE, "source and repository are the same: %s", r->a->opts->source);
	return how < 0 ? -1 : 0;
}

static int
open_source(struct run *r, struct err *e)
{
	const struct verify_opts *o = r->a->opts;

	if (exclude_new(&r->exclude, e) != 0)
		return -1;
	for (size_t i = 0; i < o->exclude.n; i++)
		if (exclude_add(r->exclude, o->exclude.items[i], e) != 0)
			return err_where(e, "--exclude");
	if ((r->source = top_open(o->source, e)) < 0 || refuse_repo(r, e) != 0)
		return -1;
	if (access("/proc/self/fd", X_OK) != 0)
		log_warn("/proc is not mounted: extended attributes of directories and links count "
			 "as missing");
	return 0;
}

/* ---- the comparison ---- */

static int
found(void *ctx, const struct audit_finding *f, struct err *e)
{
	struct run *r = ctx;
	FILE *out = r->a->out;

	progress_hide();
	if (r->a->opts->common.json)
		audit_json_item(&r->json, f);
	else
		audit_text_item(out, f);
	/* cli_exit() tells that, or nothing when nobody reads any more. */
	return ferror(out) != 0 ? err_sys(e, "standard output") : 0;
}

static void
damaged(void *ctx, const char *why)
{
	struct run *r = ctx;

	log_warn("%s: %s", r->backup->name, why);
	if (r->damaged++ < AUDIT_DAMAGE_KEPT)
		buf_append(&r->damage, why, strlen(why) + 1);
}

static int
compare(struct run *r, struct err *e)
{
	const struct verify_opts *o = r->a->opts;
	const struct audit_opts ao = {.exclude = r->exclude,
	    .one_file_system = o->one_file_system,
	    .jobs = (unsigned)o->jobs,
	    .found = found,
	    .damaged = damaged,
	    .ctx = r};
	int rc;

	limits_tell((unsigned)o->jobs);
	if (progress_start((enum progress_mode)o->common.progress, "verify", e) != 0)
		return -1;
	progress_total(r->backup->seal.bytes);
	rc = audit_tree(&ao, r->source, r->a->repo, &r->backup->seal, &r->totals, e);
	progress_stop();
	return rc == 0 ? buf_check(&r->damage, e) : rc;
}

/* A doubt about who made it weighs more than a difference. */
static enum cli_status
status_of(const struct run *r)
{
	if (r->untrusted > 0)
		return CLI_UNTRUSTED;
	return r->wrong > 0 || !audit_clean(&r->totals) ? CLI_WRONG : CLI_OK;
}

static enum cli_status
audit(struct run *r, struct err *e)
{
	const struct verify_opts *o = r->a->opts;
	uint64_t begun = clock_mono_ns();
	struct audit_end end = {.totals = &r->totals, .damage = &r->damage};
	enum cli_status status;

	if (o->common.json)
		audit_json_begin(&r->json, r->a->out, o, r->backup);
	end.finished = compare(r, e) == 0;
	end.ms = (clock_mono_ns() - begun) / 1000000;
	status = status_of(r);
	end.status = cli_exit_status(e, status);
	if (o->common.json)
		audit_json_end(&r->json, &end);
	else if (end.finished && (!o->common.quiet || !audit_clean(&r->totals)))
		audit_text_end(r->a->out, r->backup->name, &end);
	return status;
}

enum cli_status
verify_audit(const struct verify_audit *a, struct err *e)
{
	struct run r = {.a = a, .source = -1};
	enum cli_status status = CLI_OK;

	if (judge_set(&r, e) == 0 && pick_one(&r, e) == 0 && judge_backup(&r, e) == 0 &&
	    open_source(&r, e) == 0)
		status = audit(&r, e);
	exclude_free(r.exclude);
	(void)io_close(&r.source, NULL); /* read only: nothing to lose */
	buf_done(&r.damage);
	return status;
}
