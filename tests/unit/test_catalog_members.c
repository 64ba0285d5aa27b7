/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "archive/cut.h"
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "core/err.h"
#include "seal/key.h"
#include "seal/manifest.h"
#include "seal/section.h"
#include "tests/unit/catalog_fixture.h"
#include "tests/unit/made.h"

/*
 * Night after night of small files, hard links and large files, some of it changed, some backups
 * gone: what the catalog has of a backup is what that backup's manifest says, and it is the same
 * whether it came night by night or at once.
 */
enum { HISTORIES = 12, NIGHTS = 9, CHUNKS = 4 };

static const char *const small[] = {"", "a", "a/b", "a/c", "a-d", "e", "m", "m/n", "z"};
static const char *const large[] = {"big", "large", "zz"};
enum { SMALL = N(small), LARGE = N(large) };

struct state {
	unsigned version[SMALL]; /* 0: it is not there; of "m" odd: a hard link to "a/b" */
	bool cut[SMALL]; /* a member begins with it */
	unsigned chunk[LARGE][CHUNKS];
	size_t chunks[LARGE]; /* 0: it is not there */
	bool note; /* something vanished behind the last small file */
};

struct world {
	struct cf f;
	struct catalog *c;
	struct state now;
	unsigned seed, history;
	char names[NIGHTS][64];
	bool is[NIGHTS];
};

static unsigned
pick(struct world *w, unsigned n)
{
	return (unsigned)rand_r(&w->seed) % n;
}

/* ---- nights ---- */

static void
edit_small(struct world *w)
{
	for (size_t i = 1; i < SMALL; i++) {
		if (pick(w, 12) == 0)
			w->now.version[i] = pick(w, 4);
		if (pick(w, 40) == 0)
			w->now.cut[i] = !w->now.cut[i];
	}
	w->now.version[2] += w->now.version[2] == 0; /* what is linked to */
	if (pick(w, 8) == 0)
		w->now.note = !w->now.note;
}

static void
edit_large(struct world *w)
{
	for (size_t i = 0; i < LARGE; i++) {
		if (pick(w, 5) == 0)
			w->now.chunks[i] = pick(w, 4) == 0 ? 0 : 2 + pick(w, CHUNKS - 1);
		if (pick(w, 4) == 0)
			w->now.chunk[i][pick(w, CHUNKS)] = 1 + pick(w, 3);
	}
}

static void
put_large(struct world *w, struct made *m, size_t i)
{
	size_t size = w->now.chunks[i] * CUT_CHUNK - 1000;
	struct entry en = made_file(large[i], size);
	uint8_t *data = malloc(size + 1000);

	assert_non_null(data);
	for (size_t k = 0; k < w->now.chunks[i]; k++)
		memset(data + k * CUT_CHUNK, 'a' + (int)w->now.chunk[i][k], CUT_CHUNK);
	made_large(m, &en, data);
	free(data);
}

/* End the member that begins with first, if there is one. */
static void
end_small(struct made *m, const char **first)
{
	if (*first != NULL)
		made_member(m, MANIFEST_FILES, *first, 0);
	*first = NULL;
}

static void
put_small(struct world *w, struct made *m, size_t i, const char **first)
{
	unsigned version = w->now.version[i];
	struct entry en = made_file(small[i], version);

	if (i == 0 || strcmp(small[i], "a") == 0)
		en = made_dir(small[i]);
	en.mtime_sec = version;
	if (strcmp(small[i], "m") == 0 && version % 2 == 1) {
		en.type = ENTRY_HARDLINK;
		en.link = "a/b";
		en.link_len = 3;
		en.size = 0;
	}
	if (w->now.cut[i])
		end_small(m, first);
	if (*first == NULL)
		*first = small[i];
	made_both(m, &en, NULL);
	if (w->now.note && strcmp(small[i], "z") == 0)
		section_put_note(&m->section, SECTION_VANISHED, "z1", 2, NULL);
}

