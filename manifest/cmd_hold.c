/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"
#include "core/path.h"
#include "manifest/cmd.h"

static struct cmd_repo_opts repo_opts;
static const char *reason;
static uint64_t wait_lock;

static const struct opt hold_options[] = {
    CMD_REPO_OPTS(&repo_opts),
    {"reason", 0, OPT_STRING, "TEXT", "why, in a line, for those who come after", &reason, NULL, 0,
	0, NULL},
    CMD_WAIT_LOCK(&wait_lock),
    {0},
};

static const struct opt release_options[] = {
    CMD_REPO_OPTS(&repo_opts),
    CMD_WAIT_LOCK(&wait_lock),
    {0},
};

const struct opt_program cmd_hold_program = {
    .name = "manifest hold",
    .synopsis = "BACKUP... --repo DIR [--trust FILE] [--reason TEXT] [OPTION...]",
    .description = "Puts backups on hold: no pruning removes them until they are released.",
    .opts = hold_options,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .args_name = "BACKUP",
    .siblings = cmd_programs,
};

const struct opt_program cmd_release_program = {
    .name = "manifest release",
    .synopsis = "BACKUP... --repo DIR [--trust FILE] [OPTION...]",
    .description = "Releases backups from hold: retention decides about them again.",
    .opts = release_options,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .args_name = "BACKUP",
    .siblings = cmd_programs,
};

/* What is on hold already keeps its reason, unless there is a new one. */
static int
hold(struct repo *r, const struct repo_backup *b, bool *changed, struct err *e)
{
	*changed = !b->on_hold || reason != NULL;
	if (!*changed)
		return 0;
	return repo_hold(r, b->name, reason != NULL ? reason : "", e);
}

static int
release(struct repo *r, const struct repo_backup *b, bool *changed, struct err *e)
{
	struct err why = {0};

	*changed = b->on_hold && repo_release(r, b->name, &why) == 0;
	if (why.kind != ERR_NONE && why.kind != ERR_NOTFOUND)
		return err_set(e, why.kind, "%s", why.msg);
	return 0; /* released twice, or by somebody else meanwhile */
}

struct mark {
	const char *command;
	int (*set)(struct repo *r, const struct repo_backup *b, bool *changed, struct err *e);
	const char *did, *did_not; /* "NAME: ..." */
};

static const struct mark mark_hold = {"hold", hold, "on hold", "on hold already"};
static const struct mark mark_release = {"release", release, "released", "was not on hold"};

static int
put_json(struct json *j, const struct repo *r, const char *name, bool changed, struct err *e)
{
	struct buf text = {0};
	struct err why = {0};
	int rc = repo_hold_reason(r, name, &text, &why);

	if (rc != 0 && why.kind != ERR_NOTFOUND)
		return err_set(e, why.kind, "%s", why.msg);
	json_object(j, NULL);
	json_str(j, "name", name);
	json_bool(j, "on_hold", rc == 0);
	json_str(j, "reason", rc == 0 && text.len > 0 ? buf_str(&text) : NULL);
	json_bool(j, "changed", changed);
	json_end(j);
	buf_done(&text);
	return 0;
}

static int
set_one(struct cmd_repo *r, const struct mark *m, const struct repo_backup *b, struct json *j,
    struct err *e)
{
	bool changed;

	if (m->set(r->repo, b, &changed, e) != 0)
		return -1;
	if (j != NULL)
		return put_json(j, r->repo, b->name, changed, e);
	printf("%s: %s\n", b->name, changed ? m->did : m->did_not);
	return 0;
}

/* All names are looked up before the first is touched: a mistyped one changes nothing. */
static int
set_all(struct cmd_repo *r, const struct mark *m, const struct opt_list *args, struct json *j,
    struct err *e)
{
	const struct repo_backup *b;
	int rc = 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; rc == 0 && i < args->n; i++) {
			const struct cmd_pick_opts pick = {.backup = args->items[i]};

			rc = cmd_repo_pick(r, &pick, true, &b, e);
			if (rc == 0 && pass == 1)
				rc = set_one(r, m, b, j, e);
		}
	return rc;
}

/* What was listed before the lock was there may be otherwise by now. */
static int
open_repo(struct cmd_repo *r, struct err *e)
{
	if (cmd_repo_open(r, &repo_opts, e) != 0 || repo_lock(r->repo, wait_lock, e) != 0)
		return -1;
	repo_list_done(&r->list);
	return repo_list(r->repo, r->trust, &r->list, e);
}

static enum cli_status
run(const struct mark *m, const struct opt_common *common, const struct opt_list *args,
    struct err *e)
{
	struct cmd_repo r = {0};
	struct json j;

	if (open_repo(&r, e) != 0)
		goto out;
	if (common->json) {
		cmd_json_begin(&j, m->command);
		json_array(&j, "backups");
	}
	(void)set_all(&r, m, args, common->json ? &j : NULL, e);
	if (common->json) {
		json_end(&j);
		json_end(&j);
	}
out:
	cmd_repo_done(&r);
	return CLI_OK;
}

static enum cli_status
run_hold(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	return run(&mark_hold, common, args, e);
}

static enum cli_status
run_release(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	return run(&mark_release, common, args, e);
}

const struct cmd cmd_hold = {
    "hold", "keep a backup whatever retention says", &cmd_hold_program, run_hold};
const struct cmd cmd_release = {
    "release", "take a backup's hold away", &cmd_release_program, run_release};
