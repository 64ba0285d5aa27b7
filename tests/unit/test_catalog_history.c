/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
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
#include "core/log.h"
#include "tests/unit/catalog_fixture.h"
#include "tests/unit/history.h"

/*
 * Whatever happens to a repository: the catalog that was there all along says what a naive model
 * says (tests/unit/history.h), and has the rows of one that is made from the manifests now.
 */
enum { HISTORIES = 500, STEPS = 6 };

/* Nothing here has to outlive the machine, and a disk's syncs would take minutes. */
int
fsync(int fd)
{
	(void)fd;
	return 0;
}

int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

struct world {
	struct cf *f;
	struct catalog *c; /* open from step to step, often */
	struct history h;
	unsigned seed, number; /* which history */
	int step;
	uint64_t used[HISTORY_SERIES]; /* highest sequence */
	int now; /* when the last verification was */
	bool may_rebuild; /* something happened that is not amended in place */
	struct buf story; /* what was done, to be told on failure */
};

#define OK(w, rc, e)                                                                               \
	do {                                                                                       \
		if ((rc) != 0)                                                                     \
			fail_msg(                                                                  \
			    "history %u: %s\n%s", (w)->number, (e)->msg, buf_str(&(w)->story));    \
	} while (0)

static unsigned
pick(struct world *w, unsigned n)
{
	return (unsigned)rand_r(&w->seed) % n;
}

/* ---- what happens ---- */

static void
seal_one(struct world *w, struct history_backup *b)
{
	struct cf_entry v[HISTORY_PATHS];
	size_t n = 0;

	for (int p = 0; p < HISTORY_PATHS; p++)
		if (b->facts[p].is)
			v[n++] = (struct cf_entry){.type = b->facts[p].type,
			    .path = history_paths[p],
			    .version = b->facts[p].version,
			    .link = history_link(b->facts[p].type),
			    .changed = b->facts[p].changed};
	cf_backup(w->f,
	    &(struct cf_opts){.series = history_series[b->series],
		.sequence = b->sequence,
		.unsigned_ = true,
		.cut = 1 + pick(w, 3)},
	    v, n, b->name);
	/* In the index's root, so that all of it is unreadable whoever looks. */
	if (!b->readable)
		cf_damage(w->f, REPO_MANIFEST, b->name, -10);
}

/* The newest of the series before sequence, readable or not; NULL. */
static const struct history_backup *
before(const struct world *w, int series, uint64_t sequence)
{
	const struct history_backup *found = NULL;

	for (int i = 0; i < w->h.n; i++)
		if (w->h.b[i].series == series && w->h.b[i].sequence < sequence)
			found = &w->h.b[i];
	return found;
}

/* Some of what changed last is as it was before again. */
static void
take_back(struct world *w, struct history_backup *b, const struct history_backup *old)
{
	const struct history_backup *older = before(w, b->series, old->sequence);

	for (int p = 0; older != NULL && p < HISTORY_PATHS; p++)
		if (pick(w, 2) == 0)
			b->facts[p] = older->facts[p];
}

static void
add_backup(struct world *w, int series, uint64_t sequence, const char *what)
{
	struct history_backup b = {
	    .series = series, .sequence = sequence, .readable = pick(w, 8) != 0};
	const struct history_backup *old = before(w, series, sequence);

	for (int p = 0; p < HISTORY_PATHS; p++)
		b.facts[p] =
		    old != NULL ? old->facts[p] : (struct history_facts){.type = ENTRY_FILE};
	for (int i = old == NULL ? 6 : pick(w, 3) != 0; i > 0; i--)
		history_edit(&b, &w->seed);
	if (old != NULL && pick(w, 2) == 0)
		take_back(w, &b, old);
	b.facts[0].is = true;
	b.facts[0].type = ENTRY_DIR;
	seal_one(w, &b);
	buf_printf(&w->story, "%s %s %llu%s\n", what, history_series[series],
	    (unsigned long long)sequence, b.readable ? "" : ", unreadable");
	(void)history_add(&w->h, &b);
}