static void
seal(struct world *w, int night)
{
	const char *first = NULL;
	struct made m;
	size_t k = 0;

	(void)snprintf(w->names[night], sizeof(w->names[night]), "s-%d", night);
	made_begin(&m, w->f.dir, w->names[night]);
	m.seal.sequence = 1 + (uint64_t)night;
	for (size_t i = 0; i < SMALL; i++) {
		while (k < LARGE && strcmp(large[k], small[i]) < 0) {
			end_small(&m, &first);
			if (w->now.chunks[k] > 0)
				put_large(w, &m, k);
			k++;
		}
		if (i == 0 || w->now.version[i] > 0)
			put_small(w, &m, i, &first);
	}
	end_small(&m, &first);
	for (; k < LARGE; k++)
		if (w->now.chunks[k] > 0)
			put_large(w, &m, k);
	made_end(&m, NULL);
	w->is[night] = true;
}

/* ---- what is to be ---- */

static void
put_hex(struct buf *b, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_printf(b, "%02X", ((const uint8_t *)data)[i]);
}

static void
put_path(struct buf *b, const char *path, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_printf(b, "%02X", path[i] == '/' ? 0 : (uint8_t)path[i]);
}

static void
manifest_member_line(struct buf *b, const struct manifest_member *m)
{
	if (m->path != NULL)
		put_path(b, m->path, m->path_len);
	else
		buf_puts(b, "00");
	buf_printf(b, " %lld %d %llu %llu ",
	    m->kind == MANIFEST_CHUNK ? (long long)m->file_offset : -1LL, m->kind,
	    (unsigned long long)m->packed_len, (unsigned long long)m->plain_len);
	put_hex(b, m->packed_digest, SHA256_LEN);
	buf_putc(b, ' ');
	if (m->section_len > 0)
		put_hex(b, m->section_digest, SHA256_LEN);
	buf_putc(b, '\n');
}

static void
manifest_lines(struct buf *b, const struct buf *text)
{
	struct section_parser *p = NULL;
	struct section_line l;
	struct err e = {0};

	assert_int_equal(section_parser_new(&p, text->data, text->len, &e), 0);
	while (section_next(p, &l, &e) == 1) {
		if (l.is_note)
			continue;
		put_path(b, l.path, l.path_len);
		buf_printf(b, " %d %llu %lld ", l.type, (unsigned long long)l.size,
		    (long long)l.mtime_sec);
		if (l.has_sha256)
			put_hex(b, l.sha256, SHA256_LEN);
		buf_putc(b, '\n');
	}
	section_parser_free(p);
	assert_int_equal(e.kind, ERR_NONE);
}

static void
manifest_says(struct world *w, const struct seal *s, struct buf *members, struct buf *paths)
{
	struct manifest_reader *r = NULL;
	struct manifest_member m;
	struct buf text = {0};
	struct err e = {0};
	int fd = repo_open_part(w->f.repo, REPO_MANIFEST, s->name, &e);

	assert_int_equal(manifest_reader_new(&r, fd, s, &e), 0);
	while (manifest_next(r, &m, &e) == 1) {
		manifest_member_line(members, &m);
		assert_int_equal(manifest_section(r, &m, &text, &e), 0);
		manifest_lines(paths, &text);
	}
	assert_int_equal(e.kind, ERR_NONE);
	manifest_reader_free(r);
	buf_done(&text);
	assert_int_equal(close(fd), 0);
}

/* ---- what is ---- */

static void
dump(struct catalog *c, const char *sql, uint64_t sequence, struct buf *b)
{
	sqlite3_stmt *st = NULL;
	struct err e = {0};

	if (catalog_db_prepare(c, sql, &st, &e) != 0)
		fail_msg("%s", e.msg);
	(void)sqlite3_bind_int64(st, 1, (int64_t)sequence);
	while (sqlite3_step(st) == SQLITE_ROW)
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			buf_puts(b, (const char *)sqlite3_column_text(st, i));
			buf_putc(b, i + 1 < sqlite3_column_count(st) ? ' ' : '\n');
		}
	(void)sqlite3_finalize(st);
}

#define OF_BACKUP " WHERE ?1 BETWEEN first AND ifnull(last, ?1) "

static void
catalog_says(struct world *w, uint64_t sequence, struct buf *members, struct buf *paths)
{
	dump(w->c,
	    "SELECT hex(path), file_offset, kind, packed, plain, hex(digest), hex(section)"
	    " FROM member" OF_BACKUP "ORDER BY path = x'00', path, file_offset",
	    sequence, members);
	dump(w->c,
	    "SELECT hex(path), type, size, mtime_sec, hex(sha256) FROM version" OF_BACKUP
	    "ORDER BY path",
	    sequence, paths);
}

