/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/err.h"
#include "core/path.h"
#include "tests/unit/catalog_fixture.h"

static int
setup(void **state)
{
	struct cf *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	cf_setup(f);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	cf_teardown(*state);
	free(*state);
	return 0;
}

/* All rows of a query on the repository's catalog, as text. */
static char *
dump(struct cf *f, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	struct buf b = {0};

	assert_int_equal(
	    sqlite3_open_v2(cf_path(f, REPO_CATALOG), &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const char *text = (const char *)sqlite3_column_text(st, i);

			buf_puts(&b, text != NULL ? text : "NULL");
			buf_putc(&b, i + 1 < sqlite3_column_count(st) ? ' ' : '\n');
		}
	}
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	(void)buf_str(&b); /* ends it with a NUL; "" needs memory of its own */
	return b.data != NULL ? (char *)b.data : strdup("");
}

#define SPANS                                                                                      \
	"SELECT s.name, hex(v.path), v.first, v.last, v.type, v.mode, v.size, v.mtime_sec, "       \
	"v.flags,"                                                                                 \
	" v.link, hex(v.sha256) FROM version v JOIN series s ON s.id = v.series"                   \
	" ORDER BY s.name, v.path, v.first"
#define MEMBERS                                                                                    \
	"SELECT s.name, hex(m.path), m.file_offset, m.first, m.last, m.kind, m.packed, m.plain,"   \
	" hex(m.digest), hex(m.section) FROM member m JOIN series s ON s.id = m.series"            \
	" ORDER BY s.name, m.path, m.file_offset, m.first"
#define BACKUPS                                                                                    \
	"SELECT s.name, b.sequence, b.name, hex(b.digest), b.entries, b.readable FROM backup b"    \
	" JOIN series s ON s.id = b.series ORDER BY s.name, b.sequence"

