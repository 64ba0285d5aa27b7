/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"
#include "core/path.h"
#include "pack/attrs.h"
#include "store/repo.h"
#include "tests/unit/entries.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

#define MADE_UP 1234

static char dir[SCRATCH_MAX];
static struct repo *repo;
static struct import_names *names;
static struct err e;

static void
fresh(void)
{
	import_names_free(names);
	names = NULL;
	assert_int_equal(import_names_new(&names, repo, "s-20260101_000000", MADE_UP, &e), 0);
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	assert_int_equal(repo_open(&repo, dir, &e), 0);
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	fresh();
	return 0;
}

static int
teardown(void **state)
{
	char left[256];

	(void)state;
	import_names_free(names);
	names = NULL;
	repo_close(repo);
	scratch_list(dir, left, sizeof(left));
	assert_string_equal(left, ".lock ");
	scratch_remove(dir);
	return 0;
}

static int
put(enum entry_type type, const char *path, const char *link, uint64_t data)
{
	struct entry en = entries_file(path, type == ENTRY_FILE ? data : 0);

	en.type = type;
	en.link = link;
	en.link_len = link != NULL ? strlen(link) : 0;
	err_clear(&e);
	return import_names_add(names, &en, data, &e);
}

/* "d path", "f path data", "h path link", "l path target", each a line: all of them. */
static void
gives(const char *want)
{
	struct import_entry it;
	struct buf got = {0};
	int rc;

	while ((rc = import_names_next(names, &it, &e)) == 1) {
		assert_int_equal(strlen(it.en.path), it.en.path_len);
		buf_printf(&got, "%c %s", it.en.type, it.en.path);
		if (it.en.link != NULL)
			buf_printf(&got, " %s", it.en.link);
		else if (it.en.type == ENTRY_FILE)
			buf_printf(&got, " %llu", (unsigned long long)it.data);
		buf_putc(&got, '\n');
	}
	if (rc < 0)
		buf_printf(&got, "error %s\n", e.msg);
	assert_string_equal(buf_str(&got), want);
	buf_done(&got);
}

static void
entries_come_back_in_the_order_of_paths(void **state)
{
	(void)state;
	assert_int_equal(put(ENTRY_FILE, "b", NULL, 1), 0);
	assert_int_equal(put(ENTRY_FILE, "a b", NULL, 2), 0);
	assert_int_equal(put(ENTRY_FILE, "a/z", NULL, 3), 0);
	assert_int_equal(put(ENTRY_FIFO, "a/b/\xff", NULL, 0), 0);
	assert_int_equal(put(ENTRY_DIR, "a", NULL, 0), 0);
	assert_int_equal(put(ENTRY_FILE, "a/b.c", NULL, 4), 0);
	assert_int_equal(put(ENTRY_SYMLINK, "a/b0", "to", 0), 0);
	assert_int_equal(put(ENTRY_DIR, "", NULL, 0), 0);
	assert_int_equal(put(ENTRY_DIR, "a/b", NULL, 0), 0);
	gives("d \nd a\nd a/b\np a/b/\xff\nf a/b.c 4\nl a/b0 to\nf a/z 3\nf a b 2\nf b 1\n");
}

static void
facts_and_attributes_are_kept(void **state)
{
	static const struct entry_xattr x[] = {{"user.a", "1", 1}, {"user.b", "", 0}};
	struct entry en = entries_file("f", 7);
	struct import_entry it;
	struct attrs a = {0};

	(void)state;
	en.mode = 07777;
	en.uid = en.gid = UINT32_MAX;
	en.mtime_sec = INT64_MIN;
	en.mtime_nsec = 999999999;
	en.size = INT64_MAX;
	en.xattrs = x;
	en.n_xattrs = 2;
	assert_int_equal(import_names_add(names, &en, INT64_MAX, &e), 0);
	assert_int_equal(import_names_next(names, &it, &e), 1); /* the root */
	assert_int_equal(import_names_next(names, &it, &e), 1);
	assert_int_equal(attrs_unpack(&a, it.attrs, it.attrs_len, &e), 0);
	attrs_entry(&a, &it.en);
	assert_true(entries_equal(&it.en, &en));
	assert_true(it.data == INT64_MAX);
	assert_false(it.has_links);
	attrs_done(&a);
}

static void
directories_that_are_missing_are_made_up(void **state)
{
	struct import_entry it;

	(void)state;
	assert_int_equal(put(ENTRY_FILE, "a/b/c/f", NULL, 1), 0);
	assert_int_equal(put(ENTRY_FILE, "a/bb/f", NULL, 2), 0);
	assert_int_equal(put(ENTRY_DIR, "a/b", NULL, 0), 0);
	assert_int_equal(put(ENTRY_FILE, "a/b/d/g/f", NULL, 3), 0);
	assert_int_equal(put(ENTRY_FILE, "z", NULL, 4), 0);
	assert_int_equal(import_names_next(names, &it, &e), 1);
	assert_int_equal(it.en.path_len, 0);
	assert_int_equal(it.en.type, ENTRY_DIR);
	assert_int_equal(it.en.mode, 0755);
	assert_int_equal(it.en.uid, 0);
	assert_int_equal(it.en.gid, 0);
	assert_true(it.en.mtime_sec == MADE_UP);
	gives("d a\nd a/b\nd a/b/c\nf a/b/c/f 1\nd a/b/d\nd a/b/d/g\nf a/b/d/g/f 3\nd a/bb\n"
	      "f a/bb/f 2\nf z 4\n");
}

