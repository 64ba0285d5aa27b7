/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "catalog/catalog.h"
#include "core/clock.h"
#include "core/err.h"
#include "manifest/cmd.h"
#include "manifest/stats.h"

static struct cmd_repo_opts repo_opts;
static uint64_t opt_top = 10;
static bool opt_no_catalog;

static const struct opt options[] = {
    CMD_REPO_OPTS(&repo_opts),
    {"top", 'n', OPT_UINT, "N", "how many of the largest and most changed files (10)", &opt_top,
	NULL, 0, 1000000, NULL},
    CMD_NO_CATALOG(&opt_no_catalog),
    {0},
};

const struct opt_program cmd_stats_program = {
    .name = "manifest stats",
    .synopsis = "--repo DIR [--trust FILE] [OPTION...]",
    .description =
	"Tells of each series how many backups there are, what they take, how they grow, how much "
	"of them is the same, and which files are largest or changed most; and when the volume "
	"will be full if it goes on like that.",
    .opts = options,
    .siblings = cmd_programs,
};

/* Archives that nobody has sealed take space, too. */
static uint64_t
unsealed_bytes(const struct cmd_repo *r)
{
	uint64_t sum = 0, size;

	for (size_t i = 0; i < r->list.n_unsealed; i++)
		if (repo_stat_part(r->repo, REPO_ARCHIVE, r->list.unsealed[i], &size, NULL) == 0)
			sum += size;
	return sum;
}

static uint64_t
catalog_bytes(const struct cmd_repo *r)
{
	struct stat st;

	return fstatat(repo_fd(r->repo), REPO_CATALOG, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISREG(st.st_mode)
	    ? (uint64_t)st.st_size
	    : 0;
}

/* Those of the series that are asked for; the volume fills with all of them. */
static void
add_series(struct stats *s, const struct growth *g)
{
	const char *only = s->r->opts->series;

	s->rest_bytes += g->rest_bytes;
	if (g->newest == NULL || (only != NULL && strcmp(only, g->series) != 0))
		return;
	s->series[s->n++] = *g;
	s->backups += g->backups;
	s->archive_bytes += g->archive_bytes;
	s->manifest_bytes += g->manifest_bytes;
}

static int
gather(struct stats *s, struct err *e)
{
	const struct repo_list *l = &s->r->list;
	struct growth *all = calloc(l->n + 1, sizeof(*all));
	size_t n = 0;
	uint64_t inodes;

	s->series = calloc(l->n + 1, sizeof(*s->series));
	if (all == NULL || s->series == NULL) {
		free(all);
		return err_nomem(e);
	}
	for (size_t at = 0; at < l->n; at = all[n].end, n += all[n].newest != NULL) {
		growth_of_series(&all[n], l, at, s->r->trust == NULL);
		add_series(s, &all[n]);
	}
	s->unsealed_bytes = unsealed_bytes(s->r);
	s->catalog_bytes = catalog_bytes(s->r);
	if (repo_free_space(s->r->repo, &s->free_bytes, &inodes, e) != 0) {
		free(all);
		return -1;
	}
	s->full_in_days = growth_full_in_days(all, n, s->free_bytes, clock_now().tv_sec);
	free(all);
	return 0;
}

static enum cli_status
run(const struct opt_common *common, const struct opt_list *args, struct err *e)
{
	struct cmd_repo r = {0};
	struct stats s = {.r = &r, .top = opt_top};

	(void)args;
	/* What counts is settled when the catalog was opened. */
	if (cmd_repo_open(&r, &repo_opts, e) == 0 &&
	    cmd_repo_catalog(&r, NULL, opt_no_catalog, &s.c, e) == 0 && gather(&s, e) == 0) {
		if (s.n == 0 && repo_opts.series != NULL)
			(void)cmd_repo_none(&r, e);
		else
			(void)(common->json ? stats_json(&s, e) : stats_text(&s, e));
	}
	free(s.series);
	catalog_close(s.c);
	cmd_repo_done(&r);
	return CLI_OK;
}

const struct cmd cmd_stats = {
    "stats", "sizes, growth, and what changes most", &cmd_stats_program, run};
