/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
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
#include "manifest/newest.h"
#include "manifest/table.h"
#include "manifest/version.h"

static struct cmd_repo_opts repo_opts;
static struct cmd_pick_opts pick_opts;
static const char *opt_name, *opt_sha256;
static bool opt_all, opt_null, opt_no_catalog;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    CMD_PICK_OPTS(&pick_opts),
    {"name", 'n', OPT_STRING, "GLOB", "only what has such a name, in whatever directory", &opt_name,
	NULL, 0, 0, NULL},
    {"sha256", 0, OPT_STRING, "HEX", "only files with this content (8 digits or more)", &opt_sha256,
	NULL, 0, 0, NULL},
    {"all", 'a', OPT_FLAG, NULL, "each version, not only the newest that there is of a path",
	&opt_all, NULL, 0, 0, NULL},
    {"null", '0', OPT_FLAG, NULL, "only paths, as they are, each once and ended by a NUL",
	&opt_null, NULL, 0, 0, NULL},
    CMD_NO_CATALOG(&opt_no_catalog),
    {0},
};

const struct opt_program cmd_find_program = {
    .name = "manifest find",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...] [PATTERN]",
    .description = "Finds paths in all backups, or in one, and tells of each the newest version "
		   "that there is, "
		   "which backups have that, and how many versions there are. A PATTERN without a "
		   "slash is matched against names, one with a slash against whole paths; "
		   "* ? [set] stop at slashes, ** does not.",
    .opts = options,
    .max_args = 1,
    .args_name = "PATTERN",
    .siblings = cmd_programs,
};

static const struct table_column columns[] = {
    {.title = "SIZE", .right = true},
    {.title = "MODIFIED", .drop = 1},
    {.title = "VERSIONS", .right = true, .drop = 3},
    {.title = "BACKUPS", .right = true, .drop = 4},
    {.title = "FIRST", .drop = 2},
    {.title = "LAST", .drop = 5},
    {.title = "PATH", .elastic = true},
};

#define VERSIONS_COLUMN 2
#define SHA256_DIGITS_MIN 8

struct finding {
	const char *pattern; /* as typed; NULL: none */
	char hex[SHA256_HEX_LEN + 1]; /* lower case; "": not asked for */
	struct json *json; /* NULL: not asked for */
	struct table *table;
	struct newest newest;
	uint64_t n;
};

/* ---- what is printed ---- */

static void
put_row(struct table *t, const struct catalog_version *v, uint64_t versions)
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
	table_printf(t, "%" PRIu64, versions);
	table_printf(t, "%" PRIu64, v->backups);
	table_cell(t, v->first_name);
	table_cell(t, v->last_name);
	version_put_path(&path, v);
	table_cell(t, buf_str(&path));
	buf_done(&path);
}

static void
put_json(struct json *j, const struct catalog_version *v, uint64_t versions)
{
	json_object(j, NULL);
	version_json_span(j, v);
	json_uint(j, "versions_found", versions);
	json_end(j);
}

static int
put(void *ctx, const struct catalog_version *v, uint64_t versions, struct err *e)
{
	struct finding *f = ctx;

	(void)e;
	f->n++;
	if (f->json != NULL)
		put_json(f->json, v, versions);
	else if (f->table != NULL)
		put_row(f->table, v, versions);
	else {
		(void)fwrite(v->path, 1, v->path_len, stdout);
		(void)fputc('\0', stdout);
	}
	return ferror(stdout) != 0;
}

/* ---- what is wanted ---- */

static bool
has_name(const struct catalog_version *v)
{
	const char *slash = memrchr(v->path, '/', v->path_len);
	const char *base = slash != NULL ? slash + 1 : v->path;

	return path_glob(
	    opt_name, base, v->path_len - (size_t)(base - v->path), v->type == ENTRY_DIR);
}

static bool
has_content(const struct catalog_version *v, const char *hex)
{
	char own[SHA256_HEX_LEN + 1];

	if (!v->has_sha256)
		return false;
	sha256_hex(v->sha256, own);
	return strncmp(own, hex, strlen(hex)) == 0;
}

static int
take(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct finding *f = ctx;

	if ((opt_name != NULL && !has_name(v)) || (f->hex[0] != '\0' && !has_content(v, f->hex)))
		return 0;
	/* With --null each path comes once in any case. */
	if (opt_all && !opt_null)
		return put(f, v, 1, e);
	return newest_add(&f->newest, v, e);
}

static int
query(struct catalog *c, const struct catalog_query *q, struct finding *f, struct err *e)
{
	int rc;

	f->newest.fn = put;
	f->newest.ctx = f;
	rc = catalog_query(c, q, take, f, e);
	if (rc == 0 && newest_finish(&f->newest, e) < 0)
		rc = -1;
	newest_done(&f->newest);
	return rc;
}