static void
night(struct world *w)
{
	int series = pick(w, 5) == 0;

	if (w->h.n == HISTORY_BACKUPS)
		return;
	w->used[series] += 1 + pick(w, 3);
	add_backup(w, series, w->used[series], "night");
}

/* An older one comes in, where there is a free sequence. */
static void
import(struct world *w)
{
	int series = (int)pick(w, 2);
	uint64_t sequence = 1 + (w->used[series] > 0 ? pick(w, (unsigned)w->used[series]) : 0);

	for (int i = 0; i < w->h.n; i++)
		if (w->h.b[i].series == series && w->h.b[i].sequence == sequence)
			return;
	if (w->h.n == HISTORY_BACKUPS)
		return;
	if (w->used[series] < sequence)
		w->used[series] = sequence;
	w->may_rebuild = true;
	add_backup(w, series, sequence, "import");
}

static void
prune(struct world *w)
{
	struct err e = {0};
	int i = (int)pick(w, (unsigned)w->h.n);

	/* Mostly the ends, where nights go. */
	if (pick(w, 3) == 0)
		while (i > 0 && w->h.b[i - 1].series == w->h.b[i].series)
			i--;
	else if (pick(w, 4) == 0)
		while (i + 1 < w->h.n && w->h.b[i + 1].series == w->h.b[i].series)
			i++;
	buf_printf(&w->story, "prune %s %llu\n", history_series[w->h.b[i].series],
	    (unsigned long long)w->h.b[i].sequence);
	OK(w, repo_prune(w->f->repo, w->h.b[i].name, &e), &e);
	history_remove(&w->h, i);
}

static void
reseal(struct world *w)
{
	struct history_backup *b = &w->h.b[pick(w, (unsigned)w->h.n)];
	struct repo_backup r = {0};
	struct err e = {0};

	OK(w, repo_read_seal(w->f->repo, b->name, NULL, &r, &e), &e);
	free(r.seal.policy);
	assert_int_not_equal(asprintf(&r.seal.policy, "keep-last=%u", 1 + pick(w, 9)), -1);
	OK(w, repo_reseal(w->f->repo, &r.seal, NULL, &e), &e);
	repo_backup_done(&r);
	buf_printf(&w->story, "reseal %s\n", b->name);
}

/* Another backup in the place of one, under its name. */
static void
replace(struct world *w)
{
	struct history_backup b = w->h.b[pick(w, (unsigned)w->h.n)];
	char name[sizeof(b.name)];

	cf_remove(w->f, b.name);
	memcpy(name, b.name, sizeof(name));
	history_edit(&b, &w->seed);
	b.facts[1].is = true;
	b.facts[1].version = 10 + pick(w, 1000); /* surely not what it was */
	b.n_checks = 0;
	seal_one(w, &b);
	assert_string_equal(name, b.name);
	for (int i = 0; i < w->h.n; i++)
		if (strcmp(w->h.b[i].name, name) == 0)
			w->h.b[i] = b;
	w->may_rebuild = true;
	buf_printf(&w->story, "replace %s\n", name);
}

static void
mend(struct world *w)
{
	for (int i = 0; i < w->h.n; i++) {
		if (w->h.b[i].readable)
			continue;
		cf_damage(w->f, REPO_MANIFEST, w->h.b[i].name, -10); /* flips it back */
		w->h.b[i].readable = true;
		w->may_rebuild = true;
		buf_printf(&w->story, "mend %s\n", w->h.b[i].name);
		return;
	}
}

static void
let_go(struct world *w)
{
	catalog_close(w->c);
	w->c = NULL;
}

