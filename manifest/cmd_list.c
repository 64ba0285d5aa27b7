/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/reads.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/log.h"
#include "core/num.h"
#include "manifest/checks.h"
#include "manifest/cmd.h"
#include "manifest/table.h"

static struct cmd_repo_opts repo_opts;
static bool opt_null;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    {"null", '0', OPT_FLAG, NULL, "only names, each ended by a NUL", &opt_null, NULL, 0, 0, NULL},
    {0},
};

const struct opt_program cmd_list_program = {
    .name = "manifest list",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...]",
    .description = "Lists the backups of a repository, oldest first. VERIFIED is what the catalog "
		   "remembers of verify's runs: a note, and no proof.",
    .opts = options,
    .siblings = cmd_programs,
};

/* The first one only where there are several series. */
static const struct table_column columns[] = {
    {.title = "SERIES", .drop = 2},
    {.title = "NAME", .elastic = true},
    {.title = "CREATED", .drop = 1},
    {.title = "AGE", .right = true},
    {.title = "SIZE", .right = true},
    {.title = "ENTRIES", .right = true},
    {.title = "CHANGED", .right = true, .drop = 3},
    {.title = "STATE"},
    {.title = "VERIFIED"},
};

/* How far a seal can be believed, in a word; NULL: fully. */
static const char *
doubt(const struct cmd_repo *r, const struct repo_backup *b)
{
	if (b->state == REPO_BAD)
		return b->why->kind == ERR_SYS ? "UNREADABLE" : "BAD SEAL";
	if (b->state == REPO_TRUSTED)
		return NULL;
	if (!b->seal.is_signed)
		return "unsigned";
	return r->trust != NULL ? "NOT TRUSTED" : NULL;
}

static void
put_state(struct table *t, const struct cmd_repo *r, const struct repo_backup *b)
{
	const char *why = doubt(r, b);
	char missing[64] = "complete";

	if (b->seal.unreadable > 0)
		(void)snprintf(missing, sizeof(missing), "incomplete: %" PRIu64 " missing",
		    b->seal.unreadable);
	table_printf(t, "%s%s%s%s", missing, b->on_hold ? ", on hold" : "", why != NULL ? ", " : "",
	    why != NULL ? why : "");
}

static void
put_verified(struct table *t, struct catalog *c, const struct repo_backup *b)
{
	const struct checks h = checks_of(c, b);
	struct buf text = {0};

	checks_put(&h, &text);
	table_cell(t, buf_str(&text));
	buf_done(&text);
}

static void
put_row(struct table *t, const struct cmd_repo *r, struct catalog *c, const struct repo_backup *b)
{
	bool bad = b->state == REPO_BAD;
	char text[64];

	if (t->columns == columns)
		table_cell(t, bad ? "-" : b->seal.series);
	table_cell(t, b->name);
	if (bad) {
		for (size_t i = 1; i < 6; i++)
			table_cell(t, "-");
		table_printf(t, "%s%s", doubt(r, b), b->on_hold ? ", on hold" : "");
		table_cell(t, "-");
		return;
	}
	clock_table(b->seal.created.tv_sec, text);
	table_cell(t, text);
	cmd_age(b->seal.created.tv_sec, text);
	table_cell(t, text);
	num_human(b->seal.archive_size, text);
	table_cell(t, text);
	table_printf(t, "%" PRIu64, b->seal.entries);
	table_printf(t, "%" PRIu64, b->seal.changed);
	put_state(t, r, b);
	put_verified(t, c, b);
}

static bool
several_series(const struct cmd_repo *r)
{
	const char *one = NULL;

	for (size_t i = 0; i < r->list.n; i++) {
		const struct repo_backup *b = &r->list.backups[i];

		if (b->state == REPO_BAD || !cmd_repo_wanted(r, b))
			continue;
		if (one != NULL && strcmp(one, b->seal.series) != 0)
			return true;
		one = b->seal.series;
	}
	return false;
}

static int
print_table(const struct cmd_repo *r, struct catalog *c, struct err *e)
{
	size_t skip = several_series(r) ? 0 : 1, n = 0;
	struct table t;

	table_init(&t, stdout, &columns[skip], sizeof(columns) / sizeof(columns[0]) - skip);
	for (size_t i = 0; i < r->list.n; i++)
		if (cmd_repo_wanted(r, &r->list.backups[i])) {
			put_row(&t, r, c, &r->list.backups[i]);
			n++;
		}
	if (n == 0) {
		/* No title over nothing. */
		t.titled = true;
		if (r->opts->series == NULL)
			log_note("%s: no sealed backups", repo_dir(r->repo));
	}
	return table_done(&t, e);
}

/* Of those that count; false: the catalog does not tell. */
static bool
ask_reads(const struct cmd_repo *r, struct catalog *c, struct catalog_reads *reads)
{
	struct err e = {0};
	int rc = c != NULL ? 0 : -1;

	*reads = (struct catalog_reads){0};
	for (size_t i = 0; i < r->list.n && rc == 0; i++) {
		const struct repo_backup *b = &r->list.backups[i];

		if (b->state != REPO_BAD && cmd_repo_wanted(r, b) &&
		    (r->trust == NULL || b->state != REPO_UNTRUSTED))
			rc = catalog_reads_add(reads, c, b, &e);
	}
	if (e.kind != ERR_NONE)
		log_verbose("%s", e.msg);
	return rc == 0;
}

