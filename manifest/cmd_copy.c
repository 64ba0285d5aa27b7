/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/stop.h"
#include "core/within.h"
#include "manifest/cmd.h"
#include "manifest/copy.h"

static struct cmd_repo_opts repo_opts;
static bool is_new, dry_run;
static uint64_t wait_lock;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    {"new", 0, OPT_FLAG, NULL, "DEST is an empty directory of a mounted volume: begin a copy there",
	&is_new, NULL, 0, 0, NULL},
    {"dry-run", 'n', OPT_FLAG, NULL, "only say what would be copied", &dry_run, NULL, 0, 0, NULL},
    {"wait-lock", 0, OPT_DURATION, "SECONDS", "how long to wait for the lock of DEST", &wait_lock,
	NULL, 0, 0, NULL},
    {0},
};

const struct opt_program cmd_copy_program = {
    .name = "manifest copy",
    .synopsis = "--repo DIR --trust FILE [OPTION...] DEST [BACKUP...]",
    .description = "Copies sealed backups to another repository, the directory DEST, and proves "
		   "each byte on its way. Without BACKUP: all that are not there yet.",
    .opts = options,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .args_name = "DEST",
    .siblings = cmd_programs,
};

struct copy {
	struct cmd_repo from;
	struct repo *to;
	struct repo_list there;
	bool *wanted; /* a flag for each of from.list */
	bool is_all; /* no BACKUP was named */
	struct copy_plan plan;
	struct copy_report report;
	struct copy_end end;
	bool unreadable; /* something there cannot be read back */
};

/* ---- where to ---- */

/*
 * DEST is never made, and an empty directory is taken only where it is sure to be meant: the
 * mount point of a volume that is not mounted is one as well, and a copy would
 * fill the disk under it, night after night.
 */
static int
check_place(const struct copy *c, struct err *e)
{
	enum repo_place place;

	if (repo_place(c->to, &place, e) != 0)
		return -1;
	if (place != REPO_PLACE_OTHER || is_new)
		return 0;
	return err_set(e, ERR_USAGE,
	    "%s holds no backups and nothing is mounted there: is its volume missing? (--new "
	    "begins a copy in this directory)",
	    repo_dir(c->to));
}

static int
check_apart(const struct copy *c, struct err *e)
{
	const char *dest = repo_dir(c->to), *source = repo_dir(c->from.repo);

	switch (within_compare(repo_fd(c->to), repo_fd(c->from.repo), e)) {
	case WITHIN_SAME:
		return err_set(e, ERR_USAGE, "%s is the repository itself", dest);
	case WITHIN_FIRST_INSIDE:
		return err_set(e, ERR_USAGE, "%s is inside the repository %s", dest, source);
	case WITHIN_APART:
	case WITHIN_SECOND_INSIDE:
		return 0;
	default:
		return -1;
	}
}

static int
open_dest(struct copy *c, const char *dest, struct err *e)
{
	if (dest[0] == '\0')
		return err_set(e, ERR_USAGE, "DEST is empty");
	if (repo_open(&c->to, dest, e) != 0) {
		if (e->kind == ERR_SYS && e->sys == 0)
			return err_set(e, ERR_SYS,
			    "%s: no such directory; none is made, because its volume may just not "
			    "be mounted",
			    dest);
		return -1;
	}
	if (check_apart(c, e) != 0 || check_place(c, e) != 0)
		return -1;
	if (dry_run)
		return 0;
	if (repo_lock(c->to, wait_lock, e) != 0)
		return -1;
	return repo_recover(c->to, e);
}

/* ---- what ---- */

/*
 * Where a backup run seals and prunes while the directory is read, what it prunes is not seen, nor
 * the seal that holds it no longer; who looks again sees that.
 */
static int
list_again_if_torn(struct copy *c, struct err *e)
{
	struct repo_list *l = &c->from.list;
	size_t missing = 0;

	for (size_t i = 0; i < l->n; i++)
		missing += copy_held_missing(l, &l->backups[i], c->from.trust != NULL);
	if (missing == 0)
		return 0;
	repo_list_done(l);
	return repo_list(c->from.repo, c->from.trust, l, e);
}

static int
pick_names(struct copy *c, const struct opt_list *args, struct err *e)
{
	const struct repo_pick pick = {
	    .series = repo_opts.series, .accept_unsigned = c->from.trust == NULL};
	const struct repo_backup *b;

	for (size_t i = 1; i < args->n; i++) {
		if (repo_find(&c->from.list, &pick, args->items[i], &b, e) != 0)
			return -1;
		c->wanted[b - c->from.list.backups] = true;
	}
	return 0;
}

