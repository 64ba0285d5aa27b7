/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "core/path.h"
#include "tests/unit/catalog_fixture.h"

static const struct cf_entry night1[] = {
    D(""),
    D("a"),
    F("a/one", 1),
    F("a/two", 1),
    D("a-b"),
    F("a-b/x", 5),
    D("b"),
    D("b/c"),
    F("b/c/deep", 7),
    H("b/link", "a/one"),
    F("gone", 3),
    {.type = ENTRY_SYMLINK, .path = "sym", .link = "to nowhere/?*"},
};
static const struct cf_entry night2[] = {
    D(""),
    D("a"),
    F("a/one", 2),
    F("a/two", 1),
    D("a-b"),
    F("a-b/x", 5),
    D("b"),
    D("b/c"),
    F("b/c/deep", 7),
    H("b/link", "a/one"),
    F("new", 4),
    {.type = ENTRY_SYMLINK, .path = "sym", .link = "to nowhere/?*"},
};

struct world {
	struct cf f;
	struct repo_list l;
	struct catalog *c;
	char names[4][SEAL_NAME_MAX + 1];
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = {0};

	assert_non_null(w);
	cf_setup(&w->f);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 1}, night1, N(night1), w->names[0]);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 2}, night2, N(night2), w->names[1]);
	cf_backup(&w->f, &(struct cf_opts){.sequence = 5}, night1, N(night1), w->names[2]);
	cf_backup(
	    &w->f, &(struct cf_opts){.sequence = 1, .series = "other"}, night2, 4, w->names[3]);
	cf_list(&w->f, &w->l);
	if (catalog_open_write(&w->c, w->f.repo, &e) != 0 ||
	    catalog_sync(w->c, w->f.repo, &w->l, &e) != 0)
		fail_msg("%s", e.msg);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	catalog_close(w->c);
	repo_list_done(&w->l);
	cf_teardown(&w->f);
	free(w);
	return 0;
}

/* Answers as lines "SERIES PATH FIRST-LAST/N CONTENT". */
static int
note(void *ctx, const struct catalog_version *v, struct err *e)
{
	uint8_t digest[SHA256_LEN];
	struct buf *b = ctx;

	(void)e;
	buf_printf(b, "%s %s %llu-%llu/%llu", v->series, v->path_len > 0 ? v->path : ".",
	    (unsigned long long)v->first_seq, (unsigned long long)v->last_seq,
	    (unsigned long long)v->backups);
	for (unsigned i = 0; v->has_sha256 && i < 10; i++) {
		cf_digest(i, digest);
		if (memcmp(digest, v->sha256, SHA256_LEN) == 0)
			buf_printf(b, " v%u", i);
	}
	if (v->is_current)
		buf_puts(b, " now");
	if (v->link != NULL)
		buf_printf(b, " -> %s", v->link);
	buf_putc(b, '\n');
	return 0;
}

