/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "core/err.h"
#include "core/stop.h"
#include "seal/section.h"
#include "store/repo.h"
#include "store/side.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"

#define LARGE 1500000u

/* A backup of small files, a large one, and hard links to both, in several members. */
struct world {
	char dir[SCRATCH_MAX];
	struct repo *repo;
	struct repo_backup b;
	unsigned damaged;
	struct side *s;
};

static uint8_t data[LARGE];

static struct entry
hardlink_to(const char *path, const char *target)
{
	struct entry en = made_file(path, 0);

	en.type = ENTRY_HARDLINK;
	en.link = target;
	en.link_len = strlen(target);
	return en;
}

/* What could not be read is told in the section of the end. */
static void
make(const char *dir, unsigned unread)
{
	struct entry root = made_dir(""), a = made_file("a", 3), big = made_file("big", LARGE),
		     c = made_file("c", 2), z1 = hardlink_to("z1", "a"),
		     z2 = hardlink_to("z2", "big");
	struct made m;

	made_begin(&m, dir, "s-20260101_000000");
	made_both(&m, &root, NULL);
	made_both(&m, &a, "abc");
	made_member(&m, MANIFEST_FILES, "", 0);
	made_large(&m, &big, data);
	made_both(&m, &c, "hi");
	made_member(&m, MANIFEST_FILES, "c", 0);
	made_both(&m, &z1, NULL);
	made_both(&m, &z2, NULL);
	made_member(&m, MANIFEST_FILES, "z1", 0);
	if (unread > 0) {
		section_put_note(&m.section, SECTION_UNREADABLE, "x/dark", 6, "no right");
		section_put_note(&m.section, SECTION_VANISHED, "gone", 4, NULL);
		section_put_note(&m.section, SECTION_UNREADABLE, "b", 1, "no right");
		for (unsigned i = 2; i < unread; i++) {
			char path[1000];

			(void)snprintf(path, sizeof(path), "n%0900u", i);
			section_put_note(
			    &m.section, SECTION_UNREADABLE, path, strlen(path), "no right");
		}
		m.seal.unreadable = unread;
	}
	made_end(&m, NULL);
}

static int
setup_a(void **state, unsigned unread)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = {0};

	assert_non_null(w);
	scratch_new(w->dir);
	make(w->dir, unread);
	assert_int_equal(repo_open(&w->repo, w->dir, &e), 0);
	assert_int_equal(repo_read_seal(w->repo, "s-20260101_000000", NULL, &w->b, &e), 0);
	*state = w;
	return 0;
}

static int
setup(void **state)
{
	return setup_a(state, 0);
}

static int
setup_incomplete(void **state)
{
	return setup_a(state, 2);
}

static int
setup_very_incomplete(void **state)
{
	return setup_a(state, 1300); /* more than 1 MiB of paths */
}

static int
teardown(void **state)
{
	struct world *w = *state;

	stop_request(0);
	side_close(w->s);
	repo_backup_done(&w->b);
	repo_close(w->repo);
	scratch_remove(w->dir);
	free(w);
	return 0;
}

static void
damaged(void *ctx, const char *why)
{
	struct world *w = ctx;

	(void)why;
	w->damaged++;
}

static void
open_side(struct world *w, const char *below)
{
	struct err e = {0};

	side_close(w->s);
	w->s = NULL;
	assert_int_equal(side_open(&w->s, w->repo, &w->b.seal,
			     &(struct side_opts){.below = below, .damaged = damaged, .ctx = w}, &e),
	    0);
}

static const char *
path(const struct world *w)
{
	size_t len;
	const char *p = side_path(w->s, &len);

	assert_int_equal(strlen(p), len);
	return p;
}

/* All entries, one after the other, with a space behind each; "/" for an unread section. */
static const char *
walk(struct world *w, bool enter)
{
	static char told[256];
	struct err e = {0};

	told[0] = '\0';
	while (side_at(w->s) != SIDE_END) {
		bool section = side_at(w->s) == SIDE_SECTION;

		assert_true(strlen(told) < 200);
		if (!section || !enter)
			(void)sprintf(told + strlen(told), "%s%s ", section ? "/" : "", path(w));
		assert_int_equal(section && enter ? side_enter(w->s, &e) : side_next(w->s, &e), 0);
	}
	return told;
}

static void
entries_come_in_the_order_of_paths(void **state)
{
	struct world *w = *state;

	open_side(w, NULL);
	assert_string_equal(walk(w, true), " a big c z1 z2 ");
	assert_int_equal(side_at(w->s), SIDE_END);
	assert_int_equal(side_next(w->s, NULL), 0);
	assert_int_equal(side_at(w->s), SIDE_END);
}

static void
sections_can_be_stepped_over(void **state)
{
	struct world *w = *state;

	open_side(w, "");
	assert_int_equal(side_entries(w->s), 2);
	assert_string_equal(walk(w, false), "/ /big /c /z1 ");
}

static void
a_limit_shows_only_what_is_below_it(void **state)
{
	static const char *const limits[][2] = {{"a", "a "}, {"big", "big "}, {"z1", "z1 "},
	    {"z2", "z2 "}, {"b", ""}, {"bigg", ""}, {"zz", ""}, {"0", ""}};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(limits); i++) {
		open_side(w, limits[i][0]);
		assert_string_equal(walk(w, true), limits[i][1]);
	}
	assert_int_equal(w->damaged, 0);
}

static void
a_section_is_the_same_as_itself_only(void **state)
{
	struct world *w = *state;
	struct side *other = NULL;
	struct err e = {0};

	open_side(w, NULL);
	assert_int_equal(side_open(&other, w->repo, &w->b.seal, &(struct side_opts){0}, &e), 0);
	assert_true(side_same_section(w->s, other));
	assert_int_equal(side_next(other, &e), 0);
	assert_false(side_same_section(w->s, other));
	side_close(other);
}

