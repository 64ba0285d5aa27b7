/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/catalog.h"
#include "core/err.h"
#include "tests/unit/catalog_fixture.h"

/* Answers that do not come in one batch. */

struct world {
	struct cf f;
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
	free(w);
	return 0;
}

/*
 * Thousands of paths, so that the answers come in many batches, while backups go and come: the
 * rows' ends then mean something else than when the reader began.
 */
enum { MANY = 1500 };

struct reader {
	struct world *w;
	const char *gone; /* goes at the first answer */
	uint64_t first; /* the version in the newest began so, once it is gone */
	int paths, late; /* told; of these, so */
	char last[32];
};

static void
seal_many(struct world *w, uint64_t sequence, unsigned version, char name[SEAL_NAME_MAX + 1])
{
	static struct cf_entry v[MANY + 1];
	static char paths[MANY][16];

	v[0] = (struct cf_entry)D("");
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "f%05d", i);
		v[i + 1] = (struct cf_entry)F(paths[i], version);
	}
	cf_backup(&w->f, &(struct cf_opts){.series = "many", .sequence = sequence}, v, N(v), name);
}

static int
prune_meanwhile(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct reader *r = ctx;

	if (v->type != ENTRY_FILE || v->last_seq != 4)
		return 0;
	assert_true(strcmp(r->last, v->path) < 0);
	(void)snprintf(r->last, sizeof(r->last), "%s", v->path);
	if (r->paths++ == 0) {
		assert_int_equal(repo_prune(r->w->f.repo, r->gone, e), 0);
		seal_many(r->w, 9, 77, NULL);
		catalog_close(cf_synced(&r->w->f));
	}
	r->late += v->first_seq == r->first;
	return 0;
}

/* Nights 1 to 4, of which one goes; what is told later of the version in the newest one. */
static void
read_slowly(struct world *w, const unsigned versions[4], int gone, uint64_t first, uint64_t backups)
{
	char names[4][SEAL_NAME_MAX + 1];
	struct reader r = {.w = w, .first = first};
	struct catalog *c = NULL;
	struct repo_list l;
	struct err e = {0};
	struct buf b = {0};
	char want[64];

	for (unsigned i = 0; i < 4; i++)
		seal_many(w, i + 1, versions[i], names[i]);
	r.gone = names[gone - 1];
	catalog_close(cf_synced(&w->f));
	cf_list(&w->f, &l);
	if (catalog_open_query(&c, w->f.repo, &l, &e) != 0 ||
	    catalog_query(c, &(struct catalog_query){.series = "many", .glob = ""}, prune_meanwhile,
		&r, &e) != 0)
		fail_msg("%s", e.msg);
	/* Each path once, and all but the first batch as they are when the other is gone. */
	assert_int_equal(r.paths, MANY);
	assert_in_range(r.late, MANY - 1000, MANY);
	if (catalog_query(c, &(struct catalog_query){.series = "many", .path = "f01499"}, cf_note,
		&b, &e) != 0)
		fail_msg("%s", e.msg);
	(void)snprintf(want, sizeof(want), "f01499 %llu-4/%llu;", (unsigned long long)first,
	    (unsigned long long)backups);
	assert_non_null(strstr(buf_str(&b), want));
	assert_null(strstr(buf_str(&b), "-9"));
	buf_done(&b);
	catalog_close(c);
	repo_list_done(&l);
}

static void
a_slow_reader_sees_a_backup_go_from_the_middle(void **state)
{
	/* 4 4 5 4: without the third, all is one. */
	read_slowly(*state, (const unsigned[]){4, 4, 5, 4}, 3, 1, 3);
}

static void
a_slow_reader_sees_the_oldest_go(void **state)
{
	/* 1 4 4 4: what began with the second begins with the oldest. */
	read_slowly(*state, (const unsigned[]){1, 4, 4, 4}, 1, 2, 3);
}

/*
 * Hard links to three files that are other ones every night: what their targets' rows take ends a
 * batch before it is full.
 */
enum { LINKS = 1000, NIGHTS = 12 };

struct links {
	int n; /* answers */
	char last[32];
	uint64_t last_seq;
};

static int
see_link(void *ctx, const struct catalog_version *v, struct err *e)
{
	struct links *l = ctx;
	uint8_t digest[SHA256_LEN];

	(void)e;
	if (v->type != ENTRY_HARDLINK)
		return 0;
	if (strcmp(l->last, v->path) == 0)
		assert_int_equal(v->first_seq, l->last_seq + 1);
	else
		assert_int_equal(v->first_seq, 1);
	assert_int_equal(v->first_seq, v->last_seq);
	cf_digest((unsigned)v->first_seq + (unsigned)(v->link[1] - '0') * 100, digest);
	assert_memory_equal(v->sha256, digest, SHA256_LEN);
	assert_int_equal(v->size, v->first_seq + (uint64_t)(v->link[1] - '0') * 100);
	assert_true(strcmp(l->last, v->path) <= 0);
	(void)snprintf(l->last, sizeof(l->last), "%s", v->path);
	l->last_seq = v->last_seq;
	l->n++;
	return 0;
}

static void
hard_links_by_the_thousand_have_their_targets_versions(void **state)
{
	static const char *const targets[] = {"t0", "t1", "t2"};
	static struct cf_entry v[LINKS + 4];
	static char paths[LINKS][16];
	struct world *w = *state;
	struct links l = {0};
	struct catalog *c;
	struct err e = {0};

	v[0] = (struct cf_entry)D("");
	for (int i = 0; i < LINKS; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "u%05d", i);
		v[i + 4] = (struct cf_entry)H(paths[i], targets[i % 3]);
	}
	for (unsigned night = 1; night <= NIGHTS; night++) {
		for (unsigned i = 0; i < 3; i++)
			v[i + 1] = (struct cf_entry)F(targets[i], night + i * 100);
		cf_backup(&w->f, &(struct cf_opts){.sequence = night, .cut = 50}, v, N(v), NULL);
	}
	c = cf_synced(&w->f);
	if (catalog_query(c, &(struct catalog_query){.glob = ""}, see_link, &l, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(l.n, LINKS * NIGHTS);
	catalog_close(c);
}

static int
put_path(void *ctx, const struct catalog_version *v, struct err *e)
{
	(void)e;
	buf_printf(ctx, "%s;", v->path);
	return 0;
}

/* It sorts where a look at the next child begins. */
static void
a_name_with_the_lowest_byte_is_listed_too(void **state)
{
	static const struct cf_entry v[] = {
	    D(""), D("a"), F("a/x", 1), F("a\001", 1), D("b"), F("b/a", 1), F("b\001", 1)};
	struct world *w = *state;
	struct buf b = {0};
	struct catalog *c;
	struct err e = {0};

	cf_backup(&w->f, &(struct cf_opts){.sequence = 1}, v, N(v), NULL);
	c = cf_synced(&w->f);
	assert_int_equal(
	    catalog_query(c, &(struct catalog_query){.below = ""}, put_path, &b, &e), 0);
	assert_string_equal(buf_str(&b), "a;a\001;b;b\001;");
	buf_done(&b);
	catalog_close(c);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_slow_reader_sees_a_backup_go_from_the_middle),
	    T(a_slow_reader_sees_the_oldest_go),
	    T(a_name_with_the_lowest_byte_is_listed_too),
	    T(hard_links_by_the_thousand_have_their_targets_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
