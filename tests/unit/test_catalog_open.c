/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/io.h"
#include "tests/unit/catalog_fixture.h"

/*
 * Catalogs that are damaged, foreign, or made to deceive: a query is answered all the same,
 * or gives an error; nothing crashes, hangs, or touches another file.
 */

enum { FILES = 600 };

struct world {
	struct cf f;
	struct cf_entry v[FILES + 1];
	char paths[FILES][16];
	char name[SEAL_NAME_MAX + 1];
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	cf_setup(&w->f);
	w->v[0] = (struct cf_entry)D("");
	for (unsigned i = 0; i < FILES; i++) {
		(void)snprintf(w->paths[i], sizeof(w->paths[i]), "file%05u", i);
		w->v[i + 1] = (struct cf_entry)F(w->paths[i], i);
	}
	cf_backup(&w->f, &(struct cf_opts){.sequence = 1}, w->v, N(w->v), w->name);
	catalog_close(cf_synced(&w->f));
	/* The lock is let go, as between two programs. */
	cf_reopen(&w->f);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cf_teardown(&w->f);
	free(w);
	return 0;
}

static int
count(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)e;
	*(size_t *)ctx += v->has_sha256 && v->size < FILES;
	return 0;
}

/* How many files a query finds; -1 and *e. */
static int
ask(struct world *w, struct err *e)
{
	struct catalog *c = NULL;
	struct repo_list l;
	size_t n = 0;
	int rc;

	cf_list(&w->f, &l);
	rc = catalog_open_query(&c, w->f.repo, &l, e);
	if (rc == 0)
		rc = catalog_query(c, &(struct catalog_query){.glob = "file*"}, count, &n, e);
	catalog_close(c);
	repo_list_done(&l);
	return rc == 0 ? (int)n : -1;
}

static void
asks_well(struct world *w)
{
	struct err e = {0};
	int n = ask(w, &e);

	if (n == -1)
		fail_msg("%s", e.msg);
	assert_int_equal(n, FILES);
}

