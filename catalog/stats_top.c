/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "catalog/catalog.h"
#include "core/buf.h"
#include "core/err.h"

/*
 * The first n of all that a query tells of, by up to three numbers, the highest first; what was
 * told of earlier goes before what has the same numbers.  A heap with the last of them on top.
 */
enum { NUMBERS = 3 };

struct item {
	uint64_t by[NUMBERS];
	uint64_t seen; /* when */
	char *text; /* all strings; owned */
	struct catalog_version version;
	struct catalog_changes changes;
};

struct top {
	struct item *v;
	size_t n, max, cap;
	uint64_t seen;
};

/* Does a stand before b in the end? */
static bool
before(const struct item *a, const struct item *b)
{
	for (int i = 0; i < NUMBERS; i++)
		if (a->by[i] != b->by[i])
			return a->by[i] > b->by[i];
	return a->seen < b->seen;
}

static void
swap(struct item *a, struct item *b)
{
	struct item tmp = *a;

	*a = *b;
	*b = tmp;
}

static void
sink(struct top *t, size_t i)
{
	for (;;) {
		size_t worst = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < t->n; k++)
			if (before(&t->v[worst], &t->v[k]))
				worst = k;
		if (worst == i)
			return;
		swap(&t->v[i], &t->v[worst]);
		i = worst;
	}
}