static void
print_reads(const struct cmd_repo *r, struct catalog *c)
{
	struct catalog_reads reads;
	struct buf text = {0};

	if (ask_reads(r, c, &reads) && reads.backups > 0) {
		catalog_reads_put(&reads, clock_now().tv_sec, &text);
		table_note(stdout, buf_str(&text));
	}
	buf_done(&text);
}

static void
json_backup(
    struct json *j, const struct cmd_repo *r, struct catalog *c, const struct repo_backup *b)
{
	const struct seal *s = &b->seal;

	json_object(j, NULL);
	json_str(j, "name", b->name);
	json_str(j, "signature", cmd_signature_name(r, b));
	if (b->why != NULL && (r->trust != NULL || b->state == REPO_BAD))
		json_str(j, "why", b->why->msg);
	json_bool(j, "on_hold", b->on_hold);
	if (b->state != REPO_BAD) {
		json_str(j, "series", s->series);
		json_uint(j, "sequence", s->sequence);
		cmd_json_time(j, "created", s->created.tv_sec, (uint32_t)s->created.tv_nsec);
		json_uint(j, "entries", s->entries);
		json_uint(j, "bytes", s->bytes);
		json_uint(j, "archive_size", s->archive_size);
		json_uint(j, "manifest_size", s->manifest_size);
		json_bool(j, "complete", s->unreadable == 0);
		json_uint(j, "unreadable", s->unreadable);
		json_uint(j, "changed", s->changed);
		cmd_json_digest(j, "seal_sha256", s->text_digest);
		const struct checks h = checks_of(c, b);
		checks_json(&h, j);
	}
	json_end(j);
}

static void
print_null(const struct cmd_repo *r)
{
	for (size_t i = 0; i < r->list.n; i++)
		if (cmd_repo_wanted(r, &r->list.backups[i]))
			(void)fwrite(r->list.backups[i].name, 1,
			    strlen(r->list.backups[i].name) + 1, stdout);
}

static void
print_json(const struct cmd_repo *r, struct catalog *c)
{
	struct catalog_reads reads;
	struct json j;

	cmd_json_begin(&j, "list");
	json_bool(&j, "authenticated", r->trust != NULL);
	json_array(&j, "backups");
	for (size_t i = 0; i < r->list.n; i++)
		if (cmd_repo_wanted(r, &r->list.backups[i]))
			json_backup(&j, r, c, &r->list.backups[i]);
	json_end(&j);
	catalog_reads_json(ask_reads(r, c, &reads) ? &reads : NULL, &j, "reads");
	json_array(&j, "unsealed");
	for (size_t i = 0; i < r->list.n_unsealed; i++)
		json_str(&j, NULL, r->list.unsealed[i]);
	json_end(&j);
	json_end(&j);
}

static void
tell_unsealed(const struct repo_list *l)
{
	const char *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < l->n_unsealed; i++)
		if (!repo_was_imported(l, l->unsealed[i]) && n++ == 0)
			first = l->unsealed[i];
	if (n > 0)
		log_note("%zu archive%s without a seal (%s%s): never touched; \"manifest import\" "
			 "makes backups of such",
		    n, n > 1 ? "s" : "", first, n > 1 ? ", ..." : "");
}

/* What is wrong with seals, one line each, and whether anything is. */
static enum cli_status
report(const struct cmd_repo *r)
{
	enum cli_status status = CLI_OK;

	for (size_t i = 0; i < r->list.n; i++) {
		const struct repo_backup *b = &r->list.backups[i];
		bool foreign = r->trust != NULL && b->state == REPO_UNTRUSTED;

		if (!cmd_repo_wanted(r, b) || (b->state != REPO_BAD && !foreign))
			continue;
		log_warn("%s: %s", b->name, b->why != NULL ? b->why->msg : "bad seal");
		if (status == CLI_OK || foreign)
			status = foreign ? CLI_UNTRUSTED : CLI_WRONG;
	}
	tell_unsealed(&r->list);
	return status;
}

/* An empty repository is an answer; a series that is not there is none. */
static void
check_series(const struct cmd_repo *r, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < r->list.n; i++)
		n += cmd_repo_wanted(r, &r->list.backups[i]);
	if (n == 0 && r->opts->series != NULL)
		(void)cmd_repo_none(r, e);
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct cmd_repo r = {0};
	struct catalog *c = NULL;
	struct err why = {0};
	enum cli_status status = CLI_OK;

	(void)args;
	if (cmd_repo_open(&r, &repo_opts, e) == 0) {
		if (catalog_open_history(&c, r.repo, &why) != 0)
			log_verbose("%s", why.msg);
		if (common->json)
			print_json(&r, c);
		else if (opt_null)
			print_null(&r);
		else if (print_table(&r, c, e) == 0 && !common->quiet)
			print_reads(&r, c);
		status = report(&r);
		if (e->kind == ERR_NONE)
			check_series(&r, e);
	}
	catalog_close(c);
	cmd_repo_done(&r);
	return status;
}

const struct cmd cmd_list = {"list", "the backups of a repository", &cmd_list_program, run};