static void
index_takes_only_what_is_newer(void **state)
{
	struct cf *f = *state;
	const struct cf_entry v[] = {D(""), F("a", 1)};
	struct catalog *c = NULL;
	struct repo_list l;
	struct err e = {0};

	cf_backup(f, &(struct cf_opts){.sequence = 1}, v, N(v), NULL);
	cf_backup(f, &(struct cf_opts){.sequence = 2}, v, N(v), NULL);
	cf_list(f, &l);
	assert_int_equal(catalog_open_write(&c, f->repo, &e), 0);
	assert_int_equal(catalog_index(c, f->repo, &l.backups[1].seal, &e), 0);
	assert_int_equal(catalog_index(c, f->repo, &l.backups[1].seal, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	assert_int_equal(catalog_index(c, f->repo, &l.backups[0].seal, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	catalog_close(c);
	repo_list_done(&l);
}

static void
an_unchanged_night_adds_no_version(void **state)
{
	struct cf *f = *state;
	const struct cf_entry v[] = {D(""), F("a", 1), D("b"), F("b/x", 2), F("c", 3)};
	char *first, *second;

	cf_backup(f, &(struct cf_opts){.sequence = 1}, v, N(v), NULL);
	catalog_close(cf_synced(f));
	first = dump(f, SPANS);
	cf_backup(f, &(struct cf_opts){.sequence = 2}, v, N(v), NULL);
	catalog_close(cf_synced(f));
	second = dump(f, SPANS);
	assert_string_equal(first, second);
	assert_non_null(strstr(first, "data  0 NULL")); /* the root */
	free(first);
	free(second);
}

static void
a_new_flag_is_a_new_version(void **state)
{
	struct cf *f = *state;
	struct cf_entry v[] = {D(""), F("a", 1)};
	char *rows;

	cf_backup(f, &(struct cf_opts){.sequence = 1}, v, N(v), NULL);
	v[1].changed = true;
	cf_backup(f, &(struct cf_opts){.sequence = 2}, v, N(v), NULL);
	catalog_close(cf_synced(f));
	rows = dump(f, "SELECT first, last, flags FROM version WHERE path = x'61'");
	assert_string_equal(rows, "0 1 0\n2 NULL 1\n");
	free(rows);
}

static void
a_damaged_manifest_indexes_nothing(void **state)
{
	struct cf *f = *state;
	const struct cf_entry v[] = {D(""), F("a", 1), F("b", 2)};
	char name[SEAL_NAME_MAX + 1], *rows;
	struct catalog *c = NULL;
	struct repo_list l;
	struct err e = {0};

	cf_backup(f, &(struct cf_opts){.sequence = 1, .no_cuts = true}, v, N(v), name);
	cf_damage(f, REPO_MANIFEST, name, 100); /* in the section */
	cf_list(f, &l);
	assert_int_equal(catalog_open_write(&c, f->repo, &e), 0);
	assert_int_equal(catalog_index(c, f->repo, &l.backups[0].seal, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.msg, name));
	catalog_close(c);
	repo_list_done(&l);
	rows = dump(f, BACKUPS);
	assert_string_equal(rows, "");
	free(rows);
	rows = dump(f, SPANS);
	assert_string_equal(rows, "");
	free(rows);
}

static void
sync_goes_around_a_damaged_manifest(void **state)
{
	struct cf *f = *state;
	const struct cf_entry v[] = {D(""), F("a", 1), F("b", 2)};
	const struct cf_entry without[] = {D(""), F("a", 1)};
	char name[SEAL_NAME_MAX + 1], *rows;

	cf_backup(f, &(struct cf_opts){.sequence = 1}, v, N(v), NULL);
	cf_backup(f, &(struct cf_opts){.sequence = 2, .no_cuts = true}, without, N(without), name);
	cf_backup(f, &(struct cf_opts){.sequence = 3}, v, N(v), NULL);
	cf_damage(f, REPO_MANIFEST, name, 100);
	catalog_close(cf_synced(f));
	rows = dump(f, "SELECT sequence, readable FROM backup ORDER BY sequence");
	assert_string_equal(rows, "1 1\n2 0\n3 1\n");
	free(rows);
	rows = dump(f, "SELECT first, last FROM version WHERE path = x'62'");
	assert_string_equal(rows, "0 NULL\n");
	free(rows);
	catalog_close(cf_synced(f));
}

static void
a_manifest_out_of_order_is_its_own_fault(void **state)
{
	struct cf *f = *state;
	const struct cf_entry good[] = {D(""), F("a", 1), F("b", 2), F("c", 3)};
	const struct cf_entry bad[] = {D(""), F("a", 1), F("c", 3), F("b", 2)};
	const struct cf_entry twice[] = {D(""), F("a", 1), F("a", 1)};
	char *rows;

	cf_backup(f, &(struct cf_opts){.sequence = 1}, good, N(good), NULL);
	cf_backup(f, &(struct cf_opts){.sequence = 2, .no_cuts = true}, bad, N(bad), NULL);
	cf_backup(f, &(struct cf_opts){.sequence = 3, .no_cuts = true}, twice, N(twice), NULL);
	catalog_close(cf_synced(f));
	rows = dump(f, "SELECT sequence, readable FROM backup ORDER BY sequence");
	assert_string_equal(rows, "1 1\n2 0\n3 0\n");
	free(rows);
}

/* ---- spans against a naive model ---- */

enum { PATHS = 40, NIGHTS = 7, SERIES = 2 };

struct model {
	struct cf_entry all[PATHS]; /* every path there may be, in order */
	bool is[SERIES][NIGHTS][PATHS];
	unsigned version[SERIES][NIGHTS][PATHS];
	uint64_t sequence[SERIES][NIGHTS];
	char names[PATHS][32];
};

static int
by_path(const void *pa, const void *pb)
{
	const struct cf_entry *a = pa, *b = pb;

	return path_cmp(a->path, strlen(a->path), b->path, strlen(b->path));
}

static void
make_paths(struct model *m, unsigned *seed)
{
	static const char *const parts[] = {"a", "a-b", "a.c", "b", "\377x", "+", "zz"};

	memset(m, 0, sizeof(*m));
	for (int i = 1; i < PATHS; i++) {
		(void)snprintf(m->names[i], sizeof(m->names[i]), "%s/%s%d", parts[rand_r(seed) % 7],
		    parts[rand_r(seed) % 7], i % 13 == 0 ? 0 : i);
		if (i % 5 == 0)
			*strchr(m->names[i], '/') = '_';
	}
	for (int i = 0; i < PATHS; i++) {
		m->all[i] = (struct cf_entry)F(m->names[i], 0);
		if (i == 0)
			m->all[i].type = ENTRY_DIR;
	}
	qsort(m->all, PATHS, sizeof(m->all[0]), by_path);
}

static bool
doubled(const struct model *m, int p)
{
	return p > 0 && strcmp(m->all[p].path, m->all[p - 1].path) == 0;
}

/* Most paths stay as they were; some come, go, or change, also back to what they were. */
static void
make_night(struct model *m, int series, int night, unsigned *seed)
{
	m->sequence[series][night] =
	    1 + (uint64_t)(rand_r(seed) % 3) + (night > 0 ? m->sequence[series][night - 1] : 0);
	for (int p = 0; p < PATHS; p++) {
		bool fresh = night == 0 || rand_r(seed) % 8 == 0;

		m->is[series][night][p] =
		    fresh ? rand_r(seed) % 4 != 0 : m->is[series][night - 1][p];
		fresh = night == 0 || rand_r(seed) % 8 == 0;
		m->version[series][night][p] =
		    fresh ? (unsigned)rand_r(seed) % 3 : m->version[series][night - 1][p];
		if (p == 0) {
			m->is[series][night][p] = true;
			m->version[series][night][p] = 0;
		}
		if (doubled(m, p))
			m->is[series][night][p] = false;
	}
}

static void
seal_night(struct cf *f, struct model *m, int series, int night)
{
	struct cf_entry v[PATHS];
	size_t n = 0;

	for (int p = 0; p < PATHS; p++) {
		if (!m->is[series][night][p])
			continue;
		v[n] = m->all[p];
		v[n++].version = m->version[series][night][p];
	}
	cf_backup(f,
	    &(struct cf_opts){
		.sequence = m->sequence[series][night], .series = series == 0 ? "data" : "more"},
	    v, n, NULL);
}

static void
put_span(struct buf *b, const struct model *m, int series, int p, int first, int last)
{
	uint8_t digest[SHA256_LEN];
	unsigned version = m->version[series][first][p];
	bool file = m->all[p].type == ENTRY_FILE;

	buf_printf(b, "%s ", series == 0 ? "data" : "more");
	for (const char *s = m->all[p].path; *s != '\0'; s++)
		buf_printf(b, "%02X", *s == '/' ? 0 : (unsigned char)*s);
	buf_printf(b, " %llu ", (unsigned long long)(first == 0 ? 0 : m->sequence[series][first]));
	if (last == NIGHTS - 1)
		buf_puts(b, "NULL");
	else
		buf_printf(b, "%llu", (unsigned long long)m->sequence[series][last]);
	buf_printf(b, " %d %d %u %u 0 NULL ", m->all[p].type, file ? 0644 : 0755,
	    file ? version : 0, 1000000000 + version);
	cf_digest(version, digest);
	for (int i = 0; file && i < SHA256_LEN; i++)
		buf_printf(b, "%02X", digest[i]);
	buf_putc(b, '\n');
}

/* The runs of nights in which a path was there and the same. */
static void
expect_spans(struct buf *b, const struct model *m)
{
	for (int s = 0; s < SERIES; s++)
		for (int p = 0; p < PATHS; p++)
			for (int i = 0, k; i < NIGHTS; i = k) {
				k = i + 1;
				if (!m->is[s][i][p])
					continue;
				while (k < NIGHTS && m->is[s][k][p] &&
				    m->version[s][k][p] == m->version[s][i][p])
					k++;
				put_span(b, m, s, p, i, k - 1);
			}
}

static void
check_history(struct cf *f, unsigned seed)
{
	static struct model m;
	struct buf want = {0};
	struct repo_list l;
	struct err e = {0};
	char *spans, *members, *again;

	make_paths(&m, &seed);
	for (int night = 0; night < NIGHTS; night++)
		for (int s = 0; s < SERIES; s++) {
			make_night(&m, s, night, &seed);
			seal_night(f, &m, s, night);
			/* Each night by itself, or several at once. */
			if (rand_r(&seed) % 3 != 0)
				catalog_close(cf_synced(f));
		}
	catalog_close(cf_synced(f));
	expect_spans(&want, &m);
	spans = dump(f, SPANS);
	assert_string_equal(spans, buf_str(&want));
	members = dump(f, MEMBERS);

	cf_list(f, &l);
	if (catalog_rebuild(f->repo, &l, &e) != 0)
		fail_msg("%s", e.msg);
	repo_list_done(&l);
	again = dump(f, SPANS);
	assert_string_equal(spans, again);
	free(again);
	again = dump(f, MEMBERS);
	assert_string_equal(members, again);
	free(again);
	again = dump(f, "SELECT count(*), sum(readable) FROM backup");
	assert_string_equal(again, "14 14\n");
	free(again);
	free(spans);
	free(members);
	buf_done(&want);
}

static void
spans_are_the_runs_of_equal_nights(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 12; seed++) {
		struct cf f;

		cf_setup(&f);
		check_history(&f, seed);
		cf_teardown(&f);
	}
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(index_takes_only_what_is_newer),
	    T(an_unchanged_night_adds_no_version),
	    T(a_new_flag_is_a_new_version),
	    T(a_damaged_manifest_indexes_nothing),
	    T(sync_goes_around_a_damaged_manifest),
	    T(a_manifest_out_of_order_is_its_own_fault),
	    cmocka_unit_test(spans_are_the_runs_of_equal_nights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