static int
print_json(struct catalog *c, const struct catalog_query *q, struct finding *f, struct err *e)
{
	struct json j;
	int rc;

	cmd_json_begin(&j, "find");
	if (f->pattern != NULL)
		json_path(&j, "pattern", f->pattern, strlen(f->pattern));
	else
		json_str(&j, "pattern", NULL);
	if (opt_name != NULL)
		json_path(&j, "name", opt_name, strlen(opt_name));
	else
		json_str(&j, "name", NULL);
	json_str(&j, "sha256", f->hex[0] != '\0' ? f->hex : NULL);
	json_bool(&j, "all", opt_all);
	json_array(&j, "versions");
	f->json = &j;
	rc = query(c, q, f, e);
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
	t.hidden[VERSIONS_COLUMN] = opt_all;
	f->table = &t;
	rc = query(c, q, f, e);
	if (f->n == 0)
		t.titled = true; /* no title over nothing */
	if (table_done(&t, rc == 0 ? e : NULL) != 0)
		rc = -1;
	return rc;
}

/* ---- the question ---- */

/* A component ".." is in no path. */
static bool
goes_up(const char *glob)
{
	for (const char *at = glob; at != NULL; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
			return true;
	}
	return false;
}

/*
 * What was typed as a query: a whole path needs no walk through all of them.  path holds it.
 */
static int
make_query(const char *typed, struct buf *path, struct catalog_query *q, struct err *e)
{
	if (typed == NULL) {
		q->glob = opt_name != NULL ? opt_name : ""; /* "": all */
		return 0;
	}
	if (path_has_glob(typed) || strchr(typed, '/') == NULL) {
		if (strncmp(typed, "./", 2) == 0)
			typed++; /* "/..." is anchored too */
		q->glob = typed;
		if (typed[0] == '\0')
			return err_set(e, ERR_USAGE, "the pattern is empty");
		return goes_up(typed)
		    ? err_set(e, ERR_USAGE, "a pattern with '..' in it: '%s'", typed)
		    : 0;
	}
	if (path_clean(path, typed, e) != 0)
		return -1;
	q->path = buf_str(path);
	return 0;
}

static int
check_name(struct err *e)
{
	const char *slash = opt_name != NULL ? strchr(opt_name, '/') : NULL;

	/* A last one asks for directories. */
	if (slash != NULL && (slash[1] != '\0' || slash == opt_name))
		return err_set(e, ERR_USAGE, "--name %s: no name has a '/' in it", opt_name);
	return 0;
}

static int
take_sha256(struct finding *f, struct err *e)
{
	size_t len = opt_sha256 != NULL ? strlen(opt_sha256) : 0;

	if (opt_sha256 == NULL)
		return 0;
	if (len < SHA256_DIGITS_MIN || len > SHA256_HEX_LEN ||
	    strspn(opt_sha256, "0123456789abcdefABCDEF") != len)
		return err_set(e, ERR_USAGE, "--sha256 %s: is not %d to %d hex digits", opt_sha256,
		    SHA256_DIGITS_MIN, SHA256_HEX_LEN);
	for (size_t i = 0; i < len; i++)
		f->hex[i] = (char)tolower((unsigned char)opt_sha256[i]);
	return 0;
}

static int
understand(struct finding *f, struct buf *path, struct catalog_query *q, struct err *e)
{
	if (f->pattern == NULL && opt_name == NULL && opt_sha256 == NULL)
		return err_set(e, ERR_USAGE, "find what? (a PATTERN, --name, or --sha256)");
	if (check_name(e) != 0 || take_sha256(f, e) != 0)
		return -1;
	return make_query(f->pattern, path, q, e);
}

static int
find(struct catalog *c, const struct catalog_query *q, const struct repo_backup *b,
    struct finding *f, bool json, struct err *e)
{
	const char *where = b != NULL ? b->name : "any backup";
	int rc;

	if (json)
		rc = print_json(c, q, f, e);
	else if (opt_null)
		rc = query(c, q, f, e);
	else
		rc = print_table(c, q, f, e);
	if (rc != 0 || f->n > 0)
		return rc;
	if (f->pattern == NULL || opt_name != NULL || opt_sha256 != NULL)
		return err_set(e, ERR_NOTFOUND, "nothing like that is in %s", where);
	return err_set(e, ERR_NOTFOUND, "%s: no such path in %s", f->pattern, where);
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct catalog_query q = {.series = repo_opts.series};
	struct finding f = {.pattern = args->n > 0 ? args->items[0] : NULL};
	struct cmd_repo r = {0};
	struct catalog *c = NULL;
	const struct repo_backup *b;
	struct buf path = {0};

	if (understand(&f, &path, &q, e) == 0 && cmd_repo_open(&r, &repo_opts, e) == 0 &&
	    cmd_repo_some(&r, e) == 0 && cmd_repo_pick(&r, &pick_opts, false, &b, e) == 0 &&
	    cmd_repo_catalog(&r, b, opt_no_catalog, &c, e) == 0) {
		if (b != NULL) {
			q.series = b->seal.series;
			q.sequence = b->seal.sequence;
		}
		(void)find(c, &q, b, &f, common->json, e);
	}
	catalog_close(c);
	cmd_repo_done(&r);
	buf_done(&path);
	return CLI_OK;
}

const struct cmd cmd_find = {
    "find", "which backups have a path, or what matches a pattern", &cmd_find_program, run};
