/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "core/err.h"
#include "seal/manifest.h"
#include "seal/targets.h"
#include "store/repo.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"

#define SECTIONS 300u /* more than are kept */
#define NAME "s-20260101_000000"

struct world {
	char dir[SCRATCH_MAX];
	struct repo *repo;
	struct repo_backup b;
	int fd;
	struct manifest_reader *reader;
	struct targets *t;
};

/* Three names a section: one that needs escapes, one with attributes, one that others begin with.
 */
static const char *
name(char out[64], unsigned section, unsigned which)
{
	static const char *const ends[] = {" a\n\\\xff", "b", "b#"};

	(void)snprintf(out, 64, "d/%04u%s", section, ends[which]);
	return out;
}

static void
put_section(struct made *m, unsigned i)
{
	static const struct entry_xattr xattr = {"user.x", "v", 1};
	char first[64], path[64], data[16];

	for (unsigned which = 0; which < 3; which++) {
		int len = snprintf(data, sizeof(data), "%u %u", i, which);
		struct entry en = made_file(name(path, i, which), (uint64_t)len);

		if (which == 1) {
			en.xattrs = &xattr;
			en.n_xattrs = 1;
		}
		made_both(m, &en, data);
	}
	made_member(m, MANIFEST_FILES, name(first, i, 0), 0);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct entry root = made_dir(""), d = made_dir("d");
	struct err e = {0};
	struct made m;

	assert_non_null(w);
	scratch_new(w->dir);
	made_begin(&m, w->dir, NAME);
	made_both(&m, &root, NULL);
	made_both(&m, &d, NULL);
	made_member(&m, MANIFEST_FILES, "", 0);
	for (unsigned i = 0; i < SECTIONS; i++)
		put_section(&m, i);
	made_end(&m, NULL);
	assert_int_equal(repo_open(&w->repo, w->dir, &e), 0);
	assert_int_equal(repo_read_seal(w->repo, NAME, NULL, &w->b, &e), 0);
	w->fd = repo_open_part(w->repo, REPO_MANIFEST, NAME, &e);
	assert_true(w->fd >= 0);
	assert_int_equal(manifest_reader_new(&w->reader, w->fd, &w->b.seal, &e), 0);
	assert_int_equal(targets_new(&w->t, w->reader, &e), 0);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	targets_free(w->t);
	manifest_reader_free(w->reader);
	assert_int_equal(close(w->fd), 0);
	repo_backup_done(&w->b);
	repo_close(w->repo);
	scratch_remove(w->dir);
	free(w);
	return 0;
}

static void
look(struct world *w, unsigned section, unsigned which)
{
	struct targets_content c;
	uint8_t want[SHA256_LEN];
	char path[64], data[16];
	struct err e = {0};
	int len = snprintf(data, sizeof(data), "%u %u", section, which);

	(void)name(path, section, which);
	assert_int_equal(targets_find(w->t, path, strlen(path), &c, &e), 0);
	sha256_of(data, (size_t)len, want);
	assert_memory_equal(c.sha256, want, SHA256_LEN);
	assert_int_equal(c.size, len);
	assert_int_equal(c.has_xattrs, which == 1);
}

static void
files_are_found_in_any_order(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 4 * SECTIONS; i++)
		look(w, i * 7919 % SECTIONS, i % 3);
	for (unsigned i = 0; i < SECTIONS; i++)
		look(w, i, 0);
	for (unsigned i = SECTIONS; i-- > 0;)
		look(w, i, 2);
}

static void
what_is_no_file_there_is_not_found(void **state)
{
	static const char *const paths[] = {"", "d", "d/", "d/0000", "d/0000bb", "d/9999b", "e",
	    "0", "d/0000 a", "d/0000b\n./d/0001b"};
	struct world *w = *state;
	struct targets_content c;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT(paths); i++) {
			struct err e = {0};

			assert_int_equal(
			    targets_find(w->t, paths[i], strlen(paths[i]), &c, &e), -1);
			assert_int_equal(e.kind, ERR_CORRUPT);
		}
		look(w, 0, 1); /* now its section is kept */
	}
}

/* A section that was read once is not read again: it may be damaged by now. */
static void
what_is_kept_needs_no_reading(void **state)
{
	struct world *w = *state;
	char file[SCRATCH_MAX + 64];

	look(w, 5, 1);
	(void)snprintf(file, sizeof(file), "%s/" NAME ".manifest.gz", w->dir);
	assert_int_equal(truncate(file, 0), 0);
	look(w, 5, 0);
	look(w, 5, 2);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(files_are_found_in_any_order),
	    T(what_is_no_file_there_is_not_found),
	    T(what_is_kept_needs_no_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
