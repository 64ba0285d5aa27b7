/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/err.h"
#include "tests/unit/catalog_fixture.h"

/* Each entry is a member of its own. */
static const struct cf_entry night1[] = {D(""), F("a", 1), F("b", 700), F("c", 3)};
static const struct cf_entry night2[] = {D(""), F("a", 2), F("b", 700), F("c", 3), F("d", 9)};
static const struct cf_entry night3[] = {
    D(""), F("a", 1), F("b", 700), F("d", 9), H("e", "b"), F("f", 700)};
static const struct cf_entry elsewhere[] = {D(""), F("a", 1), F("x", 5)};

struct world {
	struct cf f;
	struct catalog *c;
	char names[4][SEAL_NAME_MAX + 1];
};

static void
seal(struct world *w, int i, const char *series, uint64_t sequence, const struct cf_entry *v,
    size_t n)
{
	cf_backup(&w->f, &(struct cf_opts){.series = series, .sequence = sequence, .cut = 1}, v, n,
	    w->names[i]);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct repo_list l;
	struct err e = {0};

	assert_non_null(w);
	cf_setup(&w->f);
	seal(w, 0, NULL, 1, night1, N(night1));
	seal(w, 1, NULL, 4, night2, N(night2));
	seal(w, 2, NULL, 5, night3, N(night3));
	seal(w, 3, "other", 2, elsewhere, N(elsewhere));
	cf_list(&w->f, &l);
	if (catalog_open_write(&w->c, w->f.repo, &e) != 0 ||
	    catalog_sync(w->c, w->f.repo, &l, &e) != 0)
		fail_msg("%s", e.msg);
	repo_list_done(&l);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	catalog_close(w->c);
	cf_teardown(&w->f);
	free(w);
	return 0;
}

static void
exclude(struct world *w, int i)
{
	struct err e = {0};

	assert_int_equal(catalog_exclude(w->c, w->names[i], &e), 0);
}

static void
totals(struct world *w, const char *series, struct catalog_stats *s)
{
	struct err e = {0};

	if (catalog_stats_totals(w->c, series, s, &e) != 0)
		fail_msg("%s", e.msg);
}