static void
rise(struct top *t, size_t i)
{
	while (i > 0 && before(&t->v[(i - 1) / 2], &t->v[i])) {
		swap(&t->v[i], &t->v[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static bool
wanted(const struct top *t, const struct item *it)
{
	return t->max > 0 && (t->n < t->max || before(it, &t->v[0]));
}

/* Takes it->text over in every case. */
static int
add(struct top *t, const struct item *it, struct err *e)
{
	if (t->n == t->max) {
		free(t->v[0].text);
		t->v[0] = *it;
		sink(t, 0);
		return 0;
	}
	if (t->n == t->cap) {
		size_t cap = t->cap > 0 ? 2 * t->cap : 16;
		void *v = reallocarray(t->v, cap, sizeof(*t->v));

		if (v == NULL) {
			free(it->text);
			return err_nomem(e);
		}
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n++] = *it;
	rise(t, t->n - 1);
	return 0;
}

static int
by_place(const void *pa, const void *pb)
{
	return before(pa, pb) ? -1 : 1;
}

static void
top_done(struct top *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->v[i].text);
	free(t->v);
}

/* Strings one after the other in memory of their own; at[i] is where the i-th begins. */
static char *
copy_strings(const char *const *s, const size_t *len, size_t n, const char **at, struct err *e)
{
	size_t sum = 0, used = 0;
	char *text;

	for (size_t i = 0; i < n; i++)
		sum += len[i] + 1;
	text = malloc(sum);
	if (text == NULL) {
		(void)err_nomem(e);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		at[i] = text + used;
		memcpy(text + used, s[i], len[i]);
		text[used + len[i]] = '\0';
		used += len[i] + 1;
	}
	return text;
}

/* ---- the largest ---- */

static int
look_at_size(void *ctx, const struct catalog_version *v, struct err *e)
{
	const char *const s[] = {v->series, v->path, v->first_name, v->last_name};
	const size_t len[] = {
	    strlen(v->series), v->path_len, strlen(v->first_name), strlen(v->last_name)};
	struct top *t = ctx;
	struct item it = {.by = {v->size}, .seen = t->seen++, .version = *v};
	const char *at[4];

	/* A hard link is another name of a file that is told of by itself. */
	if (v->type != ENTRY_FILE || !v->is_current || !wanted(t, &it))
		return 0;
	it.text = copy_strings(s, len, 4, at, e);
	if (it.text == NULL)
		return -1;
	it.version.series = at[0];
	it.version.path = at[1];
	it.version.first_name = at[2];
	it.version.last_name = at[3];
	return add(t, &it, e);
}

int
catalog_stats_largest(
    struct catalog *c, const char *series, size_t n, catalog_fn fn, void *ctx, struct err *e)
{
	const struct catalog_query q = {.series = series, .glob = ""};
	struct top t = {.max = n};
	int rc = catalog_query(c, &q, look_at_size, &t, e);

	if (rc == 0 && t.n > 0)
		qsort(t.v, t.n, sizeof(*t.v), by_place);
	for (size_t i = 0; rc == 0 && i < t.n; i++)
		rc = fn(ctx, &t.v[i].version, e);
	top_done(&t);
	return rc < 0 ? -1 : 0;
}

/* ---- those that changed most ---- */

/* Versions come path by path. */
struct story {
	struct top top;
	struct catalog_changes now; /* of the path at hand; versions 0: none */
	struct buf series, path;
	bool has_sha256; /* of its last version */
	uint8_t sha256[SHA256_LEN];
};

static int
end_path(struct story *s, struct err *e)
{
	const struct catalog_changes *p = &s->now;
	struct item it = {
	    .by = {p->contents, p->versions, p->bytes}, .seen = s->top.seen++, .changes = *p};
	const char *const strings[] = {(const char *)s->series.data, (const char *)s->path.data};
	const size_t len[] = {s->series.len, s->path.len};
	const char *at[2];

	if (p->versions < 2 || !wanted(&s->top, &it))
		return 0;
	it.text = copy_strings(strings, len, 2, at, e);
	if (it.text == NULL)
		return -1;
	it.changes.series = at[0];
	it.changes.path = at[1];
	it.changes.path_len = s->path.len;
	return add(&s->top, &it, e);
}

static bool
is_same(const struct buf *b, const char *data, size_t len)
{
	return b->len == len && (len == 0 || memcmp(b->data, data, len) == 0);
}

static int
begin_path(struct story *s, const struct catalog_version *v, struct err *e)
{
	if (end_path(s, e) != 0)
		return -1;
	s->now = (struct catalog_changes){0};
	buf_clear(&s->series);
	buf_clear(&s->path);
	buf_puts(&s->series, v->series);
	buf_append(&s->path, v->path, v->path_len);
	return buf_check(&s->series, e) != 0 ? -1 : buf_check(&s->path, e);
}

static int
look_at_changes(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct story *s = ctx;
	struct catalog_changes *p = &s->now;

	if (v->type != ENTRY_FILE)
		return 0;
	if ((!is_same(&s->path, v->path, v->path_len) ||
		!is_same(&s->series, v->series, strlen(v->series)) || p->versions == 0) &&
	    begin_path(s, v, e) != 0)
		return -1;
	if (p->versions == 0 || !s->has_sha256 || !v->has_sha256 ||
	    memcmp(s->sha256, v->sha256, SHA256_LEN) != 0) {
		p->contents++;
		p->bytes += v->size;
	}
	p->versions++;
	p->size = v->size;
	p->is_current = v->is_current;
	s->has_sha256 = v->has_sha256;
	memcpy(s->sha256, v->sha256, SHA256_LEN);
	return 0;
}

int
catalog_stats_most_changed(struct catalog *c, const char *series, size_t n, catalog_changes_fn fn,
    void *ctx, struct err *e)
{
	const struct catalog_query q = {.series = series, .glob = ""};
	struct story s = {.top = {.max = n}};
	int rc = catalog_query(c, &q, look_at_changes, &s, e);

	if (rc == 0)
		rc = end_path(&s, e);
	if (rc == 0 && s.top.n > 0)
		qsort(s.top.v, s.top.n, sizeof(*s.top.v), by_place);
	for (size_t i = 0; rc == 0 && i < s.top.n; i++)
		rc = fn(ctx, &s.top.v[i].changes, e);
	top_done(&s.top);
	buf_done(&s.series);
	buf_done(&s.path);
	return rc < 0 ? -1 : 0;
}
