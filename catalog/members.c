/* SPDX-License-Identifier: BSD-2-Clause */
#include "catalog/members.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/db.h"
#include "catalog/opens.h"
#include "catalog/spans.h"
#include "core/err.h"
#include "seal/manifest.h"

enum { PATH, PLACE, FIRST, LAST, KIND, PACKED, PLAIN, DIGEST, SECTION, SERIES };

#define COLUMNS "path, file_offset, first, last, kind, packed, plain, digest, section"

struct catalog_members {
	struct catalog_members_opts o;
	/* Of the last backup; the end member apart, which comes last and whose path is the first.
	 */
	struct catalog_opens old, old_end;
	sqlite3_stmt *insert, *close;
	/* The member at hand, as it is stored. */
	const struct manifest_member *m;
	struct buf key;
	int64_t place;
};

static const uint8_t end_path[] = {0};

static int
prepare(struct catalog_members *x, struct err *e)
{
	static const char select[] = "SELECT " COLUMNS " FROM member WHERE series = ?1"
				     " AND (path, file_offset, first) > (?2, ?3, ?4)"
				     " ORDER BY path, file_offset, first";

	if (catalog_db_prepare(x->o.c,
		"INSERT INTO member (" COLUMNS ", series)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
		&x->insert, e) != 0 ||
	    catalog_db_prepare(x->o.c,
		"UPDATE member SET last = ?1"
		" WHERE series = ?2 AND path = ?3 AND file_offset = ?4 AND first = ?5",
		&x->close, e) != 0 ||
	    catalog_db_prepare(x->o.c, select, &x->old.stmt, e) != 0)
		return -1;
	return catalog_db_prepare(x->o.c, select, &x->old_end.stmt, e);
}

static bool
is_end(const struct catalog_opens *o)
{
	return o->has && o->path.len == sizeof(end_path) && o->path.data[0] == end_path[0];
}

/* The next one that is not the end member. */
static int
next_old(struct catalog_members *x, struct err *e)
{
	if (catalog_opens_next(&x->old, e) != 0)
		return -1;
	return is_end(&x->old) ? catalog_opens_next(&x->old, e) : 0;
}

static int
start(struct catalog_members *x, struct err *e)
{
	const struct catalog_opens old = {.c = x->o.c,
	    .col = {.path = PATH, .place = PLACE, .first = FIRST, .last = LAST},
	    .series = x->o.series,
	    .sequence = x->o.sequence};

	x->old = x->old_end = old;
	if (prepare(x, e) != 0)
		return -1;
	if (x->o.previous == 0)
		return 0;
	if (catalog_opens_seek(&x->old, &x->key, e) != 0)
		return -1;
	return is_end(&x->old) ? catalog_opens_next(&x->old, e) : 0;
}

int
catalog_members_new(
    struct catalog_members **out, const struct catalog_members_opts *o, struct err *e)
{
	struct catalog_members *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return err_nomem(e);
	x->o = *o;
	if (start(x, e) != 0) {
		catalog_members_free(x);
		return -1;
	}
	*out = x;
	return 0;
}

void
catalog_members_free(struct catalog_members *x)
{
	if (x == NULL)
		return;
	catalog_opens_done(&x->old);
	catalog_opens_done(&x->old_end);
	(void)sqlite3_finalize(x->insert);
	(void)sqlite3_finalize(x->close);
	buf_done(&x->key);
	free(x);
}

static int
close_old(struct catalog_members *x, struct catalog_opens *old, struct err *e)
{
	sqlite3_stmt *st = x->close;

	(void)sqlite3_bind_int64(st, 1, x->o.previous);
	(void)sqlite3_bind_int64(st, 2, x->o.series);
	catalog_db_bind_key(st, 3, &old->path);
	(void)sqlite3_bind_int64(st, 4, old->place);
	(void)sqlite3_bind_int64(st, 5, old->first);
	old->wrote = true;
	return catalog_db_run(x->o.c, st, e);
}

static bool
same_digest(sqlite3_stmt *st, int col, const uint8_t digest[SHA256_LEN])
{
	uint8_t was[SHA256_LEN];

	return catalog_db_digest(st, col, was, NULL) == 0 && memcmp(was, digest, SHA256_LEN) == 0;
}

