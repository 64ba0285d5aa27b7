/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "core/path.h"
#include "manifest/cmd.h"
#include "manifest/diff_report.h"
#include "manifest/table.h"

static struct cmd_repo_opts repo_opts;
static bool opt_content, opt_null;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    {"content", 'c', OPT_FLAG, NULL, "other facts alone (mode, owner, time, ...) are no difference",
	&opt_content, NULL, 0, 0, NULL},
    {"null", '0', OPT_FLAG, NULL,
	"a letter (A R C F), a space, and the path as it is, ended by a NUL", &opt_null, NULL, 0, 0,
	NULL},
    {0},
};

const struct opt_program cmd_diff_program = {
    .name = "manifest diff",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...] A B [PATH]",
    .description =
	"Tells what differs between two backups, proven by their seals. A and B are latest, names, "
	"or unique leading parts of names; \"previous\" is the one before the other. Exits with 0 "
	"when nothing differs, with 1 when something does or is damaged.",
    .opts = options,
    .min_args = 2,
    .max_args = 3,
    .args_name = "A or B (the two backups)",
    .siblings = cmd_programs,
};

/* Told on standard error as they come; the JSON document names the first of them at its end. */
#define DAMAGE_KEPT 1000u

struct damage {
	const char *backup;
	struct buf *kept; /* each: backup, NUL, why, NUL */
	uint64_t n;
};

struct out {
	struct json *json; /* NULL: not asked for */
	struct table *table;
};

/* ---- the run ---- */

static void
damaged(void *ctx, const char *why)
{
	struct damage *d = ctx;

	log_warn("%s: %s", d->backup, why);
	if (d->n++ < DAMAGE_KEPT) {
		buf_append(d->kept, d->backup, strlen(d->backup) + 1);
		buf_append(d->kept, why, strlen(why) + 1);
	}
}

static int
put(void *ctx, const struct diff_item *d, struct err *e)
{
	static const char letters[] = "ARCF";
	struct out *o = ctx;
	const struct section_line *l = diff_line(d);

	(void)e;
	if (o->json != NULL)
		diff_json_item(o->json, d);
	else if (o->table != NULL)
		diff_text_item(o->table, d);
	else {
		printf("%c ", letters[d->kind]);
		(void)fwrite(l->path, 1, l->path_len, stdout);
		(void)fputc('\0', stdout);
	}
	return ferror(stdout) != 0;
}

struct job {
	const struct repo_backup *a, *b;
	const char *path; /* clean; "": everything */
	struct side *sides[2];
	struct damage damage[2];
	struct buf kept;
	struct diff_totals totals;
};

static int
compare(struct job *job, struct out *o, struct err *e)
{
	const struct diff_opts opts = {
	    .limited = job->path[0] != '\0', .content_only = opt_content};

	return diff_run(job->sides[0], job->sides[1], &opts, put, o, &job->totals, e);
}

static int
print_json(struct job *job, struct err *e)
{
	struct json j;
	struct out o = {.json = &j};
	int rc;

	cmd_json_begin(&j, "diff");
	diff_json_backup(&j, "a", job->a);
	diff_json_backup(&j, "b", job->b);
	cmd_json_path(&j, "path", job->path, strlen(job->path));
	json_array(&j, "differences");
	rc = compare(job, &o, e);
	json_end(&j);
	diff_json_totals(&j, &job->totals);
	diff_json_damage(&j, &job->kept);
	json_end(&j);
	return rc;
}

static uint64_t
differences(const struct diff_totals *t)
{
	return t->kinds[DIFF_ADDED].n + t->kinds[DIFF_REMOVED].n + t->kinds[DIFF_CHANGED].n +
	    t->kinds[DIFF_FACTS].n;
}

/* Was there anything at all below the path, in one of them? */
static bool
is_empty(const struct job *job)
{
	return differences(&job->totals) + job->totals.same + job->totals.unknown == 0;
}

static int
print_table(struct job *job, struct err *e)
{
	struct table t;
	struct out o = {.table = &t};
	int rc;

	diff_text_begin(&t);
	rc = compare(job, &o, e);
	if (differences(&job->totals) == 0)
		t.titled = true; /* no title over nothing */
	if (table_done(&t, rc == 0 ? e : NULL) != 0)
		rc = -1;
	if (rc == 0 && !is_empty(job) && log_get_level() > LOG_QUIET)
		diff_text_totals(&job->totals);
	return rc;
}