static void
forget(struct world *w)
{
	let_go(w);
	(void)unlink(cf_path(w->f, REPO_CATALOG));
	for (int i = 0; i < w->h.n; i++)
		w->h.b[i].n_checks = 0;
	buf_puts(&w->story, "lose the catalog\n");
}

static void
happen(struct world *w)
{
	unsigned what = w->h.n == 0 ? 0 : pick(w, 20);

	if (what < 7)
		night(w);
	else if (what < 12)
		prune(w);
	else if (what < 14)
		import(w);
	else if (what < 16)
		reseal(w);
	else if (what < 18)
		mend(w);
	else if (what < 19)
		replace(w);
	else if (pick(w, 4) == 0)
		forget(w);
}

/* ---- what the catalog makes of it ---- */

static void
dump(sqlite3 *db, const char *sql, struct buf *out)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const char *text = (const char *)sqlite3_column_text(st, i);

			buf_puts(out, text != NULL ? text : "NULL");
			buf_putc(out, i + 1 < sqlite3_column_count(st) ? ' ' : '\n');
		}
	}
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
}

static void
same_text(struct world *w, const char *what, struct buf *is, struct buf *want)
{
	if (strcmp(buf_str(is), buf_str(want)) != 0)
		fail_msg("history %u, step %d: %s:\n%s---- and not:\n%s---- after:\n%s", w->number,
		    w->step, what, buf_str(is), buf_str(want), buf_str(&w->story));
	buf_done(is);
	buf_done(want);
}

static int
note(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)e;
	if (v->type != ENTRY_HARDLINK)
		buf_printf(ctx, "%s %s %llu %llu %llu%s\n", v->series, v->path,
		    (unsigned long long)v->first_seq, (unsigned long long)v->last_seq,
		    (unsigned long long)v->backups, v->is_current ? " now" : "");
	return 0;
}

static void
agrees_with_model(struct world *w, struct catalog *c)
{
	struct buf is = {0}, want = {0};
	struct err e = {0};

	dump(c->db, history_sql_versions, &is);
	history_versions(&w->h, &want);
	same_text(w, "versions", &is, &want);
	dump(c->db, history_sql_backups, &is);
	history_backups(&w->h, &want);
	same_text(w, "backups", &is, &want);
	dump(c->db, history_sql_verifications, &is);
	history_verifications(&w->h, &want);
	same_text(w, "verifications", &is, &want);
	OK(w, catalog_query(c, &(struct catalog_query){.glob = ""}, note, &is, &e), &e);
	history_answers(&w->h, &want);
	same_text(w, "answers", &is, &want);
}

/* All that follows from seals and manifests, but the numbers of series, which are anybody's. */
static void
agrees_with_manifests(struct world *w, struct catalog *c, const struct repo_list *l)
{
	static const char *const tables[] = {
	    "SELECT s.name, sequence, b.name, hex(digest), hex(bare), created_sec, created_nsec,"
	    " entries, bytes, archive_size, manifest_size, unreadable, changed, readable"
	    " FROM backup b JOIN series s ON s.id = b.series ORDER BY s.name, sequence",
	    "SELECT s.name, hex(path), first, last, type, mode, uid, gid, size, mtime_sec,"
	    " mtime_nsec, flags, rdev, hex(link), hex(sha256), hex(xattrs)"
	    " FROM version v JOIN series s ON s.id = v.series ORDER BY s.name, path, first",
	    "SELECT s.name, hex(path), file_offset, first, last, kind, packed, plain, hex(digest),"
	    " hex(section)"
	    " FROM member m JOIN series s ON s.id = m.series"
	    " ORDER BY s.name, path, file_offset, first",
	    "SELECT name FROM series ORDER BY name",
	};
	struct catalog *fresh = NULL;
	struct err e = {0};

	OK(w, catalog_open_manifests(&fresh, w->f->repo, l, &e), &e);
	for (size_t i = 0; i < N(tables); i++) {
		struct buf is = {0}, want = {0};

		dump(c->db, tables[i], &is);
		dump(fresh->db, tables[i], &want);
		same_text(w, tables[i], &is, &want);
	}
	catalog_close(fresh);
}

