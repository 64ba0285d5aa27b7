/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/path.h"
#include "manifest/cmd.h"
#include "manifest/table.h"
#include "manifest/version.h"

static struct cmd_repo_opts repo_opts;
static bool opt_no_catalog;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    CMD_NO_CATALOG(&opt_no_catalog),
    {0},
};

const struct opt_program cmd_history_program = {
    .name = "manifest history",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...] PATH",
    .description = "Tells each version of one path, oldest first: from which backup to which, "
		   "size, time, and SHA-256. A restore of FIRST or LAST brings it back.",
    .opts = options,
    .min_args = 1,
    .max_args = 1,
    .args_name = "PATH",
    .siblings = cmd_programs,
};

static const struct table_column columns[] = {
    {.title = "FIRST"},
    {.title = "LAST", .drop = 5},
    {.title = "BACKUPS", .right = true, .drop = 2},
    {.title = "TYPE", .drop = 1},
    {.title = "SIZE", .right = true},
    {.title = "MODIFIED", .drop = 3},
    {.title = "SHA256", .elastic = true},
    {.title = "NOTE", .drop = 4},
};

struct story {
	struct json *json; /* NULL: table */
	struct table *table;
	uint64_t n;
};

static void
put_row(struct table *t, const struct catalog_version *v)
{
	char text[SHA256_HEX_LEN + 1] = "-";

	table_cell(t, v->first_name);
	table_cell(t, v->last_name);
	table_printf(t, "%" PRIu64, v->backups);
	table_cell(t, entry_type_name(v->type));
	table_printf(t, "%" PRIu64, v->size);
	clock_table((time_t)v->mtime_sec, text);
	table_cell(t, text);
	if (v->has_sha256) {
		sha256_hex(v->sha256, text);
		table_cell(t, text);
	} else if (v->link != NULL)
		table_path(t, v->link, v->link_len);
	else
		table_cell(t, "-");
	table_printf(t, "%s%s%s", v->is_current ? "current" : "",
	    v->is_current && *version_flags(v) != '\0' ? ", " : "", version_flags(v));
}

static int
put(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct story *s = ctx;

	(void)e;
	s->n++;
	if (s->json != NULL) {
		json_object(s->json, NULL);
		version_json_span(s->json, v);
		json_end(s->json);
	} else
		put_row(s->table, v);
	return ferror(stdout) != 0;
}

static int
print_json(struct catalog *c, const struct catalog_query *q, struct story *s, struct err *e)
{
	struct json j;
	int rc;

	cmd_json_begin(&j, "history");
	cmd_json_path(&j, "path", q->path, strlen(q->path));
	json_array(&j, "versions");
	s->json = &j;
	rc = catalog_query(c, q, put, s, e);
	json_end(&j);
	json_end(&j);
	return rc;
}

static int
print_table(struct catalog *c, const struct catalog_query *q, struct story *s, struct err *e)
{
	struct table t;
	int rc;

	table_init(&t, stdout, columns, sizeof(columns) / sizeof(columns[0]));
	s->table = &t;
	rc = catalog_query(c, q, put, s, e);
	if (s->n == 0)
		t.titled = true; /* no title over nothing */
	if (table_done(&t, rc == 0 ? e : NULL) != 0)
		rc = -1;
	return rc;
}

static int
tell(struct catalog *c, const char *path, bool json, struct err *e)
{
	const struct catalog_query q = {.series = repo_opts.series, .path = path};
	struct story s = {0};
	int rc = json ? print_json(c, &q, &s, e) : print_table(c, &q, &s, e);

	if (rc == 0 && s.n == 0)
		return err_set(e, ERR_NOTFOUND, "%s: no such path in any backup%s", path,
		    path_has_glob(path) ? " (for patterns: manifest find)" : "");
	return rc;
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct cmd_repo r = {0};
	struct catalog *c = NULL;
	struct buf path = {0};

	if (path_clean(&path, args->items[0], e) == 0 && cmd_repo_open(&r, &repo_opts, e) == 0 &&
	    cmd_repo_some(&r, e) == 0 && cmd_repo_catalog(&r, NULL, opt_no_catalog, &c, e) == 0)
		(void)tell(c, buf_str(&path), common->json, e);
	catalog_close(c);
	cmd_repo_done(&r);
	buf_done(&path);
	return CLI_OK;
}

const struct cmd cmd_history = {"history", "the versions of one path", &cmd_history_program, run};
