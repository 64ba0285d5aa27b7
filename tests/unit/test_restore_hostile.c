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
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/cut.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/log.h"
#include "core/restoring.h"
#include "restore/opts.h"
#include "restore/run.h"
#include "tests/unit/child.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"

/*
 * restore on backups made by hand, as an enemy would who has the key or is not asked for one:
 * nothing may be written outside of the target, nothing be there that is not
 * proven, and nothing be missing in silence.
 */
#define NAME "s-20260101_000000"

static char dir[SCRATCH_MAX], target[SCRATCH_MAX + 16];
static struct child child;

static int
setup(void **state)
{
	(void)state;
	scratch_new(dir);
	(void)snprintf(target, sizeof(target), "%s/target", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	return 0;
}

static int
restore_child(void *ctx)
{
	const char *path = ctx;
	struct restore_opts o = {.repo = dir, .target = target, .untrusted = true, .jobs = 2};
	struct err e = {0};
	enum cli_status status;

	log_init("restore", LOG_NORMAL);
	o.paths = (struct opt_list){.items = &path, .n = path != NULL ? 1 : 0};
	status = restore_run(&o, &e);
	if (e.kind != ERR_NONE) {
		(void)fprintf(stderr, "error: %s\n", e.msg);
		status = cli_status_of(&e);
	}
	return (int)status;
}

/* Restore path (NULL: all); texts are in child. */
static void
restored(enum cli_status want, const char *path)
{
	child_run(&child, restore_child, (void *)(uintptr_t)path);
	if (child.status != (int)want)
		fail_msg("status %d:\n%s%s", child.status, child.out, child.err);
}

static void
expect_told(const char *text)
{
	if (strstr(child.err, text) == NULL)
		fail_msg("not told: %s\n%s", text, child.err);
}

/* What is in a directory of the target. */
static void
expect_there(const char *sub, const char *names)
{
	char path[SCRATCH_MAX + 512], have[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", target, sub);
	scratch_list(path, have, sizeof(have));
	assert_string_equal(have, names);
}

static void
begin(struct made *m)
{
	struct entry root = made_dir("");

	made_begin(m, dir, NAME);
	made_both(m, &root, NULL);
}

static void
end(struct made *m)
{
	if (m->plain.len > 0)
		made_member(m, MANIFEST_FILES, "", 0);
	made_end(m, NULL);
}

static struct entry
link_to(enum entry_type type, const char *path, const char *to)
{
	return (struct entry){.type = type,
	    .path = path,
	    .path_len = strlen(path),
	    .mode = type == ENTRY_SYMLINK ? 0777 : 0644,
	    .mtime_sec = 1000000000,
	    .link = to,
	    .link_len = strlen(to)};
}

/* ---- ways out of the target ---- */

static void
a_symlink_is_not_gone_through(void **state)
{
	struct made m;
	struct entry up = link_to(ENTRY_SYMLINK, "a", ".."), in = made_file("a/evil", 4),
		     deep = made_file("a/b/c", 4), after = made_file("b", 4);

	(void)state;
	begin(&m);
	made_both(&m, &up, NULL);
	made_both(&m, &in, "evil");
	made_both(&m, &deep, "evil");
	made_both(&m, &after, "good");
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a/evil: not restored: the way to it leads through");
	expect_told("a/b/c: not restored: the way to it leads through");
	assert_false(scratch_has(dir, "evil"));
	assert_false(scratch_has(dir, "b"));
	expect_there("", "a b ");
}

static void
the_work_directory_is_no_place_for_anything(void **state)
{
	struct made m;
	struct entry d = made_dir(RESTORING_DIR), state_file = made_file(RESTORING_DIR "/state", 3),
		     deep = made_dir(RESTORING_DIR "/new/deep"), good = made_file("good", 4);

	(void)state;
	begin(&m);
	made_both(&m, &d, NULL);
	made_both(&m, &deep, NULL);
	made_both(&m, &state_file, "in\n");
	made_both(&m, &good, "good");
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told(RESTORING_DIR ": not restored");
	expect_told(RESTORING_DIR "/new/deep: not restored");
	expect_told(RESTORING_DIR "/state: not restored");
	expect_there("", "good ");
}

static void
a_directory_is_not_set_through_a_symlink(void **state)
{
	struct made m;
	struct entry up = link_to(ENTRY_SYMLINK, "a", "/"), sub = made_dir("a/tmp"),
		     none = made_dir("a/no");

	(void)state;
	begin(&m);
	made_both(&m, &up, NULL);
	made_both(&m, &none, NULL);
	made_both(&m, &sub, NULL);
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a/tmp: not restored");
	expect_there("", "a ");
}

static void
a_file_is_no_directory(void **state)
{
	struct made m;
	struct entry a = made_file("a", 1), in = made_file("a/b", 1), d = made_dir("a/d"),
		     b = made_file("b", 1);

	(void)state;
	begin(&m);
	made_both(&m, &a, "x");
	made_both(&m, &in, "x");
	made_both(&m, &d, NULL);
	made_both(&m, &b, "x");
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a/b: not restored: the way to it leads through");
	expect_told("a/d: not restored: the way to it leads through");
	expect_there("", "a b ");
}

static void
a_device_is_no_directory(void **state)
{
	struct made m;
	struct entry a = {.type = ENTRY_CHAR,
	    .path = "a",
	    .path_len = 1,
	    .mode = 0600,
	    .rdev_major = 1,
	    .rdev_minor = 3};
	struct entry in = made_file("a/b", 1);

	(void)state;
	if (geteuid() != 0)
		skip();
	begin(&m);
	made_both(&m, &a, NULL);
	made_both(&m, &in, "x");
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a/b: not restored: the way to it leads through");
}

static void
a_hard_link_to_a_symlink_or_a_directory_reaches_nothing_outside(void **state)
{
	struct made m;
	struct entry up = link_to(ENTRY_SYMLINK, "a", "../outside"), d = made_dir("d"),
		     x = link_to(ENTRY_HARDLINK, "x", "a"), y = link_to(ENTRY_HARDLINK, "y", "d"),
		     z = link_to(ENTRY_HARDLINK, "z", "a/b");
	struct stat st;
	char path[SCRATCH_MAX + 32];

	(void)state;
	scratch_puts(dir, "outside", "precious");
	begin(&m);
	made_both(&m, &up, NULL);
	made_both(&m, &d, NULL);
	made_both(&m, &x, NULL);
	made_both(&m, &y, NULL);
	made_both(&m, &z, NULL);
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("y: not restored as a name of d");
	expect_told("z: not restored");
	(void)snprintf(path, sizeof(path), "%s/outside", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_nlink, 1);
}

static void
a_hard_link_to_what_never_came_is_told(void **state)
{
	struct made m;
	struct entry a = made_file("a", 1), x = link_to(ENTRY_HARDLINK, "x", "never");

	(void)state;
	begin(&m);
	made_both(&m, &a, "1");
	made_both(&m, &x, NULL);
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("x: not restored as a name of never");
	expect_there("", "a ");
}

/* ---- archive and manifest disagree ---- */

static void
a_path_twice_in_the_archive_is_told_and_the_first_stays(void **state)
{
	struct made m;
	struct entry a = made_file("a", 5);
	struct buf got = {0};

	(void)state;
	begin(&m);
	made_both(&m, &a, "first");
	made_tar(&m, &a, "again");
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a: not restored: there is something of that name already");
	scratch_get(target, "a", &got);
	assert_memory_equal(got.data, "first", 5);
	buf_done(&got);
}

static void
a_file_that_only_the_manifest_has_is_told(void **state)
{
	struct made m;
	struct entry a = made_file("a", 1), b = made_file("b", 1), c = made_file("c", 1),
		     d = made_file("d", 1);

	(void)state;
	begin(&m);
	made_both(&m, &a, "x");
	made_section(&m, &b, "x");
	made_both(&m, &c, "x");
	made_section(&m, &d, "x");
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("b: not restored: not in the archive");
	expect_told("d: not restored: not in the archive");
	expect_there("", "a c ");
}

static void
a_file_that_only_the_archive_has_is_told_and_the_others_are_checked(void **state)
{
	struct made m;
	struct entry a = made_file("a", 1), b = made_file("b", 1), c = made_file("c", 1);

	(void)state;
	begin(&m);
	made_both(&m, &a, "x");
	made_tar(&m, &b, "x");
	made_tar(&m, &c, "x");
	made_section(&m, &c, "y");
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("b: not in the manifest");
	expect_told("c: not restored: its content does not match its digest");
	expect_there("", "a b ");
}

static void
a_slice_that_breaks_off_names_what_it_should_have_held(void **state)
{
	struct made m;
	struct entry a = made_file("a", 1), b = made_file("b", 600), c = made_file("c", 1);

	(void)state;
	begin(&m);
	made_both(&m, &a, "x");
	made_both(&m, &b, NULL);
	made_section(&m, &c, "x");
	m.plain.len -= 512; /* in the middle of b */
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("b: not restored");
	expect_told("c: not restored");
	expect_there("", "a ");
}

/* ---- large files ---- */

static uint8_t big[3 * CUT_CHUNK + 12345];

static void
header_only(struct made *m, const struct entry *en)
{
	struct err e = {0};

	assert_int_equal(tar_write_header(m->tar, en, &m->plain, &e), 0);
	made_member(m, MANIFEST_HEADER, en->path, 0);
}

static void
a_header_of_another_path_is_refused(void **state)
{
	struct made m;
	struct entry a = made_file("a", sizeof(big)), z = made_file("../z", sizeof(big));
	struct err e = {0};

	(void)state;
	begin(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	z.path = "z";
	z.path_len = 1;
	assert_int_equal(tar_write_header(m.tar, &z, &m.plain, &e), 0);
	made_member(&m, MANIFEST_HEADER, "a", 0);
	buf_append(&m.plain, big, CUT_CHUNK);
	made_section(&m, &a, big);
	made_member(&m, MANIFEST_CHUNK, "a", 0);
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a: not restored: archive and manifest disagree on its path");
	expect_there("", "");
}

/* Such a file would take years to read to its end. */
static void
a_huge_file_without_its_chunks_is_refused_at_once(void **state)
{
	struct made m;
	struct entry a = made_file("a", 1ull << 42), b = made_file("b", 1);

	(void)state;
	begin(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	header_only(&m, &a);
	buf_append(&m.plain, big, CUT_CHUNK);
	made_member(&m, MANIFEST_CHUNK, "a", 0);
	made_both(&m, &b, "x");
	made_member(&m, MANIFEST_FILES, "b", 0);
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a: not restored");
	expect_there("", "b ");
}

static void
a_chunk_outside_of_its_file_is_refused(void **state)
{
	struct made m;
	struct entry a = made_file("a", CUT_CHUNK + 1);

	(void)state;
	begin(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	header_only(&m, &a);
	buf_append(&m.plain, big, CUT_CHUNK);
	made_member(&m, MANIFEST_CHUNK, "a", 0);
	buf_append(&m.plain, big, 512);
	made_section(&m, &a, big);
	made_member(&m, MANIFEST_CHUNK, "a", 5 * CUT_CHUNK);
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a: not restored: a chunk that lies outside of its file");
	expect_there("", "");
}

static void
a_sparse_map_that_lies_costs_only_its_file(void **state)
{
	const struct entry_extent x[] = {{0, CUT_CHUNK}, {1ull << 41, 512}};
	struct made m;
	struct entry a = made_file("a", (1ull << 41) + 512), b = made_file("b", 1);

	(void)state;
	a.sparse = true;
	a.extents = x;
	a.n_extents = 2;
	begin(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	header_only(&m, &a);
	buf_append(&m.plain, big, CUT_CHUNK);
	made_member(&m, MANIFEST_CHUNK, "a", 0);
	/* The second extent's data never comes. */
	made_both(&m, &b, "x");
	made_member(&m, MANIFEST_FILES, "b", 0);
	end(&m);
	restored(CLI_WRONG, NULL);
	expect_told("a: not restored");
	expect_there("", "b ");
}

/* ---- damage ---- */

static void
flip(const char *suffix, uint64_t at)
{
	char path[SCRATCH_MAX + 512];
	uint8_t byte;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s%s", dir, NAME, suffix);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
	assert_int_equal(close(fd), 0);
}

/* In the middle of the manifest's piece that has so many pieces behind it. */
static void
flip_piece(size_t behind)
{
	char path[SEAL_NAME_MAX + 32];
	struct buf text = {0};
	size_t end, at;

	(void)snprintf(path, sizeof(path), "%s.manifest.gz", NAME);
	scratch_get(dir, path, &text);
	at = end = text.len;
	do {
		end = at;
		for (at = end > 10 ? end - 10 : 0;
		     memcmp(text.data + at, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10) != 0; at--)
			assert_true(at > 0);
	} while (behind-- > 0);
	buf_done(&text);
	flip(".manifest.gz", (at + end) / 2);
}

/* 510 members, then header and first chunk of "big", then a page with the rest of it, and "z". */
static void
make_two_pages(struct made *m, size_t in_first)
{
	struct entry f = made_file("big", sizeof(big)), z = made_file("z", 1);
	char path[16];

	begin(m);
	made_member(m, MANIFEST_FILES, "", 0);
	for (size_t i = 0; i + 1 < in_first; i++) {
		(void)snprintf(path, sizeof(path), "a%04zu", i);
		struct entry en = made_file(path, 1);
		made_both(m, &en, "x");
		made_member(m, MANIFEST_FILES, path, 0);
	}
	made_large(m, &f, big);
	made_both(m, &z, "z");
	made_member(m, MANIFEST_FILES, "z", 0);
	end(m);
}

static void
a_large_file_whose_last_chunks_are_lost_with_a_page_is_not_restored(void **state)
{
	struct made m;

	(void)state;
	make_two_pages(&m, 510);
	flip_piece(1);
	restored(CLI_WRONG, NULL);
	expect_told("of the manifest's index");
	expect_told("big: not restored");
	assert_false(scratch_has(target, "big"));
	assert_true(scratch_has(target, "a0508"));
}

static void
chunks_whose_header_is_lost_with_a_page_are_told(void **state)
{
	struct made m;

	(void)state;
	make_two_pages(&m, 510);
	flip_piece(4);
	restored(CLI_WRONG, NULL);
	expect_told("of the manifest's index, from . up to big");
	expect_told("big: not restored: its header is lost");
	expect_there("", "z ");
}

static void
a_selection_passes_over_a_lost_page(void **state)
{
	struct made m;

	(void)state;
	make_two_pages(&m, 510);
	flip_piece(4);
	restored(CLI_WRONG, "big");
	expect_told("big: not restored: its header is lost");
	expect_there("", "");
}

static void
globs_pass_over_a_lost_page(void **state)
{
	struct made m;

	(void)state;
	make_two_pages(&m, 510);
	flip_piece(4);
	restored(CLI_WRONG, "*");
	expect_told("big: not restored: its header is lost");
	expect_there("", "z ");
	assert_null(strstr(child.err, "of that name already"));
}

static void
a_damaged_section_costs_no_links_and_no_directories(void **state)
{
	struct made m;
	struct entry d = made_dir("d"), f = made_file("d/f", 1),
		     l = link_to(ENTRY_HARDLINK, "d/g", "d/f"), z = made_file("z", 1);
	struct stat st, other;
	char path[SCRATCH_MAX + 64];

	(void)state;
	begin(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_both(&m, &d, NULL);
	made_both(&m, &f, "f");
	made_both(&m, &l, NULL);
	made_member(&m, MANIFEST_FILES, "d", 0);
	made_both(&m, &z, "z");
	made_member(&m, MANIFEST_FILES, "z", 0);
	end(&m);
	flip_piece(3); /* behind it: the section of "z", the page, the root */
	restored(CLI_WRONG, NULL);
	expect_told("manifest section");
	(void)snprintf(path, sizeof(path), "%s/d", target);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtim.tv_sec, 1);
	(void)snprintf(path, sizeof(path), "%s/d/f", target);
	assert_int_equal(stat(path, &st), 0);
	(void)snprintf(path, sizeof(path), "%s/d/g", target);
	assert_int_equal(stat(path, &other), 0);
	assert_int_equal(st.st_ino, other.st_ino);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_symlink_is_not_gone_through),
	    T(the_work_directory_is_no_place_for_anything),
	    T(a_directory_is_not_set_through_a_symlink),
	    T(a_file_is_no_directory),
	    T(a_device_is_no_directory),
	    T(a_hard_link_to_a_symlink_or_a_directory_reaches_nothing_outside),
	    T(a_hard_link_to_what_never_came_is_told),
	    T(a_path_twice_in_the_archive_is_told_and_the_first_stays),
	    T(a_file_that_only_the_manifest_has_is_told),
	    T(a_file_that_only_the_archive_has_is_told_and_the_others_are_checked),
	    T(a_slice_that_breaks_off_names_what_it_should_have_held),
	    T(a_header_of_another_path_is_refused),
	    T(a_huge_file_without_its_chunks_is_refused_at_once),
	    T(a_chunk_outside_of_its_file_is_refused),
	    T(a_sparse_map_that_lies_costs_only_its_file),
	    T(a_large_file_whose_last_chunks_are_lost_with_a_page_is_not_restored),
	    T(chunks_whose_header_is_lost_with_a_page_are_told),
	    T(a_selection_passes_over_a_lost_page),
	    T(globs_pass_over_a_lost_page),
	    T(a_damaged_section_costs_no_links_and_no_directories),
	};

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 2654435761u >> 13);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