/* Numbers of members: all, own, new. */
static void
expect_members(const struct catalog_stats *s, const char *want)
{
	struct buf b = {0};

	for (size_t i = 0; i < s->n; i++)
		buf_printf(&b, "%s %llu: %llu %llu %llu;", s->backups[i].series,
		    (unsigned long long)s->backups[i].sequence,
		    (unsigned long long)s->backups[i].members,
		    (unsigned long long)s->backups[i].own_members,
		    (unsigned long long)s->backups[i].new_members);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void
members_are_counted_by_who_has_them(void **state)
{
	struct world *w = *state;
	struct catalog_stats s = {0};

	totals(w, NULL, &s);
	/* Night 1: root a1 b c end; 2: root a2 b c d end; 3: root a1 b d e f end. */
	expect_members(&s, "data 1: 5 0 5;data 4: 6 1 2;data 5: 7 2 3;other 2: 4 1 4;");
	assert_int_equal(s.members, 22);
	assert_int_equal(s.distinct_members, 10);
	assert_string_equal(s.backups[3].name, w->names[3]);
	assert_true(s.backups[0].readable);
	catalog_stats_done(&s);
}

static void
only_what_counts_is_counted(void **state)
{
	struct world *w = *state;
	struct catalog_stats s = {0};

	totals(w, "other", &s);
	expect_members(&s, "other 2: 4 4 4;");
	assert_int_equal(s.distinct_members, 4);
	catalog_stats_done(&s);
	totals(w, "none", &s);
	expect_members(&s, "");
	assert_int_equal(s.packed, 0);
	catalog_stats_done(&s);
	exclude(w, 1);
	totals(w, "data", &s);
	expect_members(&s, "data 1: 5 1 5;data 5: 7 3 3;");
	catalog_stats_done(&s);
}

static uint64_t
number(struct world *w, const char *sql)
{
	struct err e = {0};
	int64_t value = -1;

	if (catalog_db_int(w->c, sql, &value, &e) != 1)
		fail_msg("%s", e.msg);
	return (uint64_t)value;
}

/* A row for each backup and each member that it has. */
#define HELD                                                                                       \
	"(SELECT b.series || ' ' || b.sequence AS who, m.packed, m.digest"                         \
	" FROM backup b JOIN member m ON m.series = b.series"                                      \
	" AND b.sequence BETWEEN m.first AND ifnull(m.last, b.sequence))"

static void
bytes_are_those_of_the_members(void **state)
{
	struct world *w = *state;
	struct catalog_stats s = {0};

	totals(w, NULL, &s);
	assert_int_equal(s.packed, number(w, "SELECT sum(packed) FROM " HELD));
	assert_int_equal(s.packed, number(w, "SELECT sum(archive_size) FROM backup"));
	assert_int_equal(s.distinct_packed,
	    number(w, "SELECT sum(packed) FROM (SELECT packed FROM member GROUP BY digest)"));
	assert_int_equal(
	    s.backups[2].packed, number(w, "SELECT sum(packed) FROM " HELD " WHERE who = '1 5'"));
	assert_int_equal(s.backups[2].own_packed,
	    number(w,
		"SELECT sum(packed) FROM " HELD " m WHERE who = '1 5' AND NOT EXISTS"
		" (SELECT 1 FROM " HELD " o WHERE o.digest = m.digest AND o.who <> '1 5')"));
	assert_int_equal(s.backups[2].new_packed,
	    number(w,
		"SELECT sum(packed) FROM " HELD " m WHERE who = '1 5' AND NOT EXISTS"
		" (SELECT 1 FROM " HELD " o WHERE o.digest = m.digest AND o.who = '1 4')"));
	catalog_stats_done(&s);
}

/* The same member several times in one backup, and in no other, is its own each time. */
static void
what_one_backup_has_twice_is_still_its_own(void **state)
{
	struct world *w = *state;
	struct catalog_stats s = {0};
	struct err e = {0};

	if (catalog_db_exec(w->c,
		"INSERT INTO member SELECT series, x'7a7a', file_offset, first, last, kind, packed,"
		" plain, digest, section FROM member WHERE first = 4 AND last = 4",
		&e) != 0)
		fail_msg("%s", e.msg);
	totals(w, NULL, &s);
	expect_members(&s, "data 1: 5 0 5;data 4: 7 2 3;data 5: 7 2 3;other 2: 4 1 4;");
	assert_int_equal(s.distinct_members, 10);
	catalog_stats_done(&s);
}

/* It comes back at another place of the archive, while it stays at the first. */
static void
what_moves_is_not_new(void **state)
{
	struct world *w = *state;
	struct catalog_stats s = {0};
	struct err e = {0};

	if (catalog_db_exec(w->c,
		"UPDATE member SET path = x'7a7a' WHERE path = x'64';"
		"INSERT INTO member SELECT series, x'7a7b', file_offset, 5, NULL, kind, packed,"
		" plain, digest, section FROM member WHERE path = x'7a7a'",
		&e) != 0)
		fail_msg("%s", e.msg);
	totals(w, NULL, &s);
	expect_members(&s, "data 1: 5 0 5;data 4: 6 1 2;data 5: 8 2 3;other 2: 4 1 4;");
	catalog_stats_done(&s);
}

static void
an_unreadable_backup_has_no_figures(void **state)
{
	struct world *w = *state;
	struct catalog_stats s = {0};
	struct repo_list l;
	struct err e = {0};

	seal(w, 0, NULL, 6, night1, N(night1));
	cf_damage(&w->f, REPO_MANIFEST, w->names[0], -10);
	seal(w, 1, NULL, 7, night3, N(night3));
	cf_list(&w->f, &l);
	assert_int_equal(catalog_sync(w->c, w->f.repo, &l, &e), 0);
	repo_list_done(&l);
	totals(w, "data", &s);
	expect_members(
	    &s, "data 1: 5 0 5;data 4: 6 1 2;data 5: 7 0 3;data 6: 0 0 0;data 7: 7 0 0;");
	assert_false(s.backups[3].readable);
	catalog_stats_done(&s);
}

/* ---- the first few ---- */

static int
note_size(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)e;
	assert_int_equal(strlen(v->path), v->path_len);
	buf_printf(ctx, "%s/%s %llu %llu-%llu %s;", v->series, v->path, (unsigned long long)v->size,
	    (unsigned long long)v->first_seq, (unsigned long long)v->last_seq, v->last_name);
	return 0;
}

