/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "manifest/diff.h"
#include "tests/unit/catalog_fixture.h"

struct world {
	struct cf f;
	uint64_t sequence;
	char names[2][SEAL_NAME_MAX + 1];
	struct buf told; /* "C path what,what\n" */
	struct diff_totals totals;
	unsigned damaged;
	struct diff_opts opts;
	const char *below;
};

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	cf_setup(&w->f);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cf_teardown(&w->f);
	buf_done(&w->told);
	free(w);
	return 0;
}

static void
make(struct world *w, int which, const struct cf_entry *v, size_t n, unsigned cut)
{
	cf_backup(
	    &w->f, &(struct cf_opts){.sequence = ++w->sequence, .cut = cut}, v, n, w->names[which]);
}

static int
put(void *ctx, const struct diff_item *d, struct err *e)
{
	struct world *w = ctx;
	const struct section_line *l = d->kind == DIFF_REMOVED ? d->before.line : d->after.line;

	(void)e;
	if (l == NULL)
		return -1;
	assert_int_equal(d->before.line == NULL, d->kind == DIFF_ADDED);
	assert_int_equal(d->after.line == NULL, d->kind == DIFF_REMOVED);
	buf_printf(&w->told, "%c %s", "ARCF"[d->kind], l -> path);
	for (unsigned bit = 1; diff_what_name(bit) != NULL; bit <<= 1)
		if ((d->what & bit) != 0)
			buf_printf(&w->told, " %s", diff_what_name(bit));
	buf_putc(&w->told, '\n');
	return 0;
}

static void
damaged(void *ctx, const char *why)
{
	struct world *w = ctx;

	assert_true(why[0] != '\0');
	w->damaged++;
}

static const char *
diff(struct world *w)
{
	struct side *sides[2] = {NULL, NULL};
	struct repo_backup b[2] = {0};
	struct err e = {0};

	buf_clear(&w->told);
	w->damaged = 0;
	w->opts.limited = w->below != NULL;
	for (int i = 0; i < 2; i++) {
		const struct side_opts so = {.below = w->below, .damaged = damaged, .ctx = w};

		assert_int_equal(repo_read_seal(w->f.repo, w->names[i], w->f.trust, &b[i], &e), 0);
		if (side_open(&sides[i], w->f.repo, &b[i].seal, &so, &e) != 0)
			fail_msg("%s", e.msg);
	}
	if (diff_run(sides[0], sides[1], &w->opts, put, w, &w->totals, &e) != 0)
		fail_msg("%s", e.msg);
	for (int i = 0; i < 2; i++) {
		side_close(sides[i]);
		repo_backup_done(&b[i]);
	}
	return buf_str(&w->told);
}

/* ---- what is told ---- */

static void
each_kind_of_difference_is_told(void **state)
{
	const struct cf_entry before[] = {D(""), F("content", 1), F("gone", 2),
	    {.type = ENTRY_SYMLINK, .path = "link", .link = "a"}, F("mode", 3), F("same", 4),
	    F("type", 5)};
	const struct cf_entry after[] = {D(""), F("content", 9),
	    {.type = ENTRY_SYMLINK, .path = "link", .link = "b"},
	    {.type = ENTRY_FILE, .path = "mode", .version = 3, .mode = 0600}, F("new", 6),
	    F("same", 4), D("type")};
	struct world *w = *state;

	make(w, 0, before, N(before), 0);
	make(w, 1, after, N(after), 0);
	assert_string_equal(diff(w),
	    "C content content mtime\nR gone\nF link link\nF mode mode\nA new\nC type type\n");
	assert_int_equal(w->totals.same, 2);
	assert_int_equal(w->totals.kinds[DIFF_ADDED].after, 6);
	assert_int_equal(w->totals.kinds[DIFF_REMOVED].before, 2);
	assert_int_equal(w->totals.kinds[DIFF_CHANGED].before, 6);
	assert_int_equal(w->totals.kinds[DIFF_CHANGED].after, 9);
	assert_int_equal(w->totals.kinds[DIFF_CHANGED].n, 2);
	assert_int_equal(w->totals.unknown, 0);

	w->opts.content_only = true;
	assert_string_equal(diff(w), "C content content mtime\nR gone\nA new\nC type type\n");
	assert_int_equal(w->totals.same, 4);
	assert_int_equal(w->totals.kinds[DIFF_FACTS].n, 0);
}