static bool
same_section(sqlite3_stmt *st, const struct manifest_member *m)
{
	if (m->section_len == 0)
		return sqlite3_column_type(st, SECTION) == SQLITE_NULL;
	return same_digest(st, SECTION, m->section_digest);
}

static bool
same_facts(sqlite3_stmt *st, const struct manifest_member *m)
{
	return sqlite3_column_int64(st, KIND) == m->kind &&
	    sqlite3_column_int64(st, PACKED) == (int64_t)m->packed_len &&
	    sqlite3_column_int64(st, PLAIN) == (int64_t)m->plain_len &&
	    same_digest(st, DIGEST, m->packed_digest) && same_section(st, m);
}

static int
insert(struct catalog_members *x, struct err *e)
{
	const struct manifest_member *m = x->m;
	sqlite3_stmt *st = x->insert;

	catalog_db_bind_key(st, PATH + 1, &x->key);
	(void)sqlite3_bind_int64(st, PLACE + 1, x->place);
	(void)sqlite3_bind_int64(st, FIRST + 1, x->o.previous == 0 ? 0 : x->o.sequence);
	(void)sqlite3_bind_int64(st, KIND + 1, m->kind);
	(void)sqlite3_bind_int64(st, PACKED + 1, (int64_t)m->packed_len);
	(void)sqlite3_bind_int64(st, PLAIN + 1, (int64_t)m->plain_len);
	(void)sqlite3_bind_blob(st, DIGEST + 1, m->packed_digest, SHA256_LEN, SQLITE_STATIC);
	if (m->section_len > 0)
		(void)sqlite3_bind_blob(
		    st, SECTION + 1, m->section_digest, SHA256_LEN, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, SERIES + 1, x->o.series);
	x->old.wrote = true;
	return catalog_db_run(x->o.c, st, e);
}

/* The member against old, which stands at its place (1) or has none there (0). */
static int
put(struct catalog_members *x, struct catalog_opens *old, bool was, struct err *e)
{
	if (was && same_facts(old->stmt, x->m))
		return 0;
	if (was && close_old(x, old, e) != 0)
		return -1;
	return insert(x, e);
}

static bool
has_section(const struct catalog_opens *old)
{
	return sqlite3_column_type(old->stmt, SECTION) != SQLITE_NULL;
}

/* Members before the one at hand: those are gone, and the spans are to look at what they had. */
static int
close_before(struct catalog_members *x, bool all, struct err *e)
{
	while (x->old.has && (all || catalog_opens_compare(&x->old, &x->key, x->place) < 0))
		if ((has_section(&x->old) &&
			catalog_spans_resume(x->o.spans, &x->old.path, e) != 0) ||
		    close_old(x, &x->old, e) != 0 || next_old(x, e) != 0)
			return -1;
	return 0;
}

static int
put_end(struct catalog_members *x, struct err *e)
{
	struct catalog_opens *old = &x->old_end;

	if (close_before(x, true, e) != 0 || catalog_spans_resume(x->o.spans, NULL, e) != 0)
		return -1;
	buf_clear(&x->key);
	buf_append(&x->key, end_path, sizeof(end_path));
	x->place = -1;
	if (x->o.previous != 0 && catalog_opens_seek(old, &x->key, e) != 0)
		return -1;
	return put(x, old, is_end(old), e);
}

static int
put_other(struct catalog_members *x, struct err *e)
{
	const struct manifest_member *m = x->m;
	bool was, kept;
	int rc = 0;

	x->place = m->kind == MANIFEST_CHUNK ? (int64_t)m->file_offset : -1;
	if (catalog_db_key(&x->key, m->path, m->path_len, e) != 0 || close_before(x, false, e) != 0)
		return -1;
	was = x->old.has && catalog_opens_compare(&x->old, &x->key, x->place) == 0;
	kept = was && x->o.keep && m->section_len > 0 && same_section(x->old.stmt, m);
	if (kept)
		rc = catalog_spans_keep(x->o.spans, &x->key, e);
	else if (m->section_len > 0 || (was && has_section(&x->old)))
		rc = catalog_spans_resume(x->o.spans, &x->key, e);
	if (rc != 0 || put(x, &x->old, was, e) != 0 || (was && next_old(x, e) != 0))
		return -1;
	return kept;
}

int
catalog_members_add(struct catalog_members *x, const struct manifest_member *m, struct err *e)
{
	x->m = m;
	return m->path == NULL ? put_end(x, e) : put_other(x, e);
}