static int
pick(struct copy *c, const struct opt_list *args, struct err *e)
{
	free(c->wanted);
	if ((c->wanted = calloc(c->from.list.n + 1, sizeof(*c->wanted))) == NULL)
		return err_nomem(e);
	c->is_all = args->n < 2;
	if (!c->is_all)
		return pick_names(c, args, e);
	size_t n = 0;
	for (size_t i = 0; i < c->from.list.n; i++)
		n += c->wanted[i] = cmd_repo_wanted(&c->from, &c->from.list.backups[i]);
	return n > 0 ? 0 : cmd_repo_none(&c->from, e);
}

static int
make_plan(struct copy *c, struct err *e)
{
	repo_list_done(&c->there);
	if (repo_list(c->to, c->from.trust, &c->there, e) != 0)
		return -1;
	copy_plan_done(&c->plan);
	return copy_plan_make(
	    &c->plan, &c->from.list, c->wanted, c->to, &c->there, c->from.trust != NULL, e);
}

/* ---- doing it ---- */

static int
carry_out(struct copy *c, struct err *e)
{
	struct copy_way way = {
	    .from = c->from.repo, .to = c->to, .trust = c->from.trust, .room = malloc(COPY_ROOM)};
	int rc = way.room != NULL ? 0 : err_nomem(e);

	for (size_t i = 0; i < c->plan.n && rc == 0; i++) {
		struct copy_item *item = &c->plan.items[i];

		if ((rc = stop_check(e)) != 0)
			break;
		if (item->state == COPY_TODO || item->state == COPY_SEAL_TODO)
			rc = copy_one(&way, item, e);
		if (rc == 0 && (rc = copy_hold(&way, item, e)) == 0)
			copy_report_item(&c->report, item);
	}
	free(way.room);
	return rc;
}

static int
copy(struct copy *c, int progress, struct err *e)
{
	uint64_t backups;

	if (copy_plan_space(&c->plan, c->to, e) != 0 ||
	    progress_start((enum progress_mode)progress, "copy", e) != 0)
		return -1;
	progress_total(copy_plan_bytes(&c->plan, &backups));
	int rc = carry_out(c, e);
	progress_stop();
	return rc;
}

/*
 * A backup run may have sealed and pruned meanwhile; then the newest one that was copied holds
 * what is not there.  The one that holds it no longer is there by now: what is new
 * since the list was made is copied as well.
 */
#define ROUNDS 3

static int
look_again(struct copy *c, struct err *e)
{
	struct repo_list old = c->from.list;

	c->from.list = (struct repo_list){0};
	copy_plan_done(&c->plan);
	free(c->wanted);
	c->wanted = NULL;
	if (repo_list(c->from.repo, c->from.trust, &c->from.list, e) == 0 &&
	    (c->wanted = calloc(c->from.list.n + 1, sizeof(*c->wanted))) == NULL)
		(void)err_nomem(e);
	for (size_t i = 0; c->wanted != NULL && i < c->from.list.n; i++)
		c->wanted[i] = cmd_repo_wanted(&c->from, &c->from.list.backups[i]) &&
		    repo_find_name(&old, c->from.list.backups[i].name) == NULL;
	repo_list_done(&old);
	return c->wanted != NULL ? make_plan(c, e) : -1;
}

static int
copy_in_rounds(struct copy *c, int progress, struct err *e)
{
	uint64_t gone = 0;

	for (int round = 1;; round++) {
		if (copy(c, progress, e) != 0)
			return -1;
		if (!c->is_all || c->report.n[COPY_GONE] == gone || round == ROUNDS)
			return 0;
		gone = c->report.n[COPY_GONE];
		if (look_again(c, e) != 0)
			return -1;
	}
}

static int
show_plan(struct copy *c, struct err *e)
{
	uint64_t inodes;

	for (size_t i = 0; i < c->plan.n; i++)
		copy_report_item(&c->report, &c->plan.items[i]);
	if (repo_free_space(c->to, &c->end.free_bytes, &inodes, e) != 0)
		return -1;
	return copy_plan_space(&c->plan, c->to, e);
}

/* ---- afterwards ---- */