/* Stand at the entry. */
static void
go_to(struct world *w, const char *want)
{
	struct err e = {0};

	open_side(w, want);
	assert_int_equal(side_at(w->s), SIDE_SECTION);
	assert_int_equal(side_enter(w->s, &e), 0);
	assert_int_equal(side_at(w->s), SIDE_LINE);
	assert_string_equal(path(w), want);
}

static void
a_link_has_the_content_of_its_target(void **state)
{
	static const struct {
		const char *path;
		uint64_t size;
		const void *data;
	} cases[] = {{"a", 3, "abc"}, {"z1", 3, "abc"}, {"big", LARGE, data}, {"z2", LARGE, data}};
	struct world *w = *state;
	struct targets_content c;
	uint8_t want[SHA256_LEN];
	struct err e = {0};

	for (size_t i = 0; i < COUNT(cases); i++) {
		go_to(w, cases[i].path);
		assert_int_equal(side_content(w->s, &c, &e), 1);
		assert_int_equal(c.size, cases[i].size);
		sha256_of(cases[i].data, (size_t)cases[i].size, want);
		assert_memory_equal(c.sha256, want, SHA256_LEN);
		/* Looking did not move it. */
		assert_string_equal(path(w), cases[i].path);
	}
}

static void
flip_manifest(struct world *w, long at)
{
	char file[SCRATCH_MAX + 64];
	FILE *f;
	int c;

	(void)snprintf(file, sizeof(file), "%s/s-20260101_000000.manifest.gz", w->dir);
	f = fopen(file, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	c = getc(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	assert_int_not_equal(putc(c ^ 1, f), EOF);
	assert_int_equal(fclose(f), 0);
}

static void
what_is_damaged_is_told_and_stepped_over(void **state)
{
	struct world *w = *state;
	struct err e = {0};

	flip_manifest(w, 120); /* in the first section */
	open_side(w, NULL);
	assert_false(side_lost(w->s));
	assert_int_equal(side_enter(w->s, &e), 0);
	assert_int_equal(w->damaged, 1);
	assert_true(side_lost(w->s));
	assert_string_equal(path(w), "big");
	assert_int_equal(side_enter(w->s, &e), 0);
	assert_true(side_lost(w->s)); /* what is before it is not known still */
	assert_int_equal(side_next(w->s, &e), 0);
	assert_false(side_lost(w->s));
	assert_string_equal(walk(w, true), "c z1 z2 ");
}

static void
a_target_that_cannot_be_read_is_not_known(void **state)
{
	struct world *w = *state;
	struct targets_content c;
	struct err e = {0};

	flip_manifest(w, 120);
	go_to(w, "z1");
	assert_int_equal(side_content(w->s, &c, &e), 0);
	assert_int_equal(w->damaged, 1);
	go_to(w, "z2");
	assert_int_equal(side_content(w->s, &c, &e), 1);
}

static void
what_could_not_be_read_is_not_missing(void **state)
{
	static const char *const lacks[] = {"b", "b/below", "x/dark", "x/dark/a/b"};
	static const char *const knows[] = {
	    "", "a", "b.", "bb", "gone", "x", "x/dar", "x/dark.", "y"};
	struct world *w = *state;
	struct err e = {0};

	open_side(w, NULL);
	for (size_t i = 0; i < COUNT(lacks); i++)
		assert_true(side_lacks(w->s, lacks[i], strlen(lacks[i])));
	for (size_t i = 0; i < COUNT(knows); i++)
		assert_false(side_lacks(w->s, knows[i], strlen(knows[i])));
	assert_string_equal(walk(w, true), " a big c z1 z2 ");
	/* When all notes count: what vanished was there as well. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(side_all_notes(w->s, &e), 0);
		assert_true(side_lacks(w->s, "gone", 4));
		assert_true(side_lacks(w->s, "b/below", 7));
		assert_false(side_lacks(w->s, "bb", 2));
	}
	/* What is damaged may have told of anything. */
	flip_manifest(w, 120);
	open_side(w, NULL);
	assert_true(side_lacks(w->s, "y", 1));
}

static void
of_too_many_it_may_be_any(void **state)
{
	struct world *w = *state;

	open_side(w, NULL);
	assert_true(side_lacks(w->s, "y", 1));
	assert_string_equal(walk(w, true), " a big c z1 z2 ");
}

static void
a_complete_backup_lacks_nothing(void **state)
{
	struct world *w = *state;

	open_side(w, NULL);
	assert_false(side_lacks(w->s, "b", 1));
}

static void
a_signal_ends_it(void **state)
{
	struct world *w = *state;
	struct err e = {0};

	open_side(w, NULL);
	stop_request(15);
	assert_int_equal(side_next(w->s, &e), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	assert_int_equal(w->damaged, 0);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(entries_come_in_the_order_of_paths),
	    T(sections_can_be_stepped_over),
	    T(a_limit_shows_only_what_is_below_it),
	    T(a_section_is_the_same_as_itself_only),
	    T(a_link_has_the_content_of_its_target),
	    T(what_is_damaged_is_told_and_stepped_over),
	    T(a_target_that_cannot_be_read_is_not_known),
	    cmocka_unit_test_setup_teardown(
		what_could_not_be_read_is_not_missing, setup_incomplete, teardown),
	    cmocka_unit_test_setup_teardown(
		of_too_many_it_may_be_any, setup_very_incomplete, teardown),
	    T(a_complete_backup_lacks_nothing),
	    T(a_signal_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