static void
expect(void **state, const struct catalog_query *q, const char *want)
{
	struct world *w = *state;
	struct err e = {0};
	struct buf b = {0};

	if (catalog_query(w->c, q, note, &b, &e) != 0)
		fail_msg("%s", e.msg);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void
a_path_is_told_version_by_version_oldest_first(void **state)
{
	expect(state, &(struct catalog_query){.path = "a/one"},
	    "data a/one 1-1/1 v1\n"
	    "data a/one 2-2/1 v2\n"
	    "data a/one 5-5/1 v1 now\n"
	    "other a/one 1-1/1 v2 now\n");
}

static void
a_path_that_did_not_change_is_one_version(void **state)
{
	expect(state, &(struct catalog_query){.path = "a/two", .series = "data"},
	    "data a/two 1-5/3 v1 now\n");
}

static void
a_path_that_came_back_has_a_gap(void **state)
{
	expect(state, &(struct catalog_query){.path = "gone"},
	    "data gone 1-1/1 v3\n"
	    "data gone 5-5/1 v3 now\n");
	expect(state, &(struct catalog_query){.path = "new"}, "data new 2-2/1 v4\n");
}

static void
a_hard_link_has_the_versions_of_its_target(void **state)
{
	expect(state, &(struct catalog_query){.path = "b/link"},
	    "data b/link 1-1/1 v1 -> a/one\n"
	    "data b/link 2-2/1 v2 -> a/one\n"
	    "data b/link 5-5/1 v1 now -> a/one\n");
	expect(state, &(struct catalog_query){.path = "b/link", .series = "data", .sequence = 2},
	    "data b/link 2-2/1 v2 -> a/one\n");
}

static void
the_source_itself_is_the_empty_path(void **state)
{
	expect(state, &(struct catalog_query){.path = "", .series = "data"}, "data . 1-5/3 now\n");
}

static void
unknown_paths_and_series_give_nothing(void **state)
{
	expect(state, &(struct catalog_query){.path = "a/on"}, "");
	expect(state, &(struct catalog_query){.path = "a/one/x"}, "");
	expect(state, &(struct catalog_query){.path = "a/one", .series = "nix"}, "");
}

static void
below_lists_children_only(void **state)
{
	expect(state, &(struct catalog_query){.below = "", .series = "data", .sequence = 2},
	    "data a 1-5/3 now\n"
	    "data a-b 1-5/3 now\n"
	    "data b 1-5/3 now\n"
	    "data new 2-2/1 v4\n"
	    "data sym 1-5/3 now -> to nowhere/?*\n");
	expect(state, &(struct catalog_query){.below = "b", .series = "data", .sequence = 1},
	    "data b/c 1-5/3 now\n"
	    "data b/link 1-1/1 v1 -> a/one\n");
	expect(
	    state, &(struct catalog_query){.below = "a/one", .series = "data", .sequence = 1}, "");
}

static void
below_recursive_has_the_directory_and_all_in_it(void **state)
{
	expect(state,
	    &(struct catalog_query){
		.below = "a", .series = "data", .sequence = 5, .recursive = true},
	    "data a 1-5/3 now\n"
	    "data a/one 5-5/1 v1 now\n"
	    "data a/two 1-5/3 v1 now\n");
}

static void
a_glob_with_a_slash_matches_whole_paths(void **state)
{
	expect(state, &(struct catalog_query){.glob = "a/*o", .series = "data"},
	    "data a/two 1-5/3 v1 now\n");
	expect(state, &(struct catalog_query){.glob = "/b/**", .series = "data", .sequence = 1},
	    "data b 1-5/3 now\n"
	    "data b/c 1-5/3 now\n"
	    "data b/c/deep 1-5/3 v7 now\n"
	    "data b/link 1-1/1 v1 -> a/one\n");
	expect(state, &(struct catalog_query){.glob = "a*/x", .series = "data"},
	    "data a-b/x 1-5/3 v5 now\n");
	expect(state, &(struct catalog_query){.glob = "**/deep", .series = "data"},
	    "data b/c/deep 1-5/3 v7 now\n");
}

static void
a_glob_without_a_slash_matches_names(void **state)
{
	expect(state, &(struct catalog_query){.glob = "d*p"}, "data b/c/deep 1-5/3 v7 now\n");
	expect(state, &(struct catalog_query){.glob = "?/", .series = "data"},
	    "data a 1-5/3 now\n"
	    "data b 1-5/3 now\n"
	    "data b/c 1-5/3 now\n");
}

static void
a_sequence_that_is_not_there_is_an_error(void **state)
{
	struct world *w = *state;
	struct err e = {0};
	struct buf b = {0};

	assert_int_equal(catalog_query(w->c,
			     &(struct catalog_query){.below = "", .series = "data", .sequence = 3},
			     note, &b, &e),
	    -1);
	assert_int_equal(e.kind, ERR_NOTFOUND);
	buf_done(&b);
}

static int
stop_at_second(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)v;
	(void)e;
	return ++*(int *)ctx == 2;
}

static int
fail_at_once(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)v;
	++*(int *)ctx;
	return err_set(e, ERR_SYS, "mine");
}