static void
same(struct world *w, const char *what, struct buf *is, struct buf *want)
{
	if (strcmp(buf_str(is), buf_str(want)) != 0)
		fail_msg(
		    "history %u, %s:\n%s\nnot:\n%s", w->history, what, buf_str(is), buf_str(want));
	buf_done(is);
	buf_done(want);
}

static void
check_backup(struct world *w, const struct seal *s)
{
	struct buf members = {0}, paths = {0}, want_members = {0}, want_paths = {0};

	manifest_says(w, s, &want_members, &want_paths);
	catalog_says(w, s->sequence, &members, &paths);
	same(w, "members", &members, &want_members);
	same(w, "paths", &paths, &want_paths);
}

static void
check_rows(struct world *w, const struct repo_list *l)
{
	static const char *const tables[] = {"SELECT first, ifnull(last, 'open'), hex(path),"
					     " hex(sha256), ?1 FROM version ORDER BY path, first",
	    "SELECT first, ifnull(last, 'open'), hex(path), file_offset, kind, hex(digest),"
	    " hex(section), ?1 FROM member ORDER BY path, file_offset, first"};
	struct catalog *fresh = NULL;
	struct err e = {0};

	assert_int_equal(catalog_open_manifests(&fresh, w->f.repo, l, &e), 0);
	for (size_t i = 0; i < N(tables); i++) {
		struct buf is = {0}, want = {0};

		dump(w->c, tables[i], 0, &is);
		dump(fresh, tables[i], 0, &want);
		same(w, "rows", &is, &want);
	}
	catalog_close(fresh);
}

static void
sync_and_check(struct world *w)
{
	struct repo_list l;

	w->c = cf_synced(&w->f);
	cf_list(&w->f, &l);
	for (size_t i = 0; i < l.n; i++)
		check_backup(w, &l.backups[i].seal);
	check_rows(w, &l);
	repo_list_done(&l);
	catalog_close(w->c);
}

static void
live(struct world *w)
{
	for (size_t i = 0; i < SMALL; i++) {
		w->now.version[i] = 1;
		w->now.cut[i] = pick(w, 3) == 0;
	}
	for (int night = 0; night < NIGHTS; night++) {
		if (night == 0 || pick(w, 4) != 0) {
			edit_small(w);
			edit_large(w);
		}
		seal(w, night);
		if (pick(w, 3) == 0) {
			int gone = (int)pick(w, (unsigned)night + 1);

			if (w->is[gone])
				cf_remove(&w->f, w->names[gone]);
			w->is[gone] = false;
		}
		if (pick(w, 3) != 0)
			sync_and_check(w);
	}
	sync_and_check(w);
}

static void
a_backup_in_the_catalog_is_what_its_manifest_says(void **unused)
{
	(void)unused;
	for (unsigned i = 1; i <= HISTORIES; i++) {
		struct world w = {.seed = i, .history = i};

		cf_setup(&w.f);
		live(&w);
		cf_teardown(&w.f);
	}
}

/* Rows that one more night of the same takes. */
static void
a_night_without_change_writes_one_row(void **unused)
{
	struct world w = {.seed = 1};
	struct err e = {0};
	int64_t before = 0, after = 0;

	(void)unused;
	cf_setup(&w.f);
	edit_large(&w);
	for (size_t i = 0; i < LARGE; i++)
		w.now.chunks[i] = CHUNKS;
	for (size_t i = 0; i < SMALL; i++)
		w.now.version[i] = w.now.cut[i] = 1;
	seal(&w, 0);
	catalog_close(cf_synced(&w.f));
	for (int night = 1; night < 4; night++) {
		struct repo_list l;

		seal(&w, night);
		cf_list(&w.f, &l);
		assert_int_equal(catalog_open_write(&w.c, w.f.repo, &e), 0);
		assert_int_equal(catalog_db_int(w.c, "SELECT total_changes()", &before, &e), 1);
		assert_int_equal(catalog_sync(w.c, w.f.repo, &l, &e), 0);
		assert_int_equal(catalog_db_int(w.c, "SELECT total_changes()", &after, &e), 1);
		assert_int_equal(after - before, 1);
		catalog_close(w.c);
		repo_list_done(&l);
	}
	cf_teardown(&w.f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_backup_in_the_catalog_is_what_its_manifest_says),
	    cmocka_unit_test(a_night_without_change_writes_one_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
