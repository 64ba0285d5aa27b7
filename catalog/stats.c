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
	/* By number, as the rows have it: which backup is that?  Readable ones of these series
	 * only. */
	struct holder {
		int64_t series, sequence;
		size_t backup; /* in s->backups */
	} * holders;
	size_t n_holders;
	/* The members that are the same: how many begin, less those that end, at which holder. */
	struct change {
		uint64_t members, packed; /* these wrap */
	} * changes;
	size_t lo, hi; /* what lies outside is 0 */
	uint8_t digest[SHA256_LEN];
	uint64_t packed; /* of one */
	bool any;
};

static int
by_number(const void *pa, const void *pb)
{
	const struct holder *a = pa, *b = pb;

	if (a->series != b->series)
		return a->series < b->series ? -1 : 1;
	return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static void
add_holder(struct tally *t, const struct catalog_backup *b)
{
	struct catalog_stats *s = t->s;

	memcpy(s->backups[s->n].series, b->series_name, sizeof(b->series_name));
	memcpy(s->backups[s->n].name, b->name, sizeof(b->name));
	s->backups[s->n].sequence = b->sequence;
	s->backups[s->n].readable = b->readable;
	if (b->readable)
		t->holders[t->n_holders++] = (struct holder){
		    .series = b->series, .sequence = (int64_t)b->sequence, .backup = s->n};
	s->n++;
}

static int
find_holders(struct tally *t, const char *series, struct err *e)
{
	const struct catalog *c = t->c;

	t->s->backups = calloc(c->n_backups + 1, sizeof(*t->s->backups));
	t->holders = calloc(c->n_backups + 1, sizeof(*t->holders));
	t->changes = calloc(c->n_backups + 1, sizeof(*t->changes));
	if (t->s->backups == NULL || t->holders == NULL || t->changes == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < c->n_backups; i++) {
		const struct catalog_backup *b = &c->backups[i];

		if (!b->excluded && (series == NULL || strcmp(series, b->series_name) == 0))
			add_holder(t, b);
	}
	qsort(t->holders, t->n_holders, sizeof(*t->holders), by_number);
	return 0;
}

/* How many holders come before that place. */
static size_t
holders_before(const struct tally *t, int64_t series, int64_t sequence)
{
	const struct holder key = {.series = series, .sequence = sequence};
	size_t lo = 0, hi = t->n_holders;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_number(&t->holders[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* What the holder has of them; was: so many had the holder before it, in whatever series. */
static void
add_held(struct tally *t, size_t at, const struct change *has, const struct change *was)
{
	struct catalog_backup_stats *b = &t->s->backups[t->holders[at].backup];
	bool is_first = at == 0 || t->holders[at - 1].series != t->holders[at].series;

	t->s->members += has->members;
	t->s->packed += has->packed;
	b->members += has->members;
	b->packed += has->packed;
	if (is_first || was->members == 0) {
		b->new_members += has->members;
		b->new_packed += has->packed;
	}
}

/* Who has those that are the same is known when the next digest comes. */
static void
end_group(struct tally *t)
{
	struct change has = {0}, was, own = {0};
	size_t holders = 0, last = 0;

	for (size_t i = t->lo; i < t->hi; i++) {
		was = has;
		has.members += t->changes[i].members;
		has.packed += t->changes[i].packed;
		if (has.members == 0)
			continue;
		add_held(t, i, &has, &was);
		own = has;
		last = t->holders[i].backup;
		holders++;
	}
	if (holders > 0) {
		t->s->distinct_members++;
		t->s->distinct_packed += t->packed;
		memset(&t->changes[t->lo], 0, (t->hi - t->lo + 1) * sizeof(*t->changes));
	}
	if (holders == 1) {
		t->s->backups[last].own_members += own.members;
		t->s->backups[last].own_packed += own.packed;
	}
}

static void
begin_group(struct tally *t, const uint8_t digest[SHA256_LEN], uint64_t packed)
{
	memcpy(t->digest, digest, SHA256_LEN);
	t->packed = packed;
	t->any = true;
	t->lo = t->n_holders;
	t->hi = 0;
}

/* The row's span in terms of holders, lo to before hi. */
static void
add_span(struct tally *t, sqlite3_stmt *st, uint64_t packed)
{
	bool is_open = sqlite3_column_type(st, 4) == SQLITE_NULL;
	int64_t series = sqlite3_column_int64(st, 2);
	int64_t last = is_open ? INT64_MAX - 1 : sqlite3_column_int64(st, 4);
	size_t lo = holders_before(t, series, sqlite3_column_int64(st, 3));
	size_t hi = holders_before(t, series, last < INT64_MAX ? last + 1 : last);

	if (lo >= hi)
		return;
	t->changes[lo].members++;
	t->changes[lo].packed += packed;
	t->changes[hi].members--;
	t->changes[hi].packed -= packed;
	t->lo = lo < t->lo ? lo : t->lo;
	t->hi = hi > t->hi ? hi : t->hi;
}

static int
add_row(struct tally *t, sqlite3_stmt *st, struct err *e)
{
	int64_t packed = sqlite3_column_int64(st, 1);
	uint8_t digest[SHA256_LEN];
	int order;

	if (catalog_db_digest(st, 0, digest, e) != 0)
		return -1;
	if (sqlite3_column_type(st, 1) != SQLITE_INTEGER || packed < 0)
		return catalog_db_damaged(e, "a number is out of bounds");
	order = t->any ? memcmp(t->digest, digest, SHA256_LEN) : -1;
	if (order > 0)
		return catalog_db_damaged(e, "members out of order");
	if (order < 0) {
		end_group(t);
		begin_group(t, digest, (uint64_t)packed);
	}
	add_span(t, st, (uint64_t)packed);
	return 0;
}

static int
add_rows(struct tally *t, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	catalog_db_guard(t->c);
	rc = catalog_db_prepare(t->c,
	    "SELECT digest, packed, series, first, last FROM member INDEXED BY member_digest"
	    " ORDER BY digest, packed",
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
	free(t.changes);
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
catalog_stats_shared(
    struct catalog *c, const char *name, uint64_t *members, uint64_t *shared, struct err *e)
{
	struct catalog_stats s = {0};
	int rc = catalog_stats_totals(c, NULL, &s, e);
	size_t i = 0;

	if (rc != 0)
		return -1;
	while (i < s.n && strcmp(s.backups[i].name, name) != 0)
		i++;
	if (i < s.n) {
		*members = s.backups[i].members;
		*shared = *members - s.backups[i].own_members;
	} else
		rc = err_set(e, ERR_NOTFOUND, "%s: is not in the catalog", name);
	catalog_stats_done(&s);
	return rc;
}