static void
sql(struct world *w, const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(cf_path(&w->f, REPO_CATALOG), &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
put_file(struct world *w, const char *name, const void *data, size_t len)
{
	int fd = open(cf_path(&w->f, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct err e = {0};

	assert_true(fd != -1);
	assert_int_equal(io_write(fd, data, len, &e), 0);
	assert_int_equal(close(fd), 0);
}

static void
get_file(struct world *w, const char *name, struct buf *out)
{
	struct err e = {0};

	buf_clear(out);
	assert_int_equal(io_read_file(repo_fd(w->f.repo), name, 64u << 20, out, &e), 0);
}

static bool
is_there(struct world *w, const char *name)
{
	struct stat st;

	return lstat(cf_path(&w->f, name), &st) == 0;
}

static void
a_sound_catalog_is_used_as_it_is(void **state)
{
	struct world *w = *state;
	struct buf before = {0}, after = {0};

	get_file(w, REPO_CATALOG, &before);
	asks_well(w);
	get_file(w, REPO_CATALOG, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, after.len);
	buf_done(&before);
	buf_done(&after);
}

static void
a_lost_catalog_is_made_again(void **state)
{
	struct world *w = *state;

	assert_int_equal(unlink(cf_path(&w->f, REPO_CATALOG)), 0);
	asks_well(w);
	assert_true(is_there(w, REPO_CATALOG));
}

static void
a_lost_catalog_does_not_matter_while_the_repository_is_locked(void **state)
{
	struct world *w = *state;
	struct repo *other = NULL;
	struct err e = {0};

	assert_int_equal(unlink(cf_path(&w->f, REPO_CATALOG)), 0);
	assert_int_equal(repo_open(&other, w->f.dir, &e), 0);
	assert_int_equal(repo_lock(other, 0, &e), 0);
	asks_well(w);
	assert_false(is_there(w, REPO_CATALOG));
	repo_close(other);
}

static void
noise_in_its_place_is_replaced(void **state)
{
	struct world *w = *state;
	char noise[5000];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)(i * 7 ^ i >> 3);
	put_file(w, REPO_CATALOG, noise, sizeof(noise));
	asks_well(w);
	put_file(w, REPO_CATALOG, "", 0);
	asks_well(w);
	put_file(w, REPO_CATALOG, "SQLite format 3", 16);
	asks_well(w);
}

static void
a_newer_version_is_left_alone(void **state)
{
	struct world *w = *state;
	struct catalog *c = NULL;
	struct repo_list l;
	struct buf before = {0}, after = {0};
	struct err e = {0};

	sql(w, "PRAGMA user_version = 99");
	get_file(w, REPO_CATALOG, &before);
	asks_well(w);
	assert_int_equal(repo_lock(w->f.repo, 0, &e), 0);
	assert_int_equal(catalog_open_write(&c, w->f.repo, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	cf_list(&w->f, &l);
	err_clear(&e);
	assert_int_equal(catalog_rebuild(w->f.repo, &l, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	repo_list_done(&l);
	get_file(w, REPO_CATALOG, &after);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, after.len);
	buf_done(&before);
	buf_done(&after);
}

static void
a_database_of_another_program_is_left_alone(void **state)
{
	struct world *w = *state;
	struct catalog *c = NULL;
	struct err e = {0};

	assert_int_equal(unlink(cf_path(&w->f, REPO_CATALOG)), 0);
	sql(w, "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
	asks_well(w);
	assert_int_equal(catalog_open_write(&c, w->f.repo, &e), -1);
	assert_int_equal(e.kind, ERR_UNSUPPORTED);
	sql(w, "DELETE FROM theirs");
}

static void
a_schema_with_more_in_it_is_not_ours(void **state)
{
	struct world *w = *state;
	static const char *const more[] = {
	    "CREATE TRIGGER t AFTER INSERT ON backup BEGIN DELETE FROM version; END",
	    "CREATE VIEW v AS SELECT * FROM backup",
	    "CREATE TABLE t (x)",
	    "DROP INDEX member_digest",
	    "ALTER TABLE version ADD COLUMN more",
	    "ALTER TABLE version RENAME TO t; CREATE VIEW version AS SELECT * FROM t",
	    "CREATE INDEX i ON version (abs(size))",
	};

	for (size_t i = 0; i < N(more); i++) {
		sql(w, more[i]);
		asks_well(w);
		sql(w, "PRAGMA quick_check"); /* and it was made again */
		asks_well(w);
	}
}

static void
tables_that_change_places_do_no_harm(void **state)
{
	struct world *w = *state;
	static const char *const names[] = {"version", "member", "backup", "series", "verification",
	    "member_digest", "member_first"};
	char text[512];
	struct err e;

	for (size_t i = 0; i < N(names); i++)
		for (size_t k = 0; k < i; k++) {
			(void)snprintf(text, sizeof(text),
			    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage ="
			    " (SELECT sum(rootpage) FROM sqlite_schema WHERE name IN ('%s', '%s'))"
			    " - rootpage WHERE name IN ('%s', '%s')",
			    names[i], names[k], names[i], names[k]);
			sql(w, text);
			err_clear(&e);
			if (ask(w, &e) == -1)
				assert_int_equal(e.kind, ERR_CORRUPT);
			assert_int_equal(unlink(cf_path(&w->f, REPO_CATALOG)), 0);
			asks_well(w);
		}
}

static void
pages_that_point_in_circles_come_to_an_end(void **state)
{
	struct world *w = *state;
	struct buf b = {0};
	struct err e = {0};
	size_t page = 4096, root = 0, cells, at, patched = 0;
	struct catalog *c = NULL;
	struct catalog_verification v;
	uint64_t members, shared;
	uint8_t *p;

	/* Every interior page of an index: all its children are the first of them. */
	get_file(w, REPO_CATALOG, &b);
	for (root = 1; root < b.len / page; root++) {
		p = b.data + root * page;
		if (p[0] != 2)
			continue;
		cells = (size_t)p[3] << 8 | p[4];
		for (size_t i = 0; i < cells && 12 + 2 * i + 1 < page; i++) {
			at = (size_t)p[12 + 2 * i] << 8 | p[13 + 2 * i];
			if (i == 0)
				memcpy(p + 8, p + at, 4);
			else
				memcpy(p + at, p + 8, 4);
			patched++;
		}
	}
	assert_true(patched > 3);
	put_file(w, REPO_CATALOG, b.data, b.len);
	assert_int_equal(ask(w, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(catalog_open_history(&c, w->f.repo, &e), 0);
	(void)catalog_stats_shared(c, w->name, &members, &shared, &e);
	(void)catalog_last_verification(c, w->name, &v, &e);
	catalog_close(c);

	/* Nor does a writer go round in it: it makes a new one. */
	assert_int_equal(repo_lock(w->f.repo, 0, &e), 0);
	w->v[FILES].version++;
	cf_backup(&w->f, &(struct cf_opts){.sequence = 2}, w->v, N(w->v), NULL);
	catalog_close(cf_synced(&w->f));
	err_clear(&e);
	assert_int_equal(ask(w, &e), FILES);
	buf_done(&b);
}

static void
flipped_bits_do_no_harm(void **state)
{
	struct world *w = *state;
	struct buf sound = {0}, b = {0};
	unsigned seed = 1;
	struct err e;

	get_file(w, REPO_CATALOG, &sound);
	for (int round = 0; round < 150; round++) {
		buf_clear(&b);
		buf_append(&b, sound.data, sound.len);
		for (int i = 0; i <= round % 8; i++) {
			/* Mostly in headers and at the start of pages, where it hurts. */
			size_t page = (size_t)rand_r(&seed) % (b.len / 4096);
			size_t in = (size_t)rand_r(&seed) % (round % 3 == 0 ? 4096 : 40);

			b.data[page * 4096 + in] ^= (uint8_t)(1u << rand_r(&seed) % 8);
		}
		put_file(w, REPO_CATALOG, b.data, b.len);
		err_clear(&e);
		(void)ask(w, &e);
		(void)unlink(cf_path(&w->f, REPO_CATALOG "-journal"));
	}
	assert_int_equal(unlink(cf_path(&w->f, REPO_CATALOG)), 0);
	asks_well(w);
	buf_done(&sound);
	buf_done(&b);
}

static void
a_link_is_not_followed(void **state)
{
	struct world *w = *state;
	struct buf b = {0};
	char target[600];

	(void)snprintf(target, sizeof(target), "%s", cf_path(&w->f, "elsewhere"));
	assert_int_equal(rename(cf_path(&w->f, REPO_CATALOG), target), 0);
	assert_int_equal(symlink(target, cf_path(&w->f, REPO_CATALOG)), 0);
	sql(w, "DELETE FROM version"); /* sqlite follows it, to what says nothing now */
	get_file(w, "elsewhere", &b);
	asks_well(w);
	assert_true(is_there(w, "elsewhere"));
	buf_done(&b);
}

/* The child leaves a half-written catalog with a journal that undoes it. */
static void
leave_hot_journal(struct world *w)
{
	int status;
	pid_t pid = fork();

	assert_true(pid != -1);
	if (pid == 0) {
		sqlite3 *db = NULL;

		if (sqlite3_open(cf_path(&w->f, REPO_CATALOG), &db) != SQLITE_OK ||
		    sqlite3_exec(db, "BEGIN; UPDATE version SET sha256 = NULL", NULL, NULL, NULL) !=
			SQLITE_OK ||
		    sqlite3_db_cacheflush(db) != SQLITE_OK)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(is_there(w, REPO_CATALOG "-journal"));
}

static void
what_was_not_committed_is_never_read(void **state)
{
	struct world *w = *state;
	struct repo *other = NULL;
	struct err e = {0};

	leave_hot_journal(w);
	/* Nothing may be written: the manifests answer. */
	assert_int_equal(repo_open(&other, w->f.dir, &e), 0);
	assert_int_equal(repo_lock(other, 0, &e), 0);
	asks_well(w);
	assert_true(is_there(w, REPO_CATALOG "-journal"));
	repo_close(other);
	/* Else it is rolled back. */
	asks_well(w);
	assert_false(is_there(w, REPO_CATALOG "-journal"));
}

static void
rebuild_does_not_leave_the_old_journal_to_the_new_file(void **state)
{
	struct world *w = *state;
	struct repo_list l;
	struct err e = {0};

	leave_hot_journal(w);
	put_file(w, REPO_CATALOG, "noise, noise, noise", 19);
	assert_int_equal(repo_lock(w->f.repo, 0, &e), 0);
	cf_list(&w->f, &l);
	if (catalog_rebuild(w->f.repo, &l, &e) != 0)
		fail_msg("%s", e.msg);
	repo_list_done(&l);
	assert_false(is_there(w, REPO_CATALOG "-journal"));
	assert_false(is_there(w, ".catalog.sqlite3.new"));
	asks_well(w);
}

/*
 * SQLite removes the super-journal that a journal names.  First that this is a danger at
 * all, then that it is none for us.
 */
static void
a_journal_that_names_a_file_does_not_get_it_removed(void **state)
{
	static const uint8_t magic[] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
	struct world *w = *state;
	const char *victim;
	struct buf b = {0};
	uint32_t sum = 0, len;

	leave_hot_journal(w);
	get_file(w, REPO_CATALOG "-journal", &b);
	put_file(w, "victim", "precious", 8);
	victim = cf_path(&w->f, "victim");
	len = (uint32_t)strlen(victim);
	for (uint32_t i = 0; i < len; i++)
		sum += (unsigned char)victim[i];
	buf_zeros(&b, 4); /* the page number of the lock byte; not looked at */
	buf_append(&b, victim, len);
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(&b, (char)(len >> shift));
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_putc(&b, (char)(sum >> shift));
	buf_append(&b, magic, sizeof(magic));
	assert_int_equal(buf_check(&b, NULL), 0);
	put_file(w, REPO_CATALOG "-journal", b.data, b.len);
	asks_well(w);
	assert_true(is_there(w, "victim"));

	leave_hot_journal(w);
	put_file(w, REPO_CATALOG "-journal", b.data, b.len);
	sql(w, "SELECT count(*) FROM version");
	assert_false(is_there(w, "victim"));
	buf_done(&b);
}

static void
a_write_ahead_log_is_not_taken_in(void **state)
{
	struct world *w = *state;
	int status;
	pid_t pid = fork();

	assert_true(pid != -1);
	if (pid == 0) {
		sqlite3 *db = NULL;

		if (sqlite3_open(cf_path(&w->f, REPO_CATALOG), &db) != SQLITE_OK ||
		    sqlite3_exec(db, "PRAGMA journal_mode = WAL; DELETE FROM version", NULL, NULL,
			NULL) != SQLITE_OK)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(is_there(w, REPO_CATALOG "-wal"));
	asks_well(w);
	assert_false(is_there(w, REPO_CATALOG "-wal"));
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_sound_catalog_is_used_as_it_is),
	    T(a_lost_catalog_is_made_again),
	    T(a_lost_catalog_does_not_matter_while_the_repository_is_locked),
	    T(noise_in_its_place_is_replaced),
	    T(a_newer_version_is_left_alone),
	    T(a_database_of_another_program_is_left_alone),
	    T(a_schema_with_more_in_it_is_not_ours),
	    T(tables_that_change_places_do_no_harm),
	    T(pages_that_point_in_circles_come_to_an_end),
	    T(flipped_bits_do_no_harm),
	    T(a_link_is_not_followed),
	    T(what_was_not_committed_is_never_read),
	    T(rebuild_does_not_leave_the_old_journal_to_the_new_file),
	    T(a_journal_that_names_a_file_does_not_get_it_removed),
	    T(a_write_ahead_log_is_not_taken_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
