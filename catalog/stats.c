/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "catalog/backups.h"
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/err.h"
#include "core/stop.h"

/*
 * Members in order of their digest, out of the index alone: those that are the same come one
 * after the other, so one pass tells which backups share what, and memory is a few numbers for
 * each backup.
 */
struct tally {
	struct catalog *c;
	struct catalog_stats *s;
	/* By number, as the rows have it: which backup is that?  NONE: of another series. */
	struct holder {
		int64_t series, sequence;
		size_t backup; /* in s->backups */
		size_t before; /* the readable one before it in its series; NONE */
	} * holders;
	size_t n_holders;
	/* The members that are the same, so far. */
	uint8_t digest[SHA256_LEN];
	bool any;
	size_t last; /* who had the last one */
	bool shared, last_is_new;
	uint64_t members, packed; /* of the only one who has it */
};
#define NONE SIZE_MAX

static int
by_number(const void *pa, const void *pb)
{
	const struct holder *a = pa, *b = pb;

	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static void
add_holder(struct tally *t, const struct catalog_backup *b, size_t *before)
{
	struct catalog_stats *s = t->s;

	memcpy(s->backups[s->n].series, b->series_name, sizeof(b->series_name));
	memcpy(s->backups[s->n].name, b->name, sizeof(b->name));
	s->backups[s->n].sequence = b->sequence;
	s->backups[s->n].readable = b->readable;
	if (b->readable) {
		t->holders[t->n_holders++] = (struct holder){.series = b->series,
		    .sequence = (int64_t)b->sequence,
		    .backup = s->n,
		    .before = *before};
		*before = s->n;
	}
	s->n++;
}

static int
find_holders(struct tally *t, const char *series, struct err *e)
{
	const struct catalog *c = t->c;
	size_t before = NONE;

	t->s->backups = calloc(c->n_backups + 1, sizeof(*t->s->backups));
	t->holders = calloc(c->n_backups + 1, sizeof(*t->holders));
	if (t->s->backups == NULL || t->holders == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < c->n_backups; i++) {
		const struct catalog_backup *b = &c->backups[i];

		if (i > 0 && b->series != b[-1].series)
			before = NONE;
		if (!b->excluded && (series == NULL || strcmp(series, b->series_name) == 0))
			add_holder(t, b, &before);
	}
	qsort(t->holders, t->n_holders, sizeof(*t->holders), by_number);
	return 0;
}

/* What only one backup has is known when the next digest comes. */
static void
end_group(struct tally *t)
{
	if (t->any && !t->shared) {
		t->s->backups[t->last].own_members += t->members;
		t->s->backups[t->last].own_packed += t->packed;
	}
	t->any = false;
}

static void
begin_group(struct tally *t, const uint8_t digest[SHA256_LEN], uint64_t packed)
{
	t->any = true;
	memcpy(t->digest, digest, SHA256_LEN);
	t->last = NONE;
	t->shared = false;
	t->members = t->packed = 0;
	t->s->distinct_members++;
	t->s->distinct_packed += packed;
}

/* Rows of one digest come by series and sequence. */
static void
add_member(struct tally *t, const struct holder *h, uint64_t packed)
{
	struct catalog_backup_stats *b = &t->s->backups[h->backup];

	if (t->last != h->backup) {
		t->last_is_new = t->last == NONE || t->last != h->before;
		t->shared = t->last != NONE;
		t->last = h->backup;
	}
	t->s->members++;
	t->s->packed += packed;
	b->members++;
	b->packed += packed;
	b->new_members += t->last_is_new;
	b->new_packed += t->last_is_new ? packed : 0;
	t->members++;
	t->packed += packed;
}

static int
add_row(struct tally *t, sqlite3_stmt *st, struct err *e)
{
	const struct holder key = {
	    .series = sqlite3_column_int64(st, 2), .sequence = sqlite3_column_int64(st, 3)};
	int64_t packed = sqlite3_column_int64(st, 1);
	uint8_t digest[SHA256_LEN];
	const struct holder *h;
	int order;

	if (catalog_db_digest(st, 0, digest, e) != 0)
		return -1;
	if (sqlite3_column_type(st, 1) != SQLITE_INTEGER || packed < 0)
		return catalog_db_damaged(e, "a number is out of bounds");
	h = bsearch(&key, t->holders, t->n_holders, sizeof(key), by_number);
	if (h == NULL)
		return 0;
	order = t->any ? memcmp(t->digest, digest, SHA256_LEN) : -1;
	if (order > 0)
		return catalog_db_damaged(e, "members out of order");
	if (order < 0) {
		end_group(t);
		begin_group(t, digest, (uint64_t)packed);
	}
	add_member(t, h, (uint64_t)packed);
	return 0;
}

static int
add_rows(struct tally *t, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	catalog_db_guard(t->c);
	rc = catalog_db_prepare(t->c,
	    "SELECT digest, packed, series, sequence FROM member INDEXED BY member_digest"
	    " ORDER BY digest, packed, series, sequence",
	    &st, e);
	while (rc == 0 && (rc = catalog_db_step(t->c, st, e)) == 1)
		rc = add_row(t, st, e);
	(void)sqlite3_finalize(st);
	end_group(t);
	return rc;
}

int
catalog_stats_totals(
    struct catalog *c, const char *series, struct catalog_stats *out, struct err *e)
{
	struct catalog_stats s = {0};
	struct tally t = {.c = c, .s = &s};
	int rc = -1;

	if (catalog_db_current(c, e) != 0 || catalog_db_exec(c, "BEGIN", e) != 0)
		return -1;
	if (catalog_backups_refresh(c, e) >= 0 && find_holders(&t, series, e) == 0)
		rc = add_rows(&t, e);
	rc = catalog_db_end(c, rc, e);
	free(t.holders);
	if (rc == 0)
		*out = s;
	else
		catalog_stats_done(&s);
	return rc < 0 ? catalog_db_advise(c, e) : rc;
}

void
catalog_stats_done(struct catalog_stats *s)
{
	free(s->backups);
	memset(s, 0, sizeof(*s));
}

int
catalog_members(
    struct catalog *c, const char *name, uint64_t *members, uint64_t *shared, struct err *e)
{
	const struct catalog_backup *b = catalog_backups_need(c, name, e);
	sqlite3_stmt *st = NULL;
	int rc;

	if (b == NULL)
		return -1;
	catalog_db_guard(c);
	rc = catalog_db_prepare(c,
	    "SELECT count(*), total(EXISTS (SELECT 1 FROM member o WHERE o.digest = m.digest"
	    " AND (o.series, o.sequence) <> (?1, ?2)))"
	    " FROM member m WHERE m.series = ?1 AND m.sequence = ?2",
	    &st, e);
	if (rc == 0) {
		(void)sqlite3_bind_int64(st, 1, b->series);
		(void)sqlite3_bind_int64(st, 2, (int64_t)b->sequence);
		rc = catalog_db_step(c, st, e);
	}
	if (rc == 1) {
		*members = (uint64_t)sqlite3_column_int64(st, 0);
		*shared = (uint64_t)sqlite3_column_int64(st, 1);
	}
	(void)sqlite3_finalize(st);
	return rc == 1 ? 0 : rc == 0 ? catalog_db_damaged(e, "no count") : -1;
}