static void
shuffle(struct world *w, struct repo_list *l)
{
	for (size_t i = l->n; i > 1; i--) {
		size_t k = pick(w, (unsigned)i);
		struct repo_backup tmp = l->backups[i - 1];

		l->backups[i - 1] = l->backups[k];
		l->backups[k] = tmp;
	}
}

static void
verify_some(struct world *w, struct catalog *c)
{
	struct err e = {0};

	while (w->h.n > 0 && pick(w, 3) == 0) {
		struct history_backup *b = &w->h.b[pick(w, (unsigned)w->h.n)];
		const struct catalog_verification v = {
		    .at = ++w->now, .level = CATALOG_DEEP, .ok = true};

		if (b->n_checks == HISTORY_CHECKS)
			return;
		OK(w, cf_add_verification(c, b->name, &v, &e), &e);
		b->checks[b->n_checks++] = w->now;
		buf_printf(&w->story, "verify %s\n", b->name);
	}
}

static void
sync_now(struct world *w, const struct repo_list *l)
{
	struct err e = {0};
	sqlite3 *db;

	if (w->c == NULL)
		OK(w, catalog_open_write(&w->c, w->f->repo, &e), &e);
	db = w->c->db;
	OK(w, catalog_sync(w->c, w->f->repo, l, &e), &e);
	/* Else a fault in what is done in place would be mended behind our back. */
	if (w->c->db != db && !w->may_rebuild)
		fail_msg("history %u, step %d: built anew after\n%s", w->number, w->step,
		    buf_str(&w->story));
	w->may_rebuild = false;
	buf_puts(&w->story, "sync\n");
}

static void
look(struct world *w)
{
	struct repo_list l;
	struct err e = {0};

	cf_list(w->f, &l);
	shuffle(w, &l);
	if (pick(w, 8) == 0) {
		buf_puts(&w->story, "rebuild\n");
		let_go(w);
		OK(w, catalog_rebuild(w->f->repo, &l, &e), &e);
	}
	sync_now(w, &l);
	agrees_with_model(w, w->c);
	agrees_with_manifests(w, w->c, &l);
	verify_some(w, w->c);
	if (pick(w, 3) == 0)
		let_go(w);
	repo_list_done(&l);
}

/* What one history leaves behind. */
static void
clear(struct cf *f)
{
	DIR *d = opendir(f->dir);
	struct dirent *de;

	assert_non_null(d);
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0 &&
		    strcmp(de->d_name, ".lock") != 0)
			assert_int_equal(unlink(cf_path(f, de->d_name)), 0);
	assert_int_equal(closedir(d), 0);
}

static void
check_history(struct cf *f, unsigned number)
{
	struct world w = {.f = f, .seed = number, .number = number};

	for (unsigned n = 2 + pick(&w, 5); n > 0; n--)
		night(&w);
	for (w.step = 0; w.step < STEPS; w.step++) {
		/* Mostly one thing, now and then much. */
		for (unsigned n = pick(&w, 4) == 0 ? 1 + pick(&w, 5) : 1; n > 0; n--)
			happen(&w);
		look(&w);
	}
	let_go(&w);
	buf_done(&w.story);
	clear(f);
}

static void
the_catalog_says_what_the_manifests_say_whatever_happened(void **state)
{
	const char *only = getenv("HISTORY"); /* to look at one of them again */
	unsigned from = only != NULL ? (unsigned)strtoul(only, NULL, 10) : 1;

	struct cf f;

	(void)state;
	log_init("history", LOG_QUIET);
	cf_setup(&f);
	for (unsigned i = from; i < (only != NULL ? from + 1 : HISTORIES + 1); i++)
		check_history(&f, i);
	cf_teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_catalog_says_what_the_manifests_say_whatever_happened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