static void
what_both_have_is_not_read(void **state)
{
	struct cf_entry tree[302];
	char names[300][16];
	struct world *w = *state;
	unsigned at = 0;

	tree[0] = (struct cf_entry)D("");
	for (unsigned i = 0; i < 300; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "f%03u", i);
		tree[i + 1] = (struct cf_entry)F(names[i], i + 1);
	}
	tree[301] = (struct cf_entry)F("zz", 1);
	make(w, 0, tree, N(tree), 0);
	tree[301].version = 2;
	make(w, 1, tree, N(tree), 0);
	/* Damage in sections that are equal cannot be seen when they are not read. */
	for (int i = 0; i < 2; i++)
		cf_damage(&w->f, REPO_MANIFEST, w->names[i], 200);
	assert_string_equal(diff(w), "C zz content mtime\n");
	assert_int_equal(w->totals.same, 301);
	assert_int_equal(w->damaged, 0);
	/* In the half that a limit asks for, all is read. */
	w->below = "f000";
	(void)diff(w);
	for (at = 0; at < 4 && w->damaged == 0; at++) {
		w->below = names[at];
		(void)diff(w);
	}
	assert_true(w->damaged > 0);
}

static void
a_path_limits_it(void **state)
{
	const struct cf_entry before[] = {
	    D(""), D("a"), F("a/x", 1), F("a/y", 1), F("a.b", 1), F("b", 1)};
	const struct cf_entry after[] = {
	    D(""), D("a"), F("a/x", 2), F("a/z", 2), F("a.b", 2), F("b", 2)};
	struct world *w = *state;

	for (unsigned cut = 1; cut < 5; cut++) {
		make(w, 0, before, N(before), cut);
		make(w, 1, after, N(after), cut);
		w->below = "a";
		assert_string_equal(diff(w), "C a/x content mtime\nR a/y\nA a/z\n");
		w->below = "b";
		assert_string_equal(diff(w), "C b content mtime\n");
		w->below = "a/x";
		assert_string_equal(diff(w), "C a/x content mtime\n");
		w->below = "a/xx";
		assert_string_equal(diff(w), "");
		assert_int_equal(w->totals.same, 0);
		w->below = NULL;
	}
}

/* ---- hard links ---- */

static void
a_link_counts_with_the_content_of_its_target(void **state)
{
	/* The link stands in a section of its own, and its line has the time of its target. */
	struct cf_entry tree[] = {D(""), F("a", 1), F("b", 1),
	    {.type = ENTRY_HARDLINK, .path = "z", .link = "a", .version = 1}};
	struct world *w = *state;

	make(w, 0, tree, N(tree), 1);
	tree[1].version = tree[3].version = 2;
	make(w, 1, tree, N(tree), 1);
	assert_string_equal(diff(w), "C a content mtime\nC z content mtime\n");
	/* Bytes are counted once. */
	assert_int_equal(w->totals.kinds[DIFF_CHANGED].after, 2);
}

static void
content_that_changes_without_a_trace_is_seen_in_links_too(void **state)
{
	struct cf_entry tree[] = {D(""),
	    {.type = ENTRY_FILE, .path = "a", .version = 1, .still = true}, F("b", 1),
	    {.type = ENTRY_HARDLINK, .path = "z", .link = "a", .still = true}};
	struct world *w = *state;

	for (unsigned cut = 1; cut < 5; cut++) {
		tree[1].version = 1;
		make(w, 0, tree, N(tree), cut);
		tree[1].version = 2;
		make(w, 1, tree, N(tree), cut);
		assert_string_equal(diff(w), "C a content\nC z content\n");
		w->below = "z";
		assert_string_equal(diff(w), "C z content\n");
		w->below = NULL;
	}
}

static void
a_file_that_becomes_a_link_of_the_same_content_differs_in_facts(void **state)
{
	const struct cf_entry before[] = {D(""), F("a", 3), F("b", 3)};
	const struct cf_entry after[] = {
	    D(""), F("a", 3), {.type = ENTRY_HARDLINK, .path = "b", .link = "a", .version = 3}};
	struct world *w = *state;

	make(w, 0, before, N(before), 1);
	make(w, 1, after, N(after), 1);
	assert_string_equal(diff(w), "F b link\n");
}