static void
expect_largest(struct world *w, const char *series, size_t n, const char *want)
{
	struct buf b = {0};
	struct err e = {0};

	if (catalog_stats_largest(w->c, series, n, note_size, &b, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void
the_largest_are_of_the_newest_backups(void **state)
{
	struct world *w = *state;
	char want[2048];

	(void)snprintf(want, sizeof(want),
	    "data/b 700 1-5 %s;data/f 700 5-5 %s;data/d 9 4-5 %s;other/x 5 2-2 %s;data/a 1 5-5 %s;"
	    "other/a 1 2-2 %s;",
	    w->names[2], w->names[2], w->names[2], w->names[3], w->names[2], w->names[3]);
	expect_largest(w, NULL, 100, want);
	expect_largest(w, NULL, 0, "");
	(void)snprintf(want, sizeof(want), "other/x 5 2-2 %s;", w->names[3]);
	expect_largest(w, "other", 1, want);
	exclude(w, 2);
	(void)snprintf(want, sizeof(want), "data/b 700 1-4 %s;data/d 9 4-4 %s;data/c 3 1-4 %s;",
	    w->names[1], w->names[1], w->names[1]);
	expect_largest(w, "data", 3, want);
}

static int
note_changes(void *ctx, const struct catalog_changes *p, struct err *e)
{
	(void)e;
	assert_int_equal(strlen(p->path), p->path_len);
	buf_printf(ctx, "%s/%s %llu %llu %llu %llu%s;", p->series, p->path,
	    (unsigned long long)p->versions, (unsigned long long)p->contents,
	    (unsigned long long)p->bytes, (unsigned long long)p->size, p->is_current ? " now" : "");
	return 0;
}

static void
expect_changes(struct world *w, const char *series, size_t n, const char *want)
{
	struct buf b = {0};
	struct err e = {0};

	if (catalog_stats_most_changed(w->c, series, n, note_changes, &b, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void
the_most_changed_come_by_contents_then_versions_then_bytes(void **state)
{
	struct world *w = *state;
	/* Four versions of m, but two contents; three of k; two of l, the last of which is gone. */
	struct cf_entry v[] = {D(""), F("k", 1), F("l", 20), F("m", 50)};
	struct repo_list l;
	struct err e = {0};

	seal(w, 3, "busy", 1, v, 4);
	v[1].version = 2;
	v[2].version = 30;
	v[3].changed = true;
	seal(w, 3, "busy", 2, v, 4);
	v[1].version = 3;
	v[3].changed = false;
	seal(w, 3, "busy", 3, v, 4);
	v[2] = (struct cf_entry)F("m", 51);
	seal(w, 3, "busy", 4, v, 3);
	cf_list(&w->f, &l);
	assert_int_equal(catalog_sync(w->c, w->f.repo, &l, &e), 0);
	repo_list_done(&l);
	expect_changes(w, NULL, 10,
	    "busy/k 3 3 6 3 now;data/a 3 3 4 1 now;busy/m 4 2 101 51 now;busy/l 2 2 50 30;");
	expect_changes(w, "busy", 1, "busy/k 3 3 6 3 now;");
	expect_changes(w, NULL, 2, "busy/k 3 3 6 3 now;data/a 3 3 4 1 now;");
	expect_changes(w, "other", 10, "");
}

static int
enough(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)v;
	(void)e;
	return ++*(int *)ctx == 2;
}

static void
a_caller_may_have_enough(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	int n = 0;

	assert_int_equal(catalog_stats_largest(w->c, NULL, 10, enough, &n, &e), 0);
	assert_int_equal(n, 2);
}

/* All orders of arrival, and every n: the heap against sorting. */
static void
the_first_few_of_many_are_those_of_all(void **state)
{
	struct world *w = *state;
	struct cf_entry v[41] = {D("")};
	char paths[40][8];
	struct buf all = {0}, some = {0};
	struct repo_list l;
	struct err e = {0};
	unsigned seed = 5;

	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "p%02u", i);
		v[i + 1] = (struct cf_entry)F(paths[i], (unsigned)rand_r(&seed) % 25);
	}
	seal(w, 3, "many", 1, v, N(v));
	cf_list(&w->f, &l);
	assert_int_equal(catalog_sync(w->c, w->f.repo, &l, &e), 0);
	repo_list_done(&l);
	assert_int_equal(catalog_stats_largest(w->c, "many", 40, note_size, &all, &e), 0);
	for (size_t n = 1; n <= 40; n++) {
		size_t len = 0;

		buf_clear(&some);
		assert_int_equal(catalog_stats_largest(w->c, "many", n, note_size, &some, &e), 0);
		for (size_t k = 0; k < n; k++)
			len = (size_t)(strchr(buf_str(&all) + len, ';') - buf_str(&all)) + 1;
		assert_int_equal(some.len, len);
		assert_memory_equal(some.data, all.data, len);
	}
	/* And all of them are in order. */
	for (const char *p = buf_str(&all), *next; (next = strchr(p, ';')) != NULL && next[1];
	     p = next + 1)
		assert_true(atoi(strchr(p, ' ')) >= atoi(strchr(next, ' ')));
	buf_done(&all);
	buf_done(&some);
}

static void
figures_that_no_index_could_have_written_are_damage(void **state)
{
	static const char *const lies[] = {"UPDATE member SET packed = -1 WHERE path = x''",
	    "UPDATE member SET packed = 'much' WHERE path = x''",
	    "UPDATE member SET digest = x'00' WHERE path = x''"};
	struct world *w = *state;
	struct catalog_stats s = {0};
	struct err e = {0};

	for (size_t i = 0; i < N(lies); i++) {
		assert_int_equal(catalog_db_exec(w->c, "BEGIN", &e), 0);
		assert_int_equal(catalog_db_exec(w->c, lies[i], &e), 0);
		assert_int_equal(catalog_db_exec(w->c, "COMMIT", &e), 0);
		assert_int_equal(catalog_stats_totals(w->c, NULL, &s, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_null(s.backups);
		assert_int_equal(
		    catalog_db_exec(w->c,
			"UPDATE member SET packed = 1, digest = zeroblob(32) WHERE path = x''", &e),
		    0);
		err_clear(&e);
	}
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(members_are_counted_by_who_has_them),
	    T(only_what_counts_is_counted),
	    T(bytes_are_those_of_the_members),
	    T(what_one_backup_has_twice_is_still_its_own),
	    T(what_moves_is_not_new),
	    T(an_unreadable_backup_has_no_figures),
	    T(the_largest_are_of_the_newest_backups),
	    T(the_most_changed_come_by_contents_then_versions_then_bytes),
	    T(a_caller_may_have_enough),
	    T(the_first_few_of_many_are_those_of_all),
	    T(figures_that_no_index_could_have_written_are_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