static void
the_last_of_a_name_counts(void **state)
{
	(void)state;
	assert_int_equal(put(ENTRY_FILE, "a", NULL, 1), 0);
	assert_int_equal(put(ENTRY_FILE, "a", NULL, 2), 0);
	assert_int_equal(put(ENTRY_SYMLINK, "b", "x", 0), 0);
	assert_int_equal(put(ENTRY_FILE, "b", NULL, 3), 0);
	assert_int_equal(put(ENTRY_FILE, "c", NULL, 4), 0);
	assert_int_equal(put(ENTRY_DIR, "c", NULL, 0), 0);
	assert_int_equal(put(ENTRY_FILE, "c/d", NULL, 5), 0);
	gives("d \nf a 2\nf b 3\nd c\nf c/d 5\n");
}

static void
links_are_turned_round(void **state)
{
	(void)state;
	assert_int_equal(put(ENTRY_FILE, "m", NULL, 1), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "z", "m", 0), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "b", "z", 0), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "c", "b", 0), 0);
	gives("d \nf b 1\nh c b\nh m b\nh z b\n");
}

static void
a_link_keeps_what_its_target_was(void **state)
{
	(void)state;
	assert_int_equal(put(ENTRY_FILE, "a", NULL, 1), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "b", "a", 0), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "c", "a", 0), 0);
	assert_int_equal(put(ENTRY_FILE, "a", NULL, 2), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "d", "a", 0), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "a", "a", 0), 0); /* itself */
	gives("d \nf a 2\nf b 1\nh c b\nh d a\n");
}

static void
other_things_with_several_names_are_given_each_time(void **state)
{
	(void)state;
	assert_int_equal(put(ENTRY_SYMLINK, "m", "to", 0), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "a", "m", 0), 0);
	assert_int_equal(put(ENTRY_FIFO, "p", NULL, 0), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "q", "p", 0), 0);
	gives("d \nl a to\nl m to\np p\np q\n");
}

static void
links_to_nothing_are_refused(void **state)
{
	(void)state;
	assert_int_equal(put(ENTRY_HARDLINK, "a", "b", 0), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_string_equal(e.msg, "a: is a hard link to b, which does not come before it");
	assert_int_equal(put(ENTRY_DIR, "d", NULL, 0), 0);
	assert_int_equal(put(ENTRY_HARDLINK, "a", "d", 0), -1);
	assert_string_equal(e.msg, "a: is a hard link to d, which is a directory");
}

static void
nothing_lies_below_what_is_no_directory(void **state)
{
	static const enum entry_type types[] = {ENTRY_FILE, ENTRY_SYMLINK, ENTRY_FIFO};

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		fresh();
		assert_int_equal(put(ENTRY_FILE, "a/b/c", NULL, 1), 0);
		assert_int_equal(put(types[i], "a", types[i] == ENTRY_SYMLINK ? "/" : NULL, 0), 0);
		struct import_entry it;
		int rc;
		while ((rc = import_names_next(names, &it, &e)) == 1)
			;
		assert_int_equal(rc, -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_string_equal(e.msg, "a/b/c: lies below a, which is no directory");
		err_clear(&e);
	}
}

static int
by_path(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return path_cmp(x, strlen(x), y, strlen(y));
}

/* Against a model: names of few letters, put in by chance, each time as a new file. */
static void
random_names_come_back_sorted_each_once(void **state)
{
	char *paths[2000] = {NULL};
	uint64_t data[2000] = {0};
	size_t n = 0;

	(void)state;
	srandom(7);
	for (size_t i = 0; i < 5000; i++) {
		char path[32] = "d";
		for (int k = (int)(random() % 3); k >= 0; k--) {
			static const char letters[] = "a \xff.";
			size_t len = strlen(path);
			path[len] = '/';
			path[len + 1] = letters[random() % 4];
			path[len + 2] = letters[random() % 4];
			path[len + 3] = 'x';
			path[len + 4] = '\0';
		}
		strcat(path, ".f"); /* directories never end so */
		size_t k = 0;
		while (k < n && strcmp(paths[k], path) != 0)
			k++;
		if (k == COUNT(paths))
			continue;
		if (k == n)
			paths[n++] = strdup(path);
		data[k] = i;
		assert_int_equal(put(ENTRY_FILE, path, NULL, i), 0);
	}
	char *sorted[2000];
	memcpy(sorted, paths, n * sizeof(*paths));
	qsort(sorted, n, sizeof(*sorted), by_path);
	struct import_entry it;
	size_t at = 0;
	int rc;
	while ((rc = import_names_next(names, &it, &e)) == 1) {
		if (it.en.type == ENTRY_DIR)
			continue;
		assert_true(at < n);
		assert_string_equal(it.en.path, sorted[at]);
		size_t k = 0;
		while (strcmp(paths[k], sorted[at]) != 0)
			k++;
		assert_true(it.data == data[k]);
		at++;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(at, n);
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(entries_come_back_in_the_order_of_paths),
	    T(facts_and_attributes_are_kept),
	    T(directories_that_are_missing_are_made_up),
	    T(the_last_of_a_name_counts),
	    T(links_are_turned_round),
	    T(a_link_keeps_what_its_target_was),
	    T(other_things_with_several_names_are_given_each_time),
	    T(links_to_nothing_are_refused),
	    T(nothing_lies_below_what_is_no_directory),
	    T(random_names_come_back_sorted_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