static void
a_link_to_nothing_is_damage(void **state)
{
	const struct cf_entry before[] = {D(""), F("a", 3), F("b", 3)};
	const struct cf_entry after[] = {D(""), F("a", 3), H("b", "nix")};
	struct world *w = *state;

	make(w, 0, before, N(before), 1);
	make(w, 1, after, N(after), 1);
	(void)diff(w);
	assert_int_equal(w->damaged, 1);
}

/* ---- damage ---- */

/*
 * Wherever a byte of a manifest is damaged: what is told is a part of what was told of sound
 * ones; nothing appears that is not so, and damage was told when something is missing.
 */
static void
damage_never_makes_a_difference(void **state)
{
	struct cf_entry tree[42];
	char names[40][16];
	struct world *w = *state;
	unsigned found = 0;
	char whole[4096], line[256];

	tree[0] = (struct cf_entry)D("");
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "f%03u", i);
		tree[i + 1] = (struct cf_entry)F(names[i], 1);
	}
	tree[41] =
	    (struct cf_entry){.type = ENTRY_HARDLINK, .path = "l", .link = "f020", .version = 1};
	make(w, 0, tree, N(tree), 3);
	for (unsigned i = 1; i < 41; i += 2)
		tree[i].version = 2;
	make(w, 1, tree, N(tree), 3);
	(void)snprintf(whole, sizeof(whole), "%s", diff(w));
	for (long at = 120; at < 1600; at += 37) {
		const int which = (int)(at % 2);

		cf_damage(&w->f, REPO_MANIFEST, w->names[which], at);
		for (const char *t = diff(w); *t != '\0'; t = strchr(t, '\n') + 1) {
			(void)snprintf(
			    line, sizeof(line), "%.*s", (int)(strchr(t, '\n') - t + 1), t);
			assert_non_null(strstr(whole, line));
		}
		assert_true(w->damaged > 0 || strcmp(buf_str(&w->told), whole) == 0);
		found += w->damaged;
		cf_damage(&w->f, REPO_MANIFEST, w->names[which], at);
	}
	assert_true(found > 10);
	assert_string_equal(diff(w), whole);
}

