/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/json.h"
#include "core/num.h"
#include "core/path.h"
#include "manifest/cmd.h"
#include "manifest/table.h"
#include "manifest/version.h"

static struct cmd_repo_opts repo_opts;
static struct cmd_pick_opts pick_opts;
static bool opt_null, opt_no_catalog;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    CMD_PICK_OPTS(&pick_opts),
    {"null", '0', OPT_FLAG, NULL, "only paths, as they are, each once and ended by a NUL",
	&opt_null, NULL, 0, 0, NULL},
    CMD_NO_CATALOG(&opt_no_catalog),
    {0},
};

const struct opt_program cmd_find_program = {
    .name = "manifest find",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...] PATTERN",
    .description =
	"Finds paths in all backups, or in one, and tells which backups have each version of them. "
	"A PATTERN without a slash is matched against names, one with a slash against whole paths; "
	"* ? [set] stop at slashes, ** does not.",
    .opts = options,
    .min_args = 1,
    .max_args = 1,
    .args_name = "PATTERN",
    .siblings = cmd_programs,
};

static const struct table_column columns[] = {
    {.title = "SIZE", .right = true},
    {.title = "MODIFIED", .drop = 1},
    {.title = "BACKUPS", .right = true},
    {.title = "FIRST", .drop = 2},
    {.title = "LAST"},
    {.title = "PATH", .elastic = true},
};

struct finding {
	struct json *json; /* NULL: not asked for */
	struct table *table;
	struct buf last; /* path printed last, for --null */
	uint64_t n;
};

static void
put_row(struct table *t, const struct catalog_version *v)
{
	struct buf path = {0};
	char text[64];

	if (v->type == ENTRY_FILE || v->type == ENTRY_HARDLINK)
		num_human(v->size, text);
	else
		(void)snprintf(text, sizeof(text), "%s", entry_type_name(v->type));
	table_cell(t, text);
	clock_table((time_t)v->mtime_sec, text);
	table_cell(t, text);
	table_printf(t, "%" PRIu64, v->backups);
	table_cell(t, v->first_name);
	table_cell(t, v->last_name);
	version_put_path(&path, v);
	table_cell(t, buf_str(&path));
	buf_done(&path);
}

static int
put_null(struct finding *f, const struct catalog_version *v, struct err *e)
{
	if (f->n > 1 && f->last.len == v->path_len &&
	    memcmp(f->last.data, v->path, v->path_len) == 0)
		return 0;
	(void)fwrite(v->path, 1, v->path_len, stdout);
	(void)fputc('\0', stdout);
	buf_clear(&f->last);
	buf_append(&f->last, v->path, v->path_len);
	buf_putc(&f->last, '\0');
	f->last.len -= f->last.len > 0;
	return buf_check(&f->last, e);
}

static int
put(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct finding *f = ctx;

	f->n++;
	if (f->json != NULL) {
		json_object(f->json, NULL);
		version_json_span(f->json, v);
		json_end(f->json);
	} else if (f->table != NULL)
		put_row(f->table, v);
	else if (put_null(f, v, e) != 0)
		return -1;
	return ferror(stdout) != 0;
}

static int
print_json(struct catalog *c, const struct catalog_query *q, const char *pattern, struct finding *f,
    struct err *e)
{
	struct json j;
	int rc;

	cmd_json_begin(&j, "find");
	json_path(&j, "pattern", pattern, strlen(pattern));
	json_array(&j, "versions");
	f->json = &j;
	rc = catalog_query(c, q, put, f, e);
	json_end(&j);
	json_end(&j);
	return rc;
}

static int
print_table(struct catalog *c, const struct catalog_query *q, struct finding *f, struct err *e)
{
	struct table t;
	int rc;

	table_init(&t, stdout, columns, sizeof(columns) / sizeof(columns[0]));
	f->table = &t;
	rc = catalog_query(c, q, put, f, e);
	if (f->n == 0)
		t.titled = true; /* no title over nothing */
	if (table_done(&t, rc == 0 ? e : NULL) != 0)
		rc = -1;
	return rc;
}

/*
 * What was typed as a query: a whole path needs no walk through all of them.  path holds it.
 */
static int
make_query(const char *typed, struct buf *path, struct catalog_query *q, struct err *e)
{
	if (path_has_glob(typed) || strchr(typed, '/') == NULL) {
		if (strncmp(typed, "./", 2) == 0)
			typed++; /* "/..." is anchored too */
		q->glob = typed;
		return typed[0] != '\0' ? 0 : err_set(e, ERR_USAGE, "the pattern is empty");
	}
	if (path_clean(path, typed, e) != 0)
		return -1;
	q->path = buf_str(path);
	return 0;
}

static int
find(
    struct catalog *c, const struct catalog_query *q, const char *pattern, bool json, struct err *e)
{
	struct finding f = {0};
	int rc;

	if (json)
		rc = print_json(c, q, pattern, &f, e);
	else if (opt_null)
		rc = catalog_query(c, q, put, &f, e);
	else
		rc = print_table(c, q, &f, e);
	if (rc == 0 && f.n == 0)
		rc = err_set(e, ERR_NOTFOUND, "%s: no such path in any backup", pattern);
	buf_done(&f.last);
	return rc;
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct catalog_query q = {.series = repo_opts.series};
	struct cmd_repo r = {0};
	struct catalog *c = NULL;
	const struct repo_backup *b;
	struct buf path = {0};

	if (make_query(args->items[0], &path, &q, e) == 0 &&
	    cmd_repo_open(&r, &repo_opts, e) == 0 &&
	    cmd_repo_pick(&r, &pick_opts, false, &b, e) == 0 &&
	    cmd_repo_catalog(&r, b, opt_no_catalog, &c, e) == 0) {
		if (b != NULL) {
			q.series = b->seal.series;
			q.sequence = b->seal.sequence;
		}
		(void)find(c, &q, args->items[0], common->json, e);
	}
	catalog_close(c);
	cmd_repo_done(&r);
	buf_done(&path);
	return CLI_OK;
}

const struct cmd cmd_find = {
    "find", "which backups have a path, or what matches a pattern", &cmd_find_program, run};
