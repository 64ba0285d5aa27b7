/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/json.h"
#include "core/num.h"
#include "core/progress.h"
#include "manifest/cmd.h"

static struct cmd_repo_opts repo_opts;
static uint64_t wait_lock;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    CMD_WAIT_LOCK(&wait_lock),
    {0},
};

const struct opt_program cmd_rebuild_program = {
    .name = "manifest rebuild",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...]",
    .description = "Makes the catalog anew from seals and manifests, and puts it in place of the "
		   "old one. Verify's history is kept where it can be read.",
    .opts = options,
    .siblings = cmd_programs,
};

static void
print(struct cmd_repo *r, bool json)
{
	struct stat st = {0};
	char human[16];
	uint64_t n = 0;
	struct json j;

	for (size_t i = 0; i < r->list.n; i++)
		n += repo_counts(&r->list.backups[i], NULL, true);
	(void)fstatat(repo_fd(r->repo), REPO_CATALOG, &st, 0);
	num_human((uint64_t)st.st_size, human);
	if (!json) {
		printf("%s: %" PRIu64 " backup%s, %s\n", REPO_CATALOG, n, n == 1 ? "" : "s", human);
		return;
	}
	cmd_json_begin(&j, "rebuild");
	json_uint(&j, "backups", n);
	json_uint(&j, "size", (uint64_t)st.st_size);
	json_end(&j);
}

static int
rebuild(struct cmd_repo *r, int progress, struct err *e)
{
	uint64_t total = 0;
	int rc;

	for (size_t i = 0; i < r->list.n; i++)
		if (repo_counts(&r->list.backups[i], NULL, true))
			total += r->list.backups[i].seal.manifest_size;
	if (progress_start((enum progress_mode)progress, "rebuild", e) != 0)
		return -1;
	progress_total(total);
	rc = catalog_rebuild(r->repo, &r->list, e);
	progress_stop();
	return rc == 0 ? 0 : err_where(e, "%s", r->opts->repo);
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct cmd_repo r = {0};

	(void)args;
	if (cmd_repo_open(&r, &repo_opts, e) == 0 && repo_lock(r.repo, wait_lock, e) == 0) {
		cmd_repo_for_queries(&r);
		if (rebuild(&r, common->progress, e) == 0)
			print(&r, common->json);
	}
	cmd_repo_done(&r);
	return CLI_OK;
}

const struct cmd cmd_rebuild = {
    "rebuild", "make the catalog anew from the manifests", &cmd_rebuild_program, run};
