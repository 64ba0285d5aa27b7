/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "core/num.h"
#include "core/path.h"
#include "manifest/cmd.h"
#include "manifest/diff.h"
#include "manifest/table.h"
#include "manifest/version.h"

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
    .args_name = "one of the two backups",
    .siblings = cmd_programs,
};

static const struct table_column columns[] = {
    {.title = "CHANGE"},
    {.title = "BEFORE", .right = true, .drop = 2},
    {.title = "AFTER", .right = true},
    {.title = "WHAT", .drop = 1},
    {.title = "PATH", .elastic = true},
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
	struct buf line; /* scratch */
};

/* ---- for people ---- */

static void
put_size(struct table *t, const struct diff_entry *en)
{
	char text[16];

	if (en->line == NULL)
		table_cell(t, "-");
	else if (en->content != NULL) {
		num_human(en->content->size, text);
		table_cell(t, text);
	} else
		table_cell(
		    t, en->line->type == ENTRY_HARDLINK ? "?" : entry_type_name(en->line->type));
}

static void
put_what(struct table *t, unsigned what, struct buf *text)
{
	buf_clear(text);
	for (unsigned bit = 1; diff_what_name(bit) != NULL; bit <<= 1)
		if ((what & bit) != 0)
			buf_printf(text, "%s%s", text->len > 0 ? "," : "", diff_what_name(bit));
	table_cell(t, buf_str(text));
}

static const struct section_line *
either(const struct diff_item *d)
{
	return d->kind == DIFF_REMOVED ? d->before.line : d->after.line;
}

static void
put_row(struct out *o, const struct diff_item *d)
{
	const struct section_line *l = either(d);
	const struct catalog_version v = {
	    .path = l->path, .path_len = l->path_len, .type = l->type};

	table_cell(o->table, diff_kind_name(d->kind));
	put_size(o->table, &d->before);
	put_size(o->table, &d->after);
	put_what(o->table, d->what, &o->line);
	buf_clear(&o->line);
	version_put_path(&o->line, &v);
	table_cell(o->table, buf_str(&o->line));
}

static void
put_count(const char *what, const struct diff_total *t)
{
	char before[16], after[16];

	num_human(t->before, before);
	num_human(t->after, after);
	printf("%" PRIu64 " %s", t->n, what);
	if (t->before > 0 && t->after > 0)
		printf(" (%s to %s)", before, after);
	else if (t->before > 0 || t->after > 0)
		printf(" (%s)", t->before > 0 ? before : after);
	printf(", ");
}

static void
print_totals(const struct diff_totals *t)
{
	put_count("added", &t->kinds[DIFF_ADDED]);
	put_count("removed", &t->kinds[DIFF_REMOVED]);
	put_count("changed", &t->kinds[DIFF_CHANGED]);
	printf(
	    "%" PRIu64 " with other facts, %" PRIu64 " the same", t->kinds[DIFF_FACTS].n, t->same);
	if (t->unknown > 0)
		printf(", %" PRIu64 " not compared", t->unknown);
	printf("\n");
}

/* ---- for programs ---- */

static void
json_side(struct json *j, const char *key, const struct diff_entry *en)
{
	const struct section_line *l = en->line;
	const struct side_content *c = en->content;
	struct catalog_version v;

	if (l == NULL) {
		json_str(j, key, NULL);
		return;
	}
	v = (struct catalog_version){.type = l->type,
	    .mode = l->mode,
	    .uid = l->uid,
	    .gid = l->gid,
	    .mtime_sec = l->mtime_sec,
	    .mtime_nsec = l->mtime_nsec,
	    .rdev_major = l->rdev_major,
	    .rdev_minor = l->rdev_minor,
	    .link = l->link,
	    .link_len = l->link_len};
	if (c != NULL) {
		v.size = c->size;
		v.has_sha256 = true;
		memcpy(v.sha256, c->sha256, SHA256_LEN);
		v.changed = c->changed;
		v.grew = c->grew;
		v.unreadable = c->unreadable;
	}
	json_object(j, key);
	version_json_facts(j, &v);
	if (c != NULL ? c->has_xattrs : l->has_xattrs)
		cmd_json_digest(j, "xattrs_sha256", c != NULL ? c->xattrs : l->xattrs);
	json_end(j);
}

