/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/err.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "verify/anchor.h"

#define D0 "0000000000000000000000000000000000000000000000000000000000000000"
#define D1 "0101010101010101010101010101010101010101010101010101010101010101"
#define HEAD "# tarseal-anchor 1\n"
#define A_LINE "a 7 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\n"
#define B_LINE "b 1 b-x 1970-01-01T00:00:00Z " D1 " " D0 "\n"

static char top[SCRATCH_MAX], dir[SCRATCH_MAX + 16], file[SCRATCH_MAX + 32];
static struct repo *repo;
static struct verify_anchor anchor;
static struct err e;

static int
setup(void **state)
{
	char path[SCRATCH_MAX + 16];

	(void)state;
	scratch_new(top);
	(void)snprintf(path, sizeof(path), "%s/repo", top);
	(void)snprintf(dir, sizeof(dir), "%s/keep", top);
	(void)snprintf(file, sizeof(file), "%s/anchor", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	err_clear(&e);
	assert_int_equal(repo_open(&repo, path, &e), 0);
	anchor = (struct verify_anchor){0};
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	verify_anchor_done(&anchor);
	repo_close(repo);
	scratch_remove(top);
	return 0;
}

static int
open_file(struct verify_anchor *a)
{
	const struct verify_anchor_where where = {.file = file, .repo = repo};

	err_clear(&e);
	return verify_anchor_open(a, &where, &e);
}

static int
parse(const char *text)
{
	verify_anchor_done(&anchor);
	anchor = (struct verify_anchor){0};
	err_clear(&e);
	return verify_anchor_parse(&anchor, text, strlen(text), &e);
}

static struct seal
seal_of(const char *series, uint64_t sequence, uint8_t digest)
{
	struct seal s = {.sequence = sequence};

	(void)strcpy(s.series, series);
	(void)snprintf(s.name, sizeof(s.name), "%s-%u", series, (unsigned)sequence);
	memset(s.text_digest, digest, SHA256_LEN);
	memset(s.archive_digest, 1, SHA256_LEN);
	return s;
}

static void
see(struct verify_anchor *a, const char *series, uint64_t sequence, uint8_t digest, time_t now)
{
	struct seal s = seal_of(series, sequence, digest);

	verify_anchor_see(a, &s, now);
}

static void
text_is(const char *want)
{
	struct buf text = {0};

	verify_anchor_put(&anchor, &text);
	assert_string_equal(buf_str(&text), want);
	buf_done(&text);
}

static void
what_is_read_is_written_again_byte_for_byte(void **state)
{
	static const char *const texts[] = {HEAD, HEAD A_LINE, HEAD B_LINE, HEAD A_LINE B_LINE};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse(texts[i]), 0);
		text_is(texts[i]);
	}
	assert_int_equal(anchor.n, 2);
	assert_int_equal(anchor.lines[0].sequence, 7);
	assert_int_equal(anchor.lines[0].seen, 1770588005);
	assert_int_equal(anchor.lines[0].archive_digest[31], 1);
	assert_ptr_equal(verify_anchor_find(&anchor, "b"), &anchor.lines[1]);
	assert_null(verify_anchor_find(&anchor, "c"));
	assert_null(verify_anchor_find(&anchor, ""));
}

static void
refuses(const char *text, enum err_kind kind, const char *why)
{
	assert_int_equal(parse(text), -1);
	assert_int_equal(e.kind, kind);
	assert_string_equal(e.msg, why);
	assert_int_equal(anchor.n, 0);
}