static void
the_callback_can_stop_and_fail(void **state)
{
	struct world *w = *state;
	const struct catalog_query q = {.glob = ""};
	struct err e = {0};
	int n = 0;

	assert_int_equal(catalog_query(w->c, &q, stop_at_second, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(e.kind, ERR_NONE);
	n = 0;
	assert_int_equal(catalog_query(w->c, &q, fail_at_once, &n, &e), -1);
	assert_int_equal(n, 1);
	assert_string_equal(e.msg, "mine");
}

/* A batch ends in the midst of a path's versions, and of a directory's children. */
static void
answers_are_whole_across_batches(void **state)
{
	enum { DIRS = 700 };
	struct world *w = *state;
	static struct cf_entry v[1 + 2 * DIRS];
	static char names[DIRS][2][16];
	struct repo_list l;
	struct buf b = {0};
	struct err e = {0};
	size_t lines = 0;

	v[0] = (struct cf_entry)D("");
	for (int i = 0; i < DIRS; i++) {
		(void)snprintf(names[i][0], 16, "d%04d", i);
		(void)snprintf(names[i][1], 16, "d%04d/f", i);
		v[1 + 2 * i] = (struct cf_entry)D(names[i][0]);
		v[2 + 2 * i] = (struct cf_entry)F(names[i][1], 1);
	}
	cf_backup(&w->f, &(struct cf_opts){.sequence = 1, .series = "wide"}, v, N(v), NULL);
	for (int i = 0; i < DIRS; i++)
		v[2 + 2 * i].version = 2;
	cf_backup(&w->f, &(struct cf_opts){.sequence = 2, .series = "wide"}, v, N(v), NULL);
	cf_list(&w->f, &l);
	assert_int_equal(catalog_sync(w->c, w->f.repo, &l, &e), 0);
	assert_int_equal(catalog_query(w->c, &(struct catalog_query){.below = "", .series = "wide"},
			     note, &b, &e),
	    0);
	for (size_t i = 0; i < b.len; i++)
		lines += b.data[i] == '\n';
	assert_int_equal(lines, DIRS);
	buf_clear(&b);
	assert_int_equal(catalog_query(w->c, &(struct catalog_query){.glob = "f", .series = "wide"},
			     note, &b, &e),
	    0);
	lines = 0;
	for (size_t i = 0; i < b.len; i++)
		lines += b.data[i] == '\n';
	assert_int_equal(lines, 2 * DIRS);
	buf_done(&b);
	repo_list_done(&l);
}

struct match {
	const char *glob;
	struct buf out;
};

static int
match_each(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct match *m = ctx;

	if (path_glob(m->glob, v->path, v->path_len, v->type == ENTRY_DIR))
		return note(&m->out, v, e);
	return 0;
}

/* The part of the tree that is looked through never is too small. */
static void
a_glob_finds_what_comparing_every_path_finds(void **state)
{
	static const char *const alphabet[] = {
	    "a", "b", "c", "one", "-", "/", "/", "*", "**", "?", "[a-c]", "[", "\\", "x", "deep"};
	struct world *w = *state;
	struct err e = {0};
	unsigned seed = 7, hits = 0;
	char glob[64];

	for (int round = 0; round < 3000; round++) {
		struct match m = {.glob = glob};
		struct buf b = {0};

		glob[0] = '\0';
		for (int i = rand_r(&seed) % 6; i >= 0; i--)
			(void)strcat(glob, alphabet[(unsigned)rand_r(&seed) % N(alphabet)]);
		if (catalog_query(w->c, &(struct catalog_query){.glob = ""}, match_each, &m, &e) !=
			0 ||
		    catalog_query(w->c, &(struct catalog_query){.glob = glob}, note, &b, &e) != 0)
			fail_msg("%s", e.msg);
		if (strcmp(buf_str(&m.out), buf_str(&b)) != 0)
			fail_msg("%s: %s instead of %s", glob, buf_str(&b), buf_str(&m.out));
		hits += b.len > 0;
		buf_done(&m.out);
		buf_done(&b);
	}
	assert_true(hits > 100);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_path_is_told_version_by_version_oldest_first),
	    T(a_path_that_did_not_change_is_one_version),
	    T(a_path_that_came_back_has_a_gap),
	    T(a_hard_link_has_the_versions_of_its_target),
	    T(the_source_itself_is_the_empty_path),
	    T(unknown_paths_and_series_give_nothing),
	    T(below_lists_children_only),
	    T(below_recursive_has_the_directory_and_all_in_it),
	    T(a_glob_with_a_slash_matches_whole_paths),
	    T(a_glob_without_a_slash_matches_names),
	    T(a_glob_finds_what_comparing_every_path_finds),
	    T(a_sequence_that_is_not_there_is_an_error),
	    T(the_callback_can_stop_and_fail),
	    T(answers_are_whole_across_batches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