/* The copies stand, whatever becomes of the catalog: it can be made again. */
static void
update_catalog(struct copy *c)
{
	struct err e = {0};

	if (c->from.trust == NULL)
		repo_list_unchecked(&c->there);
	if (catalog_update(c->to, &c->there, &e) != 0)
		log_warn("%s: catalog: %s; the copies are sound, \"manifest rebuild\" makes the "
			 "catalog again",
		    repo_dir(c->to), e.msg);
}

/* Was a backup of its series to be copied? */
static bool
is_touched(const struct copy *c, const struct repo_backup *b)
{
	for (size_t i = 0; i < c->from.list.n; i++) {
		const struct repo_backup *from = &c->from.list.backups[i];

		if (from->state != REPO_BAD && (c->wanted[i] || c->is_all) &&
		    cmd_repo_wanted(&c->from, from) &&
		    strcmp(from->seal.series, b->seal.series) == 0)
			return true;
	}
	return false;
}

/*
 * Whoever copies some backups only, or cannot copy all, has a newest one there that speaks of
 * others: better to hear it now than from verify.
 */
static void
tell_missing(struct copy *c)
{
	for (size_t i = 0; i < c->there.n; i++) {
		const struct repo_backup *b = &c->there.backups[i];
		size_t missing = copy_held_missing(&c->there, b, c->from.trust != NULL);

		if (missing == 0 || !is_touched(c, b))
			continue;
		c->end.missing += missing;
		log_warn("%s: %s holds %zu backup%s that %s not there: verify will report that",
		    repo_dir(c->to), b->name, missing, missing == 1 ? "" : "s",
		    missing == 1 ? "is" : "are");
	}
}

/* Does DEST give the seals back that were written, or had been found there? */
static void
check_seals(struct copy *c)
{
	for (size_t i = 0; i < c->plan.n; i++) {
		const struct copy_item *item = &c->plan.items[i];
		const struct repo_backup *b;

		if (item->state != COPY_DONE && item->state != COPY_SEAL_DONE &&
		    item->state != COPY_PRESENT)
			continue;
		b = repo_find_name(&c->there, item->backup->name);
		if (b != NULL && b->state != REPO_BAD)
			continue;
		log_warn("%s: %s: its seal was there, and cannot be read again: %s",
		    repo_dir(c->to), item->backup->name, b != NULL ? b->why->msg : "is missing");
		c->unreadable = true;
	}
}

static int
finish(struct copy *c, struct err *e)
{
	repo_list_done(&c->there);
	if (repo_list(c->to, c->from.trust, &c->there, e) != 0)
		return -1;
	check_seals(c);
	tell_missing(c);
	if (c->there.n > 0) /* else none is made either */
		update_catalog(c);
	return 0;
}

/* A doubt about who made it weighs more than damage. */
static enum cli_status
status_of(const struct copy *c)
{
	const uint64_t *n = c->report.n;

	if (n[COPY_UNTRUSTED] > 0)
		return CLI_UNTRUSTED;
	return n[COPY_DAMAGED] + n[COPY_CONFLICT] + n[COPY_BAD] > 0 || c->unreadable ? CLI_WRONG
										     : CLI_OK;
}

static enum cli_status
run_open(struct copy *c, const struct opt_common *common, struct err *e)
{
	enum cli_status status;
	int rc;

	copy_report_begin(&c->report, c->from.trust != NULL);
	rc = dry_run ? show_plan(c, e) : copy_in_rounds(c, common->progress, e);
	if (rc == 0 && !dry_run)
		rc = finish(c, e);
	status = status_of(c);
	c->end.status = cli_exit_status(e, status);
	copy_report_end(&c->report, &c->end, rc != 0);
	return status;
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct copy c = {.report = {.dest = args->items[0],
			     .is_json = common->json,
			     .is_quiet = common->quiet,
			     .dry_run = dry_run}};
	enum cli_status status = CLI_OK;

	if (cmd_repo_open(&c.from, &repo_opts, e) == 0 && list_again_if_torn(&c, e) == 0 &&
	    pick(&c, args, e) == 0 && open_dest(&c, args->items[0], e) == 0 &&
	    make_plan(&c, e) == 0)
		status = run_open(&c, common, e);
	copy_plan_done(&c.plan);
	free(c.wanted);
	repo_list_done(&c.there);
	repo_close(c.to);
	cmd_repo_done(&c.from);
	return status;
}

const struct cmd cmd_copy = {
    "copy", "copy sealed backups to another repository", &cmd_copy_program, run};
