/* SPDX-License-Identifier: BSD-2-Clause */
#include "restore/run.h"

#include <errno.h>
#include <stdbool.h>

#include "core/err.h"
#include "restore/drill.h"
#include "restore/into.h"
#include "restore/one.h"
#include "restore/opts.h"
#include "restore/report.h"
#include "restore/status.h"
#include "restore/versions.h"
#include "seal/key.h"
#include "store/repo.h"

struct run {
	const struct restore_opts *o;
	struct repo *repo;
	struct trust *trust; /* NULL: --untrusted without keys */
	struct repo_list list;
	struct restore_one one;
	struct restore_report report;
};

static int
open_repo(struct run *r, struct err *e)
{
	const struct restore_opts *o = r->o;

	if (o->trust != NULL &&
	    (trust_new(&r->trust, e) != 0 || trust_load(r->trust, o->trust, e) != 0))
		return -1;
	if (repo_open(&r->repo, o->repo, e) != 0)
		return -1;
	return repo_list(r->repo, r->trust, &r->list, e);
}

static int
restore_backup(struct run *r, struct err *e)
{
	r->one = (struct restore_one){
	    .o = r->o, .repo = r->repo, .list = &r->list, .report = &r->report};
	if (restore_one_open(&r->one, e) != 0)
		return restore_one_bare(&r->one, e);
	restore_report_begin(&r->report, r->o, r->one.backup);
	return restore_one_run(&r->one, e);
}

static enum cli_status
status_of(const struct run *r)
{
	return restore_report_wrong(&r->report) ? CLI_WRONG : CLI_OK;
}

static enum cli_status
restore(struct run *r, struct err *e)
{
	const struct restore_opts *o = r->o;

	(void)(o->all_versions ? restore_versions(o, r->repo, &r->list, &r->report, e)
			       : restore_backup(r, e));
	restore_report_end(&r->report, cli_exit_status(e, status_of(r)));
	return status_of(r);
}

/* head(1) had enough: that is its own choice, and no news. */
static bool
reader_gone(const struct restore_opts *o, const struct err *e)
{
	return o->to_stdout && e->kind == ERR_SYS && e->sys == EPIPE;
}

/* What was done, into_recover says; a program is told what is left. */
static enum cli_status
recover(const struct restore_opts *o, struct err *e)
{
	if (into_recover(o->target, e) != 0)
		return CLI_FAILED;
	return o->common.json ? status_show(o, e) : CLI_OK;
}

enum cli_status
restore_run(const struct restore_opts *o, struct err *e)
{
	struct run r = {.o = o};
	enum cli_status status;
	bool opened;

	if (o->status)
		return status_show(o, e);
	if (o->recover)
		return recover(o, e);
	restore_report_init(&r.report);
	opened = open_repo(&r, e) == 0;
	if (o->drill)
		status = drill_run(o, opened ? r.repo : NULL, &r.list, &r.report, e);
	else
		status = opened ? restore(&r, e) : CLI_FAILED;
	if (reader_gone(o, e)) {
		err_clear(e);
		status = CLI_FAILED;
	}
	restore_one_done(&r.one);
	restore_report_done(&r.report);
	repo_list_done(&r.list);
	repo_close(r.repo);
	trust_free(r.trust);
	return status;
}