static int
open_sides(struct job *job, const struct cmd_repo *r, struct err *e)
{
	const struct repo_backup *b[] = {job->a, job->b};

	for (int i = 0; i < 2; i++) {
		job->damage[i] = (struct damage){.backup = b[i]->name, .kept = &job->kept};
		if (b[i]->seal.unreadable > 0)
			log_warn("%s is incomplete: %" PRIu64 " path%s could not be read when it "
				 "was made, and what is missing is not compared",
			    b[i]->name, b[i]->seal.unreadable,
			    b[i]->seal.unreadable == 1 ? "" : "s");
		if (side_open(&job->sides[i], r->repo, &b[i]->seal,
			&(struct side_opts){
			    .below = job->path, .damaged = damaged, .ctx = &job->damage[i]},
			e) != 0)
			return -1;
	}
	return 0;
}

static enum cli_status
tell(struct job *job, bool json, struct err *e)
{
	struct out o = {0};
	int rc;

	if (json)
		rc = print_json(job, e);
	else
		rc = opt_null ? compare(job, &o, e) : print_table(job, e);
	if (rc == 0)
		rc = buf_check(&job->kept, e);
	if (rc != 0 || job->damage[0].n + job->damage[1].n > 0)
		return CLI_WRONG;
	if (is_empty(job))
		(void)err_set(e, ERR_NOTFOUND, "%s: no such path in %s or %s%s", job->path,
		    job->a->name, job->b->name,
		    path_has_glob(job->path) ? " (a path, not a pattern)" : "");
	return differences(&job->totals) == 0 ? CLI_OK : CLI_WRONG;
}

/* ---- which two ---- */

static bool
is_previous(const char *which)
{
	return strcmp(which, "previous") == 0;
}

static int
pick(const struct cmd_repo *r, const char *which, const struct repo_backup **out, struct err *e)
{
	return cmd_repo_pick(r, &(struct cmd_pick_opts){.backup = which}, true, out, e);
}

/* The one before other in its series; whether it may be believed is asked as of any other. */
static int
pick_previous(const struct cmd_repo *r, const struct repo_backup *other,
    const struct repo_backup **out, struct err *e)
{
	const struct repo_backup *best = NULL;

	for (size_t i = 0; i < r->list.n; i++) {
		const struct repo_backup *b = &r->list.backups[i];

		if (b->state != REPO_BAD && strcmp(b->seal.series, other->seal.series) == 0 &&
		    b->seal.sequence < other->seal.sequence &&
		    (best == NULL || b->seal.sequence > best->seal.sequence))
			best = b;
	}
	if (best == NULL)
		return err_set(e, ERR_NOTFOUND, "there is no backup before %s", other->name);
	return pick(r, best->name, out, e);
}

static int
pick_both(struct job *job, const struct cmd_repo *r, const char *a, const char *b, struct err *e)
{
	if (is_previous(a) && is_previous(b))
		return err_set(e, ERR_USAGE, "previous to what?");
	if (is_previous(a))
		return pick(r, b, &job->b, e) != 0 ? -1 : pick_previous(r, job->b, &job->a, e);
	if (pick(r, a, &job->a, e) != 0)
		return -1;
	return is_previous(b) ? pick_previous(r, job->a, &job->b, e) : pick(r, b, &job->b, e);
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct cmd_repo r = {0};
	struct job job = {0};
	struct buf path = {0};
	enum cli_status status = CLI_OK;

	if (path_clean(&path, args->n > 2 ? args->items[2] : "", e) == 0 &&
	    cmd_repo_open(&r, &repo_opts, e) == 0 &&
	    pick_both(&job, &r, args->items[0], args->items[1], e) == 0) {
		job.path = buf_str(&path);
		if (open_sides(&job, &r, e) == 0)
			status = tell(&job, common->json, e);
	}
	side_close(job.sides[0]);
	side_close(job.sides[1]);
	buf_done(&job.kept);
	cmd_repo_done(&r);
	buf_done(&path);
	return status;
}

const struct cmd cmd_diff = {"diff", "what differs between two backups", &cmd_diff_program, run};
