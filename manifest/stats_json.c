/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/json.h"
#include "manifest/cmd.h"
#include "manifest/stats.h"
#include "manifest/version.h"

static void
put_members(struct json *j, const struct catalog_stats *c)
{
	json_object(j, "members");
	json_uint(j, "count", c->members);
	json_uint(j, "bytes", c->packed);
	json_uint(j, "distinct_count", c->distinct_members);
	json_uint(j, "distinct_bytes", c->distinct_packed);
	json_end(j);
}

static void
put_growth(struct json *j, const struct growth *g)
{
	if (!g->has_growth) {
		json_str(j, "growth", NULL);
		return;
	}
	json_object(j, "growth");
	json_int(j, "content_last", g->content_last);
	json_int(j, "content_average", g->content_average);
	json_int(j, "archive_last", g->archive_last);
	json_int(j, "archive_average", g->archive_average);
	if (g->per_day > 0)
		json_uint(j, "interval_seconds", (uint64_t)(86400 / g->per_day + 0.5));
	else
		json_str(j, "interval_seconds", NULL);
	json_end(j);
}

/* The catalog's figures of one backup; NULL when it has none. */
static const struct catalog_backup_stats *
figures(const struct catalog_stats *c, const struct repo_backup *b)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->backups[i].name, b->name) == 0)
			return &c->backups[i];
	return NULL;
}

static void
put_backup(struct json *j, const struct repo_backup *b, const struct catalog_backup_stats *f)
{
	const struct seal *s = &b->seal;

	json_object(j, NULL);
	json_str(j, "name", b->name);
	json_uint(j, "sequence", s->sequence);
	cmd_json_time(j, "created", s->created.tv_sec, (uint32_t)s->created.tv_nsec);
	json_bool(j, "complete", s->unreadable == 0);
	json_uint(j, "entries", s->entries);
	json_uint(j, "bytes", s->bytes);
	json_uint(j, "archive_size", s->archive_size);
	json_uint(j, "manifest_size", s->manifest_size);
	json_bool(j, "readable", f != NULL && f->readable);
	if (f != NULL && f->readable) {
		json_uint(j, "members", f->members);
		json_uint(j, "new_members", f->new_members);
		json_uint(j, "new_bytes", f->new_packed);
		json_uint(j, "own_members", f->own_members);
		json_uint(j, "own_bytes", f->own_packed);
	}
	json_end(j);
}

static int
put_largest(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct json *j = ctx;

	(void)e;
	json_object(j, NULL);
	version_json(j, v);
	json_end(j);
	return ferror(stdout) != 0;
}

static int
put_changes(void *ctx, const struct catalog_changes *p, struct err *e)
{
	struct json *j = ctx;

	(void)e;
	json_object(j, NULL);
	cmd_json_path(j, "path", p->path, p->path_len);
	json_uint(j, "versions", p->versions);
	json_uint(j, "contents", p->contents);
	json_uint(j, "bytes", p->bytes);
	json_uint(j, "size", p->size);
	json_bool(j, "current", p->is_current);
	json_end(j);
	return ferror(stdout) != 0;
}

static int
put_top(struct json *j, const struct stats *s, const char *series, struct err *e)
{
	int rc = 0;

	json_array(j, "largest");
	if (s->top > 0)
		rc = catalog_stats_largest(s->c, series, (size_t)s->top, put_largest, j, e);
	json_end(j);
	json_array(j, "most_changed");
	if (s->top > 0 && rc == 0)
		rc = catalog_stats_most_changed(s->c, series, (size_t)s->top, put_changes, j, e);
	json_end(j);
	return rc;
}

static int
put_series(struct json *j, const struct stats *s, const struct growth *g, struct err *e)
{
	struct catalog_stats c = {0};
	int rc;

	if (catalog_stats_totals(s->c, g->series, &c, e) != 0)
		return -1;
	json_object(j, NULL);
	json_str(j, "name", g->series);
	json_uint(j, "count", g->backups);
	json_uint(j, "incomplete", g->incomplete);
	json_uint(j, "archive_bytes", g->archive_bytes);
	json_uint(j, "manifest_bytes", g->manifest_bytes);
	json_str(j, "policy", g->newest->seal.policy);
	if (g->keep_max > 0)
		json_uint(j, "keeps_at_most", g->keep_max);
	else
		json_str(j, "keeps_at_most", NULL);
	put_growth(j, g);
	put_members(j, &c);
	json_array(j, "backups");
	for (size_t i = g->first; i < g->end; i++)
		if (repo_counts(&s->r->list.backups[i], NULL, s->r->trust == NULL))
			put_backup(j, &s->r->list.backups[i], figures(&c, &s->r->list.backups[i]));
	json_end(j);
	rc = put_top(j, s, g->series, e);
	json_end(j);
	catalog_stats_done(&c);
	return rc;
}

int
stats_json(const struct stats *s, struct err *e)
{
	struct json j;
	int rc = 0;

	cmd_json_begin(&j, "stats");
	json_bool(&j, "authenticated", s->r->trust != NULL);
	json_uint(&j, "count", s->backups);
	json_uint(&j, "archive_bytes", s->archive_bytes);
	json_uint(&j, "manifest_bytes", s->manifest_bytes);
	json_uint(&j, "catalog_bytes", s->catalog_bytes);
	json_uint(&j, "unsealed", s->r->list.n_unsealed);
	json_uint(&j, "unsealed_bytes", s->unsealed_bytes);
	json_uint(&j, "left_out_bytes", s->rest_bytes);
	json_uint(&j, "free_bytes", s->free_bytes);
	if (s->full_in_days >= 0)
		json_int(&j, "full_in_days", s->full_in_days);
	else
		json_str(&j, "full_in_days", NULL);
	json_array(&j, "series");
	for (size_t i = 0; i < s->n && rc == 0; i++)
		rc = put_series(&j, s, &s->series[i], e);
	json_end(&j);
	json_end(&j);
	return rc;
}