static void
another_spelling_is_refused(void **state)
{
	static const char *const others[] = {
	    "a 07 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\n",
	    "a 0 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\n",
	    "a 9223372036854775808 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\n",
	    "a 7 a-7 2026-02-08t22:00:05z " D0 " " D1 "\n",
	    "a 7 a-7 2026-02-08T22:00:05+00:00 " D0 " " D1 "\n",
	    "a 7 a-7 2026-02-08 " D0 " " D1 "\n",
	    "a 7 a-7 2026-02-30T22:00:05Z " D0 " " D1 "\n",
	    "a 7 a-7 2026-02-08T22:00:05Z  " D0 " " D1 "\n",
	    "a 7 a-7 2026-02-08T22:00:05Z " D0 " " D1 " \n",
	    "a 7 a-7 2026-02-08T22:00:05Z " D0 D1 "\n",
	    "a 7 a-7 2026-02-08T22:00:05Z " D0 "\n",
	    "a 7 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\r\n",
	    "a 7 ../a 2026-02-08T22:00:05Z " D0 " " D1 "\n",
	    ".a 7 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\n",
	    " a 7 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\n",
	    "a 7 a-7 2026-02-08T22:00:05Z AA" D0 " " D1 "\n",
	    "# a comment\n",
	    "\n",
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(text, sizeof(text), HEAD "%s", others[i]);
		if (parse(text) == 0)
			fail_msg("taken: %s", others[i]);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_memory_equal(e.msg, "line 2: ", 8);
	}
}

static void
what_is_no_anchor_is_refused_with_the_reason(void **state)
{
	(void)state;
	refuses("", ERR_CORRUPT, "it is empty (remove it to begin a new one)");
	refuses("# tarseal-seal 1\n", ERR_CORRUPT,
	    "line 1: not an anchor: \"# tarseal-anchor 1\" is expected here");
	refuses("# tarseal-anchor 2\n" A_LINE, ERR_UNSUPPORTED,
	    "line 1: an anchor of a version that is not known here (made by a newer verify?)");
	refuses("# tarseal-anchor 11\n", ERR_UNSUPPORTED,
	    "line 1: an anchor of a version that is not known here (made by a newer verify?)");
	refuses(HEAD B_LINE A_LINE, ERR_CORRUPT, "line 3: series out of order, or twice");
	refuses(HEAD A_LINE A_LINE, ERR_CORRUPT, "line 3: series out of order, or twice");
	refuses(HEAD "a 7", ERR_CORRUPT, "line 2: a line without an end");
}

static void
every_cut_and_every_changed_byte_is_refused_or_written_again(void **state)
{
	static const char whole[] = HEAD A_LINE B_LINE;
	char text[sizeof(whole)];

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		(void)memcpy(text, whole, len);
		text[len] = '\0';
		if (parse(text) == 0)
			text_is(text);
	}
	for (size_t at = 0; at < sizeof(whole) - 1; at++)
		for (int to = 1; to < 256; to++) {
			(void)memcpy(text, whole, sizeof(whole));
			text[at] = (char)to;
			if (parse(text) == 0)
				text_is(text);
		}
}