static void
a_manifest_that_is_gone_is_no_answer(void **state)
{
	const struct cf_entry tree[] = {D(""), F("a", 3)};
	struct world *w = *state;
	struct repo_backup b = {0};
	struct side *s = NULL;
	char part[SEAL_NAME_MAX + 32];
	struct err e = {0};

	make(w, 0, tree, N(tree), 1);
	assert_int_equal(repo_read_seal(w->f.repo, w->names[0], w->f.trust, &b, &e), 0);
	(void)snprintf(part, sizeof(part), "%s.manifest.gz", w->names[0]);
	assert_int_equal(remove(cf_path(&w->f, part)), 0);
	assert_int_equal(side_open(&s, w->f.repo, &b.seal, &(struct side_opts){0}, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	repo_backup_done(&b);
}

/* ---- against a naive model ---- */

#define PATHS 40

struct model {
	struct cf_entry v[PATHS + 1];
	size_t n;
};

static uint32_t seed;

static uint32_t
any(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static const char *
path_of(unsigned i)
{
	static char paths[PATHS][24];
	static const char *const dirs[] = {"a", "a/b", "a.b", "c"};

	if (i < 4)
		return dirs[i];
	if (paths[i][0] == '\0')
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/f%u", dirs[i % 4], i);
	return paths[i];
}

static int
by_path(const void *a, const void *b)
{
	const struct cf_entry *x = a, *y = b;

	return path_cmp(x->path, strlen(x->path), y->path, strlen(y->path));
}

static const struct cf_entry *
lookup(const struct model *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->v[i].path, path) == 0)
			return &m->v[i];
	return NULL;
}

/* Directories always, files mostly; each fourth a link to the first file before it, if any. */
static void
fill(struct model *m, const struct model *last)
{
	m->n = 0;
	m->v[m->n++] = (struct cf_entry)D("");
	for (unsigned i = 0; i < PATHS; i++) {
		const struct cf_entry *was = last != NULL ? lookup(last, path_of(i)) : NULL;

		if (i < 4)
			m->v[m->n++] = (struct cf_entry)D(path_of(i));
		else if (was != NULL && was->type == ENTRY_FILE && any(4) != 0)
			m->v[m->n++] = *was;
		else if (any(5) != 0)
			m->v[m->n++] = (struct cf_entry){.type = ENTRY_FILE,
			    .path = path_of(i),
			    .version = 1 + any(3),
			    .still = any(2) == 0,
			    .mode = any(8) == 0 ? 0600 : 0};
	}
	qsort(m->v, m->n, sizeof(m->v[0]), by_path);
	for (size_t i = 1, target = 0; i < m->n; i++) {
		if (m->v[i].type != ENTRY_FILE)
			continue;
		if (target != 0 && i % 4 == 0) {
			const struct cf_entry *t = &m->v[target];

			m->v[i] = (struct cf_entry){.type = ENTRY_HARDLINK,
			    .path = m->v[i].path,
			    .link = t->path,
			    .version = t->version,
			    .still = t->still,
			    .mode = t->mode};
		} else if (target == 0 || any(6) == 0)
			target = i;
	}
}

static int64_t
mtime_of(const struct cf_entry *v)
{
	return v->still ? 0 : v->version;
}

static void
expect_pair(struct buf *out, const struct cf_entry *a, const struct cf_entry *b)
{
	struct buf what = {0};
	bool files = a->type != ENTRY_DIR;
	bool content = files &&
	    (a->version != b->version ||
		(a->still ? 5 : a->version) != (b->still ? 5 : b->version));

	if (content)
		buf_puts(&what, " content");
	if (a->mode != b->mode)
		buf_puts(&what, " mode");
	if (mtime_of(a) != mtime_of(b))
		buf_puts(&what, " mtime");
	if (a->type != b->type || (a->link != NULL && strcmp(a->link, b->link) != 0))
		buf_puts(&what, " link");
	if (what.len > 0)
		buf_printf(out, "%c %s%s\n", content ? 'C' : 'F', a->path, buf_str(&what));
	buf_done(&what);
}

static void
expect(struct buf *out, const struct model *a, const struct model *b, const char *below)
{
	size_t i = 0, j = 0;

	while (i < a->n || j < b->n) {
		int cmp = i == a->n ? 1 : j == b->n ? -1 : by_path(&a->v[i], &b->v[j]);
		const char *path = cmp <= 0 ? a->v[i].path : b->v[j].path;

		if (below != NULL && !path_within(path, strlen(path), below, strlen(below)))
			;
		else if (cmp == 0)
			expect_pair(out, &a->v[i], &b->v[j]);
		else
			buf_printf(out, "%c %s\n", cmp < 0 ? 'R' : 'A', path);
		i += cmp <= 0;
		j += cmp >= 0;
	}
}

static void
random_trees_differ_as_in_a_naive_model(void **state)
{
	static struct model m[2];
	struct world *w = *state;
	struct buf want = {0};
	size_t told = 0;

	for (seed = 1; seed < 40000000; seed += 500009) {
		uint32_t keep = seed;

		fill(&m[0], NULL);
		fill(&m[1], any(3) != 0 ? &m[0] : NULL);
		make(w, 0, m[0].v, m[0].n, 1 + any(6));
		make(w, 1, m[1].v, m[1].n, 1 + any(6));
		for (int round = 0; round < 8; round++) {
			w->below = round == 0 ? NULL : round == 1 ? "a" : path_of(any(PATHS));
			buf_clear(&want);
			expect(&want, &m[0], &m[1], w->below);
			assert_string_equal(diff(w), buf_str(&want));
			assert_int_equal(w->damaged + w->totals.unknown, 0);
			told += want.len;
		}
		cf_remove(&w->f, w->names[0]);
		cf_remove(&w->f, w->names[1]);
		seed = keep;
	}
	assert_true(told > 10000);
	buf_done(&want);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(each_kind_of_difference_is_told),
	    T(what_both_have_is_not_read),
	    T(a_path_limits_it),
	    T(a_link_counts_with_the_content_of_its_target),
	    T(content_that_changes_without_a_trace_is_seen_in_links_too),
	    T(a_file_that_becomes_a_link_of_the_same_content_differs_in_facts),
	    T(a_link_to_nothing_is_damage),
	    T(damage_never_makes_a_difference),
	    T(a_manifest_that_is_gone_is_no_answer),
	    T(random_trees_differ_as_in_a_naive_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
