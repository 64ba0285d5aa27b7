/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/clock.h"
#include "core/err.h"
#include "core/num.h"
#include "core/path.h"
#include "manifest/cmd.h"
#include "manifest/stats.h"
#include "manifest/table.h"
#include "manifest/version.h"

/* ---- lines ---- */

static const char *
human(uint64_t bytes)
{
	static char texts[8][16];
	static unsigned at;
	char *text = texts[at++ % 8];

	num_human(bytes, text);
	return text;
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void
put_repository(const struct stats *s)
{
	struct buf dir = {0};

	path_display(&dir, repo_dir(s->r->repo), strlen(repo_dir(s->r->repo)));
	printf("repository  %s\n", buf_str(&dir));
	buf_done(&dir);
	printf("backups     %" PRIu64 ", %s; the catalog %s\n", s->backups,
	    human(s->archive_bytes + s->manifest_bytes), human(s->catalog_bytes));
	if (s->r->list.n_unsealed > 0)
		printf("unsealed    %zu archive%s, %s\n", s->r->list.n_unsealed,
		    plural(s->r->list.n_unsealed), human(s->unsealed_bytes));
	if (s->rest_bytes > 0)
		printf("left out    %s, not signed by a trusted key\n", human(s->rest_bytes));
	printf("free        %s", human(s->free_bytes));
	if (s->full_in_days >= 0)
		printf("; full in about %" PRId64 " day%s, if it goes on as it did",
		    s->full_in_days, plural((uint64_t)s->full_in_days));
	printf("\n");
}

static void
put_growth(const struct growth *g)
{
	struct buf b = {0};

	if (!g->has_growth)
		return;
	buf_puts(&b, "growth      content ");
	growth_put(&b, g->content_last);
	buf_puts(&b, ", archive ");
	growth_put(&b, g->archive_last);
	buf_puts(&b, " since the backup before\n            content ");
	growth_put(&b, g->content_average);
	buf_puts(&b, ", archive ");
	growth_put(&b, g->archive_average);
	buf_puts(&b, " on average");
	printf("%s\n", buf_str(&b));
	buf_done(&b);
}

static void
put_times(const struct growth *g)
{
	char text[64];

	clock_table(g->oldest->seal.created.tv_sec, text);
	printf("from        %s\n", text);
	clock_table(g->newest->seal.created.tv_sec, text);
	printf("to          %s", text);
	if (g->per_day > 0)
		printf(", %.1f a day", g->per_day);
	printf("\n");
}

static void
put_series(const struct growth *g, const struct catalog_stats *c)
{
	const struct seal *s = &g->newest->seal;

	printf("\nseries      %s\n", g->series);
	printf("backups     %" PRIu64, g->backups);
	if (g->incomplete > 0)
		printf(", %" PRIu64 " of them incomplete", g->incomplete);
	printf("; archives %s, manifests %s\n", human(g->archive_bytes), human(g->manifest_bytes));
	put_times(g);
	printf("newest      %s in %" PRIu64 " entries, archive %s\n", human(s->bytes), s->entries,
	    human(s->archive_size));
	put_growth(g);
	if (s->policy != NULL)
		printf("policy      %s\n", s->policy);
	printf("members     %" PRIu64 " (%" PRIu64 " different): %s, or %s were each stored once\n",
	    c->members, c->distinct_members, human(c->packed), human(c->distinct_packed));
}

/* ---- tables ---- */

static const struct table_column nights[] = {
    {.title = "BACKUP", .elastic = true},
    {.title = "ENTRIES", .right = true, .drop = 2},
    {.title = "CONTENT", .right = true},
    {.title = "GROWTH", .right = true},
    {.title = "ARCHIVE", .right = true},
    {.title = "NEW", .right = true},
    {.title = "ONLY HERE", .right = true, .drop = 1},
};

static void
put_shared(struct table *t, const struct catalog_stats *c, const struct repo_backup *b)
{
	const struct catalog_backup_stats *f = NULL;

	for (size_t i = 0; i < c->n && f == NULL; i++)
		if (strcmp(c->backups[i].name, b->name) == 0)
			f = &c->backups[i];
	if (f != NULL && f->readable) {
		table_cell(t, human(f->new_packed));
		table_cell(t, human(f->own_packed));
	} else {
		table_cell(t, "?");
		table_cell(t, "?");
	}
}

static int
put_nights(
    const struct stats *s, const struct growth *g, const struct catalog_stats *c, struct err *e)
{
	const struct repo_backup *before = NULL;
	struct buf text = {0};
	struct table t;

	(void)putchar('\n');
	table_init(&t, stdout, nights, sizeof(nights) / sizeof(nights[0]));
	for (size_t i = g->first; i < g->end; i++) {
		const struct repo_backup *b = &s->r->list.backups[i];

		if (!repo_counts(b, NULL, s->r->trust == NULL))
			continue;
		buf_clear(&text);
		if (before != NULL)
			growth_put(&text, (int64_t)b->seal.bytes - (int64_t)before->seal.bytes);
		table_cell(&t, b->name);
		table_printf(&t, "%" PRIu64, b->seal.entries);
		table_cell(&t, human(b->seal.bytes));
		table_cell(&t, before != NULL ? buf_str(&text) : "-");
		table_cell(&t, human(b->seal.archive_size));
		put_shared(&t, c, b);
		before = b;
	}
	buf_done(&text);
	return table_done(&t, e);
}

static const struct table_column sizes[] = {
    {.title = "SIZE", .right = true},
    {.title = "MODIFIED", .drop = 1},
    {.title = "LARGEST FILES", .elastic = true},
};

static int
put_largest(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct table *t = ctx;
	char text[64];

	(void)e;
	table_cell(t, human(v->size));
	clock_table((time_t)v->mtime_sec, text);
	table_cell(t, text);
	table_path(t, v->path, v->path_len);
	return ferror(stdout) != 0;
}

static const struct table_column changes[] = {
    {.title = "CONTENTS", .right = true},
    {.title = "VERSIONS", .right = true, .drop = 1},
    {.title = "BYTES", .right = true},
    {.title = "MOST CHANGED FILES", .elastic = true},
};

static int
put_changed(void *ctx, const struct catalog_changes *p, struct err *e)
{
	struct table *t = ctx;

	(void)e;
	table_printf(t, "%" PRIu64, p->contents);
	table_printf(t, "%" PRIu64, p->versions);
	table_cell(t, human(p->bytes));
	table_path(t, p->path, p->path_len);
	return ferror(stdout) != 0;
}

static int
put_top(const struct stats *s, const char *series, struct err *e)
{
	struct table t;
	int rc;

	(void)putchar('\n');
	table_init(&t, stdout, sizes, sizeof(sizes) / sizeof(sizes[0]));
	rc = catalog_stats_largest(s->c, series, (size_t)s->top, put_largest, &t, e);
	if (table_done(&t, rc == 0 ? e : NULL) != 0 || rc != 0)
		return -1;
	(void)putchar('\n');
	table_init(&t, stdout, changes, sizeof(changes) / sizeof(changes[0]));
	rc = catalog_stats_most_changed(s->c, series, (size_t)s->top, put_changed, &t, e);
	if (t.n_cells == 0 && !t.titled) {
		t.titled = true; /* no title over nothing */
		if (rc == 0)
			printf("no file has changed\n");
	}
	return table_done(&t, rc == 0 ? e : NULL) != 0 || rc != 0 ? -1 : 0;
}

int
stats_text(const struct stats *s, struct err *e)
{
	int rc = 0;

	put_repository(s);
	for (size_t i = 0; i < s->n && rc == 0; i++) {
		const struct growth *g = &s->series[i];
		struct catalog_stats c = {0};

		if (catalog_stats_totals(s->c, g->series, &c, e) != 0)
			return -1;
		put_series(g, &c);
		rc = put_nights(s, g, &c, e);
		if (rc == 0 && s->top > 0)
			rc = put_top(s, g->series, e);
		catalog_stats_done(&c);
	}
	return rc;
}