static void
a_nul_does_not_end_a_name(void **state)
{
	static const char text[] = HEAD "a\0b 7 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\n";

	(void)state;
	assert_int_equal(verify_anchor_parse(&anchor, text, sizeof(text) - 1, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void
lines_stay_sorted_and_know_how_they_stand(void **state)
{
	(void)state;
	see(&anchor, "m", 1, 0, 0);
	see(&anchor, "z", 1, 0, 0);
	see(&anchor, "a", 1, 0, 0);
	assert_int_equal(anchor.n, 3);
	assert_string_equal(anchor.lines[0].series, "a");
	assert_string_equal(anchor.lines[2].series, "z");
	assert_int_equal(anchor.lines[1].state, VERIFY_ANCHOR_NEW);
	see(&anchor, "m", 1, 0, 5);
	assert_int_equal(anchor.lines[1].state, VERIFY_ANCHOR_SAME);
	assert_int_equal(anchor.lines[1].seen, 5);
	see(&anchor, "m", 1, 9, 6); /* sealed anew */
	assert_int_equal(anchor.lines[1].state, VERIFY_ANCHOR_MOVED);
	see(&anchor, "m", 4, 3, 7);
	assert_int_equal(anchor.lines[1].state, VERIFY_ANCHOR_MOVED);
	assert_string_equal(anchor.lines[1].name, "m-4");
	assert_int_equal(anchor.n, 3);
}

static void
a_missing_file_is_made_when_something_was_seen(void **state)
{
	char names[256];

	(void)state;
	assert_int_equal(open_file(&anchor), 0);
	assert_true(anchor.is_new);
	assert_int_equal(verify_anchor_save(&anchor, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, "");
	verify_anchor_done(&anchor);

	assert_int_equal(open_file(&anchor), 0);
	see(&anchor, "a", 7, 0, 1770588005);
	assert_int_equal(verify_anchor_save(&anchor, &e), 0);
	verify_anchor_done(&anchor);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, "anchor ");
	assert_int_equal(open_file(&anchor), 0);
	assert_false(anchor.is_new);
	text_is(HEAD "a 7 a-7 2026-02-08T22:00:05Z " D0 " " D1 "\n");
}

static void
a_file_that_was_not_saved_is_as_it_was(void **state)
{
	struct buf text = {0};
	char names[256];

	(void)state;
	scratch_puts(dir, "anchor", HEAD A_LINE);
	assert_int_equal(open_file(&anchor), 0);
	see(&anchor, "a", 8, 0, 1);
	verify_anchor_done(&anchor);
	scratch_get(dir, "anchor", &text);
	assert_string_equal(buf_str(&text), HEAD A_LINE);
	buf_done(&text);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, "anchor ");
}

static void
two_at_a_time_are_kept_apart(void **state)
{
	struct verify_anchor second = {0};

	(void)state;
	assert_int_equal(open_file(&anchor), 0);
	assert_int_equal(open_file(&second), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	assert_non_null(strstr(e.msg, "/keep/anchor: another verify is using it"));
	see(&anchor, "a", 7, 0, 1);
	assert_int_equal(verify_anchor_save(&anchor, &e), 0);
	/* Before the first is done with all else that it does. */
	assert_int_equal(open_file(&second), 0);
	assert_int_equal(second.n, 1);
	verify_anchor_done(&second);
}

static void
what_a_killed_one_left_is_used_again(void **state)
{
	char names[256];

	(void)state;
	scratch_puts(dir, ".anchor.tarseal.new", "half of a line that is longer than what follows");
	assert_int_equal(open_file(&anchor), 0);
	assert_int_equal(anchor.n, 0);
	see(&anchor, "a", 7, 0, 1770588005);
	assert_int_equal(verify_anchor_save(&anchor, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, "anchor ");
	verify_anchor_done(&anchor);
	assert_int_equal(open_file(&anchor), 0);
}

static void
a_link_under_the_new_name_is_not_followed(void **state)
{
	char link[SCRATCH_MAX + 64];
	struct buf text = {0};

	(void)state;
	scratch_puts(dir, "victim", "precious");
	(void)snprintf(link, sizeof(link), "%s/.anchor.tarseal.new", dir);
	assert_int_equal(symlink("victim", link), 0);
	assert_int_equal(open_file(&anchor), -1);
	assert_int_equal(e.kind, ERR_SYS);
	scratch_get(dir, "victim", &text);
	assert_string_equal(buf_str(&text), "precious");
	buf_done(&text);
}

static void
below_the_repository_is_refused(void **state)
{
	char path[SCRATCH_MAX + 32];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/repo/x", top);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(file, sizeof(file), "%s/repo/x/../x/anchor", top);
	assert_int_equal(open_file(&anchor), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, "it lies in the repository"));
	/* Beside it, and above it, are good. */
	(void)snprintf(file, sizeof(file), "%s/anchor", top);
	assert_int_equal(open_file(&anchor), 0);
}

static void
the_mode_of_the_old_file_is_kept(void **state)
{
	struct stat st;

	(void)state;
	scratch_puts(dir, "anchor", HEAD A_LINE);
	assert_int_equal(chmod(file, 0664), 0);
	assert_int_equal(open_file(&anchor), 0);
	see(&anchor, "a", 8, 0, 1);
	assert_int_equal(verify_anchor_save(&anchor, &e), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(what_is_read_is_written_again_byte_for_byte),
	    T(another_spelling_is_refused),
	    T(what_is_no_anchor_is_refused_with_the_reason),
	    T(every_cut_and_every_changed_byte_is_refused_or_written_again),
	    T(a_nul_does_not_end_a_name),
	    T(lines_stay_sorted_and_know_how_they_stand),
	    T(a_missing_file_is_made_when_something_was_seen),
	    T(a_file_that_was_not_saved_is_as_it_was),
	    T(two_at_a_time_are_kept_apart),
	    T(what_a_killed_one_left_is_used_again),
	    T(a_link_under_the_new_name_is_not_followed),
	    T(below_the_repository_is_refused),
	    T(the_mode_of_the_old_file_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
