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
#include "manifest/version.h"

static struct cmd_repo_opts repo_opts;
static struct cmd_pick_opts pick_opts;
static bool opt_long, opt_recursive, opt_null, opt_no_catalog;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    CMD_PICK_OPTS(&pick_opts),
    {"long", 'l', OPT_FLAG, NULL, "mode, owner, size, time, and links too", &opt_long, NULL, 0, 0,
	NULL},
    {"recursive", 'R', OPT_FLAG, NULL, "directories with all that is in them", &opt_recursive, NULL,
	0, 0, NULL},
    {"null", '0', OPT_FLAG, NULL, "paths as they are, each ended by a NUL", &opt_null, NULL, 0, 0,
	NULL},
    CMD_NO_CATALOG(&opt_no_catalog),
    {0},
};

const struct opt_program cmd_ls_program = {
    .name = "manifest ls",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...] [PATH]",
    .description = "Lists a directory of a backup (the source itself of the latest, by default). "
		   "Paths are those that restore takes.",
    .opts = options,
    .max_args = 1,
    .args_name = "PATH",
    .siblings = cmd_programs,
};

struct listing {
	struct json *json; /* NULL: text */
	uint64_t n;
	bool is_dir; /* what was asked for itself */
};

static void
print_text(const struct catalog_version *v)
{
	struct buf b = {0};

	if (opt_null) {
		(void)fwrite(v->path, 1, v->path_len, stdout);
		(void)fputc('\0', stdout);
		return;
	}
	if (opt_long)
		version_put_long(&b, v);
	version_put_path(&b, v);
	if (opt_long && v->link != NULL) {
		buf_puts(&b, v->type == ENTRY_HARDLINK ? " == " : " -> ");
		path_display(&b, v->link, v->link_len);
	}
	(void)puts(buf_str(&b));
	buf_done(&b);
}

static int
print_one(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct listing *l = ctx;

	(void)e;
	l->n++;
	if (l->json != NULL) {
		json_object(l->json, NULL);
		version_json(l->json, v);
		json_end(l->json);
	} else
		print_text(v);
	return ferror(stdout) != 0; /* cli_exit tells */
}

static int
look(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct listing *l = ctx;

	(void)e;
	l->n++;
	l->is_dir = v->type == ENTRY_DIR;
	return 0;
}

/* What path is in b, and the query that lists it: a directory's children, else itself. */
static int
make_query(struct catalog *c, const struct repo_backup *b, const char *path,
    struct catalog_query *q, struct err *e)
{
	struct listing l = {0};

	*q = (struct catalog_query){
	    .series = b->seal.series, .sequence = b->seal.sequence, .path = path};
	if (catalog_query(c, q, look, &l, e) != 0)
		return -1;
	if (l.n == 0)
		return err_set(e, ERR_NOTFOUND, "%s: no such path in %s%s", path, b->name,
		    path_has_glob(path) ? " (for patterns: manifest find)" : "");
	if (l.is_dir) {
		q->path = NULL;
		q->below = path;
		q->recursive = opt_recursive;
	}
	return 0;
}

static int
print(struct catalog *c, const struct repo_backup *b, const char *path, bool json, struct err *e)
{
	struct listing l = {0};
	struct catalog_query q;
	struct json j;
	int rc;

	if (make_query(c, b, path, &q, e) != 0)
		return -1;
	if (!json)
		return catalog_query(c, &q, print_one, &l, e);
	cmd_json_begin(&j, "ls");
	json_str(&j, "backup", b->name);
	cmd_json_path(&j, "path", path, strlen(path));
	json_array(&j, "entries");
	l.json = &j;
	rc = catalog_query(c, &q, print_one, &l, e);
	json_end(&j);
	json_end(&j);
	return rc;
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct cmd_repo r = {0};
	struct catalog *c = NULL;
	const struct repo_backup *b;
	struct buf path = {0};

	if (path_clean(&path, args->n > 0 ? args->items[0] : "", e) == 0 &&
	    cmd_repo_open(&r, &repo_opts, e) == 0 &&
	    cmd_repo_pick(&r, &pick_opts, true, &b, e) == 0 &&
	    cmd_repo_catalog(&r, opt_no_catalog ? b : NULL, opt_no_catalog, &c, e) == 0)
		(void)print(c, b, buf_str(&path), common->json, e);
	catalog_close(c);
	cmd_repo_done(&r);
	buf_done(&path);
	return CLI_OK;
}

const struct cmd cmd_ls = {"ls", "a directory as it is in a backup", &cmd_ls_program, run};
