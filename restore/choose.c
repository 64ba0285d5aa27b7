/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/choose.h"

#include <string.h>

#include "core/err.h"
#include "core/stop.h"
#include "restore/load.h"
#include "restore/opts.h"
#include "restore/plan.h"
#include "restore/report.h"
#include "restore/select.h"
#include "store/repo.h"

/* Is what s selects in the backup that l reads?  1, 0, -1. */
static int
has(struct restore_load *l, struct restore_select *s, struct restore_report *r, struct err *e)
{
	const struct restore_plan_opts how = {0};
	struct restore_plan plan;
	int rc = restore_plan_make(&plan, l, s, &how, r, e) == 0 ? plan.entries > 0 : -1;

	restore_plan_done(&plan);
	return rc;
}

/* A backup whose manifest cannot be opened has it, or has it not: nobody knows. */
static int
contains(const struct repo *repo, const struct repo_backup *b, const char *path,
    struct restore_report *r, struct err *e)
{
	const struct opt_list paths = {.items = &path, .n = 1};
	struct restore_select *select = NULL;
	struct restore_load *load = NULL;
	int rc = restore_select_new(&select, &(struct restore_select_opts){.paths = &paths}, e);

	if (rc == 0 && restore_load_open(&load, repo, &b->seal, e) == 0)
		rc = has(load, select, r, e);
	else if (rc == 0 && (restore_load_lost(e) || e->kind == ERR_NOTFOUND)) {
		restore_found(r, path, strlen(path), "it may be in %s, whose manifest is lost: %s",
		    b->name, e->msg);
		err_clear(e);
	} else
		rc = -1;
	restore_load_close(load);
	restore_select_free(select);
	return rc;
}

static int
newest_containing(const struct restore_opts *o, const struct repo *repo,
    const struct repo_list *list, const struct repo_pick *pick, struct restore_report *r,
    const struct repo_backup **out, struct err *e)
{
	const struct timespec *as_of = o->as_of != NULL ? &o->at : NULL;
	const struct repo_backup *b = NULL;
	int rc;

	while ((rc = repo_find_older(list, pick, as_of, b, &b, e)) == 0) {
		if (stop_check(e) != 0)
			return -1;
		if ((rc = contains(repo, b, o->containing, r, e)) != 0)
			break;
	}
	if (rc > 0)
		*out = b;
	if (rc < 0 && e->kind == ERR_NOTFOUND && b != NULL)
		return err_set(e, ERR_NOTFOUND, "no backup%s%s contains %s",
		    as_of != NULL ? " up to " : "", as_of != NULL ? o->as_of : "", o->containing);
	return rc < 0 ? -1 : 0;
}

/* Whoever puts a seal of his own on top must not thereby have an older state restored. */
static int
tell_newest(struct err *e)
{
	const struct err was = *e;

	return err_set(e, was.kind,
	    "%.2000s; it is the newest, and none that is older is taken for it: name one with "
	    "--backup",
	    was.msg);
}

int
choose_backup(const struct restore_opts *o, const struct repo *repo, const struct repo_list *list,
    struct restore_report *r, const struct repo_backup **out, struct err *e)
{
	const struct repo_pick pick = {.series = o->series, .accept_unsigned = o->untrusted};
	const char *which = o->backup == NULL ? "latest" : o->backup;
	int rc;

	if (o->containing != NULL)
		rc = newest_containing(o, repo, list, &pick, r, out, e);
	else if (o->as_of != NULL)
		rc = repo_find_as_of(list, &pick, o->at, out, e);
	else
		rc = repo_find(list, &pick, which, out, e);
	if (rc != 0 && e->kind == ERR_NOTFOUND)
		return err_where(e, "repository %s", o->repo);
	if (rc != 0 && e->kind == ERR_TRUST && strcmp(which, "latest") == 0)
		return tell_newest(e);
	return rc;
}