static void
json_item(struct json *j, const struct diff_item *d)
{
	const struct section_line *l = either(d);

	json_object(j, NULL);
	json_str(j, "change", diff_kind_name(d->kind));
	cmd_json_path(j, "path", l->path, l->path_len);
	json_array(j, "what");
	for (unsigned bit = 1; diff_what_name(bit) != NULL; bit <<= 1)
		if ((d->what & bit) != 0)
			json_str(j, NULL, diff_what_name(bit));
	json_end(j);
	json_side(j, "before", &d->before);
	json_side(j, "after", &d->after);
	json_end(j);
}

static void
json_backup(struct json *j, const char *key, const struct repo_backup *b)
{
	const struct seal *s = &b->seal;

	json_object(j, key);
	json_str(j, "name", b->name);
	json_str(j, "series", s->series);
	json_uint(j, "sequence", s->sequence);
	cmd_json_time(j, "created", s->created.tv_sec, (uint32_t)s->created.tv_nsec);
	json_uint(j, "entries", s->entries);
	json_uint(j, "bytes", s->bytes);
	json_bool(j, "complete", s->unreadable == 0);
	json_end(j);
}

static void
json_totals(struct json *j, const struct diff_totals *t)
{
	json_object(j, "totals");
	for (int i = DIFF_ADDED; i <= DIFF_FACTS; i++) {
		json_object(j, diff_kind_name((enum diff_kind)i));
		json_uint(j, "entries", t->kinds[i].n);
		json_uint(j, "bytes_before", t->kinds[i].before);
		json_uint(j, "bytes_after", t->kinds[i].after);
		json_end(j);
	}
	json_uint(j, "same", t->same);
	json_uint(j, "not_compared", t->unknown);
	json_end(j);
}

static void
json_damage(struct json *j, const struct damage *d)
{
	const char *at = (const char *)d->kept->data, *end = at + d->kept->len;

	json_array(j, "damage");
	while (at < end) {
		json_object(j, NULL);
		json_str(j, "backup", at);
		at += strlen(at) + 1;
		json_str(j, "why", at);
		at += strlen(at) + 1;
		json_end(j);
	}
	json_end(j);
}

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
	const struct section_line *l = either(d);

	(void)e;
	if (o->json != NULL)
		json_item(o->json, d);
	else if (o->table != NULL)
		put_row(o, d);
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
	json_backup(&j, "a", job->a);
	json_backup(&j, "b", job->b);
	cmd_json_path(&j, "path", job->path, strlen(job->path));
	json_array(&j, "differences");
	rc = compare(job, &o, e);
	json_end(&j);
	json_totals(&j, &job->totals);
	json_damage(&j, &job->damage[0]);
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

	table_init(&t, stdout, columns, sizeof(columns) / sizeof(columns[0]));
	rc = compare(job, &o, e);
	if (differences(&job->totals) == 0)
		t.titled = true; /* no title over nothing */
	if (table_done(&t, rc == 0 ? e : NULL) != 0)
		rc = -1;
	if (rc == 0 && !is_empty(job) && log_get_level() > LOG_QUIET)
		print_totals(&job->totals);
	buf_done(&o.line);
	return rc;
}

static int
open_sides(struct job *job, const struct cmd_repo *r, struct err *e)
{
	const struct repo_backup *b[] = {job->a, job->b};

	for (int i = 0; i < 2; i++) {
		job->damage[i] = (struct damage){.backup = b[i]->name, .kept = &job->kept};
		if (b[i]->seal.unreadable > 0)
			log_warn("%s is incomplete: %" PRIu64 " paths could not be read when it "
				 "was made, and are not compared",
			    b[i]->name, b[i]->seal.unreadable);
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
