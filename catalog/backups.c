/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/backups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/err.h"

static int
load_row(struct catalog_backup *b, sqlite3_stmt *st, struct err *e)
{
	const char *name = (const char *)sqlite3_column_text(st, 2);
	const char *series = (const char *)sqlite3_column_text(st, 5);

	if (name == NULL || !seal_name_ok(name) || series == NULL || !seal_name_ok(series))
		return catalog_db_damaged(e, "a backup's name has the wrong form");
	if (sqlite3_column_int64(st, 1) < 1)
		return catalog_db_damaged(e, "a backup's sequence has the wrong form");
	memset(b, 0, sizeof(*b));
	b->series = sqlite3_column_int64(st, 0);
	b->sequence = (uint64_t)sqlite3_column_int64(st, 1);
	(void)snprintf(b->name, sizeof(b->name), "%s", name);
	(void)snprintf(b->series_name, sizeof(b->series_name), "%s", series);
	b->readable = sqlite3_column_int(st, 4) != 0;
	return catalog_db_digest(st, 3, b->digest, e);
}

static int
compare(const struct catalog_backup *a, const struct catalog_backup *b)
{
	int order = strcmp(a->series_name, b->series_name);

	if (order == 0)
		order = (a->sequence > b->sequence) - (a->sequence < b->sequence);
	return order;
}

static int
load_rows(struct catalog *c, sqlite3_stmt *st, struct err *e)
{
	struct catalog_backup *b;
	size_t cap = 0;
	int rc;

	while ((rc = catalog_db_step(c, st, e)) == 1) {
		if (c->n_backups == cap) {
			void *p = reallocarray(c->backups, cap += 64, sizeof(*c->backups));

			if (p == NULL)
				return err_nomem(e);
			c->backups = p;
		}
		b = &c->backups[c->n_backups];
		if (load_row(b, st, e) != 0)
			return -1;
		/* Ascending, or the file repeats its pages, and would fill the memory too. */
		if (c->n_backups > 0 && compare(b - 1, b) >= 0)
			return catalog_db_damaged(e, "backups out of order");
		c->n_backups++;
	}
	return rc;
}

int
catalog_backups_load(struct catalog *c, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (c->loaded)
		return 0;
	catalog_backups_unload(c);
	catalog_db_guard(c);
	/* First the number: what is committed in between then counts as a change. */
	if (catalog_db_int(c, "PRAGMA data_version", &c->data_version, e) < 0)
		return -1;
	rc = catalog_db_prepare(c,
	    "SELECT b.series, b.sequence, b.name, b.digest, b.readable, s.name"
	    " FROM series s CROSS JOIN backup b ON b.series = s.id ORDER BY s.name, b.sequence",
	    &st, e);
	if (rc == 0)
		rc = load_rows(c, st, e);
	(void)sqlite3_finalize(st);
	c->loaded = rc == 0;
	return rc;
}

void
catalog_backups_unload(struct catalog *c)
{
	free(c->backups);
	c->backups = NULL;
	c->n_backups = 0;
	c->loaded = false;
}

/* Both lists are in order. */
static void
carry_over(struct catalog *c, const struct catalog_backup *old, size_t n)
{
	for (size_t i = 0, k = 0; i < c->n_backups; i++) {
		struct catalog_backup *b = &c->backups[i];

		while (k < n && compare(&old[k], b) < 0)
			k++;
		if (k < n && compare(&old[k], b) == 0 && strcmp(old[k].name, b->name) == 0) {
			b->excluded = old[k].excluded;
			b->warned = old[k].warned;
		} else
			b->excluded = true;
	}
}

int
catalog_backups_refresh(struct catalog *c, struct err *e)
{
	struct catalog_backup *old = c->backups;
	size_t n = c->n_backups;
	int64_t version = 0;
	int rc;

	if (!c->loaded)
		return catalog_backups_load(c, e) == 0 ? 1 : -1;
	if (catalog_db_int(c, "PRAGMA data_version", &version, e) < 0)
		return -1;
	if (version == c->data_version)
		return 0;
	c->backups = NULL;
	catalog_backups_unload(c);
	rc = catalog_backups_load(c, e);
	if (rc == 0)
		carry_over(c, old, n);
	free(old);
	return rc == 0 ? 1 : -1;
}

static struct catalog_backup *
find(struct catalog *c, const char *name)
{
	for (size_t i = 0; i < c->n_backups; i++)
		if (strcmp(c->backups[i].name, name) == 0)
			return &c->backups[i];
	return NULL;
}

const struct catalog_backup *
catalog_backups_need(struct catalog *c, const char *name, struct err *e)
{
	const struct catalog_backup *b;

	if (catalog_backups_load(c, e) != 0)
		return NULL;
	b = find(c, name);
	if (b == NULL)
		(void)err_set(e, ERR_NOTFOUND, "%s: is not in the catalog", name);
	return b;
}

int
catalog_exclude(struct catalog *c, const char *name, struct err *e)
{
	struct catalog_backup *b;

	if (catalog_backups_load(c, e) != 0)
		return -1;
	b = find(c, name);
	if (b != NULL)
		b->excluded = true;
	return 0;
}
