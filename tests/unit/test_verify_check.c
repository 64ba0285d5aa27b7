/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/cut.h"
#include "core/err.h"
#include "core/log.h"
#include "core/stop.h"
#include "tests/unit/made.h"
#include "tests/unit/scratch.h"
#include "verify/opts.h"
#include "verify/run.h"

/*
 * verify as a whole on backups made by hand: what it says of each way in which archive
 * and manifest can disagree under a good seal, and of damage everywhere.
 */
static char dir[SCRATCH_MAX];
static char *text; /* what verify printed */
static size_t text_len;
static struct verify_opts opts;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	log_init("verify", LOG_QUIET);
	scratch_new(dir);
	memset(&e, 0, sizeof(e));
	opts =
	    (struct verify_opts){.repo = dir, .untrusted = true, .level = VERIFY_DEEP, .jobs = 2};
	opts.common.quiet = true; /* notes are not looked at here */
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	scratch_remove(dir);
	return 0;
}

static enum cli_status
run_verify(void)
{
	enum cli_status status;
	FILE *out;

	free(text);
	text = NULL;
	err_clear(&e);
	out = open_memstream(&text, &text_len);
	assert_non_null(out);
	status = verify_run(&opts, out, &e);
	assert_int_equal(fclose(out), 0);
	if (e.kind != ERR_NONE)
		fail_msg("%s", e.msg);
	return status;
}

/* Findings and files, without the line that ends a backup, which has a time in it. */
static void
expect(enum cli_status status, const char *lines)
{
	char *end;

	assert_int_equal(run_verify(), status);
	end = strstr(text, "    (");
	if (end != NULL)
		*end = '\0';
	assert_string_equal(text, lines);
}

static uint8_t big[3 * CUT_CHUNK + 12345];

static void
fill_big(void)
{
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 2654435761u >> 13);
}

static void
put_root(struct made *m)
{
	struct entry root = made_dir("");

	made_both(m, &root, NULL);
}

/* ---- a sound one ---- */

static void
make_sound(const char *name)
{
	struct made m;
	struct entry d = made_dir("d"), f = made_file("d/f", 5), g = made_file("d/g", 0),
		     h = {.type = ENTRY_HARDLINK,
			 .path = "d/h",
			 .path_len = 3,
			 .mode = 0644,
			 .mtime_sec = 1000000000,
			 .link = "d/f",
			 .link_len = 3},
		     l = {.type = ENTRY_SYMLINK,
			 .path = "l",
			 .path_len = 1,
			 .mode = 0777,
			 .link = "d/f",
			 .link_len = 3},
		     b = made_file("m", sizeof(big)), z = made_file("z", 3000);

	fill_big();
	made_begin(&m, dir, name);
	put_root(&m);
	made_both(&m, &d, NULL);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_both(&m, &f, "hello");
	made_both(&m, &g, NULL);
	made_both(&m, &h, NULL);
	made_both(&m, &l, NULL);
	made_member(&m, MANIFEST_FILES, "d/f", 0);
	made_large(&m, &b, big);
	made_both(&m, &z, NULL);
	made_member(&m, MANIFEST_FILES, "z", 0);
	made_end(&m, NULL);
}

static void
a_sound_backup_is_sound_at_every_level(void **state)
{
	(void)state;
	make_sound("s-1");
	for (opts.level = VERIFY_QUICK; opts.level <= VERIFY_DEEP; opts.level++)
		expect(CLI_OK, "");
	opts.jobs = 1;
	opts.level = VERIFY_DEEP;
	expect(CLI_OK, "");
}

static void
the_line_of_a_sound_one_tells_what_was_checked(void **state)
{
	(void)state;
	make_sound("s-1");
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_OK);
	assert_non_null(strstr(text, "s-1: checked\n    note: its seal is not signed\n"));
	assert_non_null(strstr(text, "    ok (deep: 9 members, 8 entries, "));
}

/* ---- disagreement under a good seal, seen by deep only ---- */

/* One member with the entries that f puts, and the end. */
static void
make_one(void (*put)(struct made *m))
{
	struct made m;

	made_begin(&m, dir, "s-1");
	put_root(&m);
	put(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_end(&m, NULL);
}

static void
expect_deep_only(const char *lines)
{
	opts.level = VERIFY_STANDARD;
	expect(CLI_OK, "");
	opts.level = VERIFY_DEEP;
	expect(CLI_WRONG, lines);
}

static void
put_other_content(struct made *m)
{
	struct entry f = made_file("f", 5), g = made_file("g", 5);

	made_tar(m, &f, "hello");
	made_section(m, &f, "Hello");
	made_both(m, &g, "hello");
}

static void
other_content_is_found(void **state)
{
	(void)state;
	make_one(put_other_content);
	expect_deep_only("s-1: FAILED\n"
			 "    damage: f: its content differs from the manifest's digest\n");
}

/* What differs within it then is not told apart. */
static void
put_under_another_digest(struct made *m)
{
	put_other_content(m);
	m->lie = true;
}

static void
a_lying_digest_of_plain_bytes_is_found(void **state)
{
	(void)state;
	make_one(put_under_another_digest);
	opts.level = VERIFY_STANDARD;
	expect(CLI_OK, "");
	opts.level = VERIFY_DEEP;
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text, " bytes: digest of the unpacked bytes differs\n"));
	assert_non_null(strstr(text, "\n        f\n        g\n"));
	assert_null(strstr(text, "content"));
}

static void
put_other_facts(struct made *m)
{
	struct entry f = made_file("a\nb", 5), g = made_file("g", 5);

	made_tar(m, &f, "hello");
	f.mode = 0600;
	made_section(m, &f, "hello");
	made_tar(m, &g, "hello");
	g.uid = 1;
	made_section(m, &g, "hello");
}

static void
other_facts_are_found_and_names_escaped(void **state)
{
	(void)state;
	make_one(put_other_facts);
	expect_deep_only("s-1: FAILED\n"
			 "    damage: a\\012b: mode differs between archive and manifest\n"
			 "    damage: g: uid differs between archive and manifest\n");
}

static void
put_extra_and_missing(struct made *m)
{
	struct entry a = made_file("a", 1), b = made_file("b", 1), c = made_file("c", 1),
		     d = made_file("d", 1);

	made_tar(m, &a, "x");
	made_section(m, &b, "x");
	made_both(m, &c, "x");
	made_tar(m, &d, "x");
}

static void
entries_of_one_side_only_are_found(void **state)
{
	(void)state;
	make_one(put_extra_and_missing);
	expect_deep_only("s-1: FAILED\n"
			 "    damage: a: is in the archive, but not in the manifest\n"
			 "    damage: b: is in the manifest, but not in the archive\n"
			 "    damage: d: is in the archive, but not in the manifest\n");
}

static void
put_broken_stream(struct made *m)
{
	struct entry a = made_file("a", 1), b = made_file("b", 1), c = made_file("c", 1);

	made_both(m, &a, "x");
	made_both(m, &b, "x");
	made_both(m, &c, "x");
	m->plain.data[m->plain.len - 3 * 512 - 512 + 100] ^= 1; /* in b's header */
}

static void
a_broken_tar_stream_names_the_files_behind_the_break(void **state)
{
	(void)state;
	make_one(put_broken_stream);
	opts.level = VERIFY_STANDARD;
	expect(CLI_OK, "");
	opts.level = VERIFY_DEEP;
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text, "    damage: tar stream in the member of the archive at 0: "));
	assert_non_null(strstr(text, "\n        b\n        c\n"));
	assert_null(strstr(text, "        a\n"));
}

static void
bytes_behind_the_last_entry_are_found(void **state)
{
	struct made m;

	(void)state;
	made_begin(&m, dir, "s-1");
	put_root(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	buf_zeros(&m.plain, 1023);
	buf_putc(&m.plain, 'x');
	made_end(&m, NULL);
	expect_deep_only(
	    "s-1: FAILED\n"
	    "    damage: the last member of the archive is not the end of a tar stream\n");
}

/* ---- large files ---- */

static void
make_large(const struct entry *en, const void *data)
{
	struct made m;
	struct entry other = *en;

	made_begin(&m, dir, "s-1");
	put_root(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_large(&m, &other, data);
	made_end(&m, NULL);
}

/* With a wrong bit in the second chunk; the index may lie about that. */
static void
make_hurt_big(bool lie)
{
	struct made m;
	struct entry b = made_file("b", sizeof(big));

	fill_big();
	made_begin(&m, dir, "s-1");
	put_root(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_tar(&m, &b, big);
	m.plain.len = 512;
	made_member(&m, MANIFEST_HEADER, "b", 0);
	for (size_t at = 0; at < sizeof(big); at += CUT_CHUNK) {
		size_t n = sizeof(big) - at < CUT_CHUNK ? sizeof(big) - at : CUT_CHUNK;
		buf_append(&m.plain, big + at, n);
		if (at == CUT_CHUNK)
			m.plain.data[77] ^= 1;
		m.lie = lie && at == CUT_CHUNK;
		if (n < CUT_CHUNK) {
			buf_zeros(&m.plain, 512 - n % 512);
			made_section(&m, &b, big);
		}
		made_member(&m, MANIFEST_CHUNK, "b", at);
	}
	made_end(&m, NULL);
}

static void
a_lying_digest_of_a_chunk_is_found(void **state)
{
	(void)state;
	make_hurt_big(true);
	opts.level = VERIFY_STANDARD;
	expect(CLI_OK, "");
	opts.level = VERIFY_DEEP;
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text, " bytes: digest of the unpacked bytes differs; bytes "));
	assert_non_null(strstr(text, " of the file\n        b\n"));
	assert_null(strstr(text, "content"));
}

static void
a_large_files_content_is_checked_across_chunks(void **state)
{
	(void)state;
	make_hurt_big(false);
	expect_deep_only("s-1: FAILED\n"
			 "    damage: b: its content differs from the manifest's digest\n");
}

/* The file's chunks as the caller wants them: (file offset, bytes) pairs, ended by 0 bytes. */
static void
make_chunks(uint64_t size, const uint64_t (*chunks)[2])
{
	struct made m;
	struct entry b = made_file("b", size);

	fill_big();
	made_begin(&m, dir, "s-1");
	put_root(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_tar(&m, &b, big);
	m.plain.len = 512;
	made_member(&m, MANIFEST_HEADER, "b", 0);
	for (size_t i = 0; chunks[i][1] != 0; i++) {
		buf_append(&m.plain, big + chunks[i][0], (size_t)chunks[i][1]);
		if (chunks[i + 1][1] == 0)
			made_section(&m, &b, big);
		made_member(&m, MANIFEST_CHUNK, "b", chunks[i][0]);
	}
	made_end(&m, NULL);
}

static void
a_chunk_that_is_too_short_is_found(void **state)
{
	static const uint64_t chunks[][2] = {{0, CUT_CHUNK - 512}, {CUT_CHUNK, 512}, {0, 0}};

	(void)state;
	make_chunks(CUT_CHUNK + 512, chunks);
	expect_deep_only("s-1: FAILED\n"
			 "    damage: b: a chunk is shorter than its place in the file\n");
}

static void
a_chunk_that_is_too_long_is_found(void **state)
{
	static const uint64_t chunks[][2] = {{0, CUT_CHUNK}, {CUT_CHUNK, 1024}, {0, 0}};

	(void)state;
	make_chunks(CUT_CHUNK + 512, chunks);
	expect_deep_only("s-1: FAILED\n"
			 "    damage: b: a chunk is longer than its place in the file\n");
}

static void
a_missing_chunk_is_found(void **state)
{
	static const uint64_t chunks[][2] = {{0, CUT_CHUNK}, {2 * CUT_CHUNK, 512}, {0, 0}};

	(void)state;
	make_chunks(2 * CUT_CHUNK + 512, chunks);
	expect_deep_only("s-1: FAILED\n"
			 "    damage: b: a chunk is shorter than its place in the file\n");
}

static void
missing_padding_is_found(void **state)
{
	static const uint64_t chunks[][2] = {{0, CUT_CHUNK}, {CUT_CHUNK, 100}, {0, 0}};

	(void)state;
	make_chunks(CUT_CHUNK + 100, chunks);
	expect_deep_only("s-1: FAILED\n"
			 "    damage: b: the padding behind its data is missing\n");
}

static void
holes_count_as_zeros(void **state)
{
	static uint8_t data[4 * CUT_CHUNK];
	static const struct entry_extent extents[] = {
	    {512, 1024}, {CUT_CHUNK - 512, 1024}, {3 * CUT_CHUNK + 512, 512}};
	struct entry en = made_file("sp", sizeof(data));

	(void)state;
	fill_big();
	for (size_t i = 0; i < 3; i++)
		memcpy(data + extents[i].offset, big, extents[i].len);
	en.sparse = true;
	en.extents = extents;
	en.n_extents = 3;
	make_large(&en, data);
	expect(CLI_OK, "");
}

static void
a_file_that_is_all_hole_has_no_chunk(void **state)
{
	static uint8_t data[2 * CUT_CHUNK];
	struct entry en = made_file("sp", sizeof(data));

	(void)state;
	en.sparse = true;
	make_large(&en, data);
	expect(CLI_OK, "");
}

/* ---- the seal's own figures ---- */

static void
a_seal_that_counts_wrongly_is_found(void **state)
{
	struct made m;

	(void)state;
	made_begin(&m, dir, "s-1");
	put_root(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	m.seal.bytes = 7;
	made_end(&m, NULL);
	opts.level = VERIFY_STANDARD;
	expect(CLI_WRONG,
	    "s-1: FAILED\n"
	    "    damage: the seal counts 7 bytes in files, the manifest has 0\n");
}

static void
an_incomplete_backup_is_not_well(void **state)
{
	struct made m;

	(void)state;
	made_begin(&m, dir, "s-1");
	put_root(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	m.seal.unreadable = 3;
	made_end(&m, NULL);
	opts.all = true;
	expect(CLI_WRONG,
	    "damage: series s: there is no complete backup\n"
	    "s-1: FAILED\n"
	    "    damage: incomplete: 3 paths could not be read when it was made\n");
}

/* ---- damage ---- */

/* A small backup of which every byte is turned over in turn. */
static void
make_tiny(void)
{
	struct made m;
	struct entry a = made_file("a", 3), b = made_file("b", 3),
		     h = {.type = ENTRY_HARDLINK,
			 .path = "c",
			 .path_len = 1,
			 .mode = 0644,
			 .mtime_sec = 1000000000,
			 .link = "a",
			 .link_len = 1};

	made_begin(&m, dir, "s-1");
	put_root(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	made_both(&m, &a, "aaa");
	made_member(&m, MANIFEST_FILES, "a", 0);
	made_both(&m, &b, "bbb");
	made_both(&m, &h, NULL);
	made_member(&m, MANIFEST_FILES, "b", 0);
	made_end(&m, NULL);
}

/* Turn over each byte of a part; look is told where, and what verify said. */
static void
flip_each(const char *part, void (*look)(size_t at, size_t len, enum cli_status status))
{
	struct buf whole = {0};

	scratch_get(dir, part, &whole);
	for (size_t at = 0; at < whole.len; at++) {
		whole.data[at] ^= (uint8_t)(1u << (at % 8));
		scratch_put(dir, part, whole.data, whole.len);
		look(at, whole.len, run_verify());
		whole.data[at] ^= (uint8_t)(1u << (at % 8));
	}
	scratch_put(dir, part, whole.data, whole.len);
	buf_done(&whole);
	assert_int_equal(run_verify(), CLI_OK);
}

/* Starts of the archive's members, from the report of a cut at each. */
static size_t starts[5];

static void
find_starts(void)
{
	struct buf whole = {0};
	size_t n = 0;

	scratch_get(dir, "s-1.tar.gz", &whole);
	for (size_t at = 0; at + 10 <= whole.len; at++)
		if (memcmp(whole.data + at, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10) == 0)
			starts[n++] = at;
	assert_int_equal(n, 4);
	starts[4] = whole.len;
	buf_done(&whole);
}

static void
look_at_archive(size_t at, size_t len, enum cli_status status)
{
	static const char *const files[] = {"        .\n",
	    "        a\n    damage: hard links to "
	    "damaged files:\n        c\n",
	    "        b\n        c\n", ""};
	char want[256];
	size_t i = 0;

	(void)len;
	while (at >= starts[i + 1])
		i++;
	(void)snprintf(want, sizeof(want),
	    "s-1: FAILED\n    damage: member %zu of the archive at %zu, %zu bytes: digest "
	    "differs; intact in no other backup\n%s",
	    i + 1, starts[i], starts[i + 1] - starts[i], files[i]);
	if (status != CLI_WRONG || strncmp(text, want, strlen(want)) != 0)
		fail_msg("byte %zu: %s\nexpected: %s", at, text, want);
}

static void
any_bit_of_the_archive_is_found_with_its_files(void **state)
{
	(void)state;
	opts.level = VERIFY_STANDARD;
	make_tiny();
	find_starts();
	flip_each("s-1.tar.gz", look_at_archive);
}

/* What is hurt is said beside the whole file's digest: head, a section with its files, page, root.
 */
static unsigned seen_head, seen_section[3], seen_page, seen_root;

static void
look_at_manifest(size_t at, size_t len, enum cli_status status)
{
	(void)len;
	if (status != CLI_WRONG ||
	    strstr(text, "the manifest's digest differs from the sealed one\n") == NULL)
		fail_msg("byte %zu: %s", at, text);
	if (strstr(text, "head of the manifest: ") != NULL)
		seen_head++;
	else if (strstr(text, "section of .: digest differs; files from . up to a\n") != NULL)
		seen_section[0]++;
	else if (strstr(text, "section of a: digest differs; files from a up to b\n") != NULL)
		seen_section[1]++;
	else if (strstr(text, "section of b: digest differs; files from b up to the end\n") != NULL)
		seen_section[2]++;
	else if (strstr(text, "page 1 of 1 of the manifest's index, from . up to the end: ") !=
	    NULL)
		seen_page++;
	else if (strstr(text, "root of the manifest's index: ") != NULL)
		seen_root++;
	else
		fail_msg("byte %zu: %s", at, text);
}

static void
any_bit_of_the_manifest_is_found_with_its_files(void **state)
{
	(void)state;
	opts.level = VERIFY_STANDARD;
	make_tiny();
	seen_head = seen_page = seen_root = 0;
	memset(seen_section, 0, sizeof(seen_section));
	flip_each("s-1.manifest.gz", look_at_manifest);
	assert_true(seen_head > 50 && seen_page > 100 && seen_root > 50);
	for (int i = 0; i < 3; i++)
		assert_true(seen_section[i] > 50);
}

static void
a_section_that_is_hurt_gets_its_names_from_the_archive(void **state)
{
	struct buf whole = {0};
	size_t n = 0, at = 0;

	(void)state;
	make_tiny();
	scratch_get(dir, "s-1.manifest.gz", &whole);
	/* head, sections of ".", "a", "b" */
	for (at = 0; n < 4; at++)
		if (memcmp(whole.data + at, "\x1f\x8b\x08\0", 4) == 0)
			n++;
	whole.data[at + 20] ^= 1;
	scratch_put(dir, "s-1.manifest.gz", whole.data, whole.len);
	buf_done(&whole);
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text,
	    "section of b: digest differs; files from b up to the end\n"
	    "        b\n        c\n"));
}

static void
a_cut_archive_names_what_is_cut_off(void **state)
{
	struct buf whole = {0};
	char want[512];

	(void)state;
	make_tiny();
	find_starts();
	scratch_get(dir, "s-1.tar.gz", &whole);
	scratch_put(dir, "s-1.tar.gz", whole.data, starts[2] - 1);
	(void)snprintf(want, sizeof(want),
	    "s-1: FAILED\n"
	    "    damage: the archive has %zu bytes, sealed were %zu: %zu are missing at its end\n"
	    "    damage: the archive ends at %zu within or before the member at %zu; cut off:\n"
	    "        a\n        b\n        c\n",
	    starts[2] - 1, starts[4], starts[4] - starts[2] + 1, starts[2] - 1, starts[1]);
	buf_done(&whole);
	opts.level = VERIFY_STANDARD;
	expect(CLI_WRONG, want);
	opts.level = VERIFY_DEEP;
	expect(CLI_WRONG, want);
}

static void
bytes_added_to_a_file_are_found_at_every_level(void **state)
{
	struct buf whole = {0};

	(void)state;
	make_tiny();
	for (opts.level = VERIFY_QUICK; opts.level <= VERIFY_DEEP; opts.level++) {
		buf_clear(&whole);
		scratch_get(dir, "s-1.tar.gz", &whole);
		scratch_put(dir, "s-1.tar.gz", whole.data, whole.len);
		buf_putc(&whole, 'x');
		scratch_put(dir, "s-1.tar.gz", whole.data, whole.len);
		assert_int_equal(run_verify(), CLI_WRONG);
		assert_non_null(strstr(text, ": 1 are added behind its end\n"));
		scratch_put(dir, "s-1.tar.gz", whole.data, whole.len - 1);
		buf_clear(&whole);
		scratch_get(dir, "s-1.manifest.gz", &whole);
		buf_putc(&whole, 'x');
		scratch_put(dir, "s-1.manifest.gz", whole.data, whole.len);
		assert_int_equal(run_verify(), CLI_WRONG);
		assert_non_null(strstr(text, "the manifest has "));
		scratch_put(dir, "s-1.manifest.gz", whole.data, whole.len - 1);
	}
	buf_done(&whole);
}

static void
missing_files_are_found_at_every_level(void **state)
{
	char path[SCRATCH_MAX + 32];

	(void)state;
	make_tiny();
	(void)snprintf(path, sizeof(path), "%s/s-1.tar.gz", dir);
	assert_int_equal(unlink(path), 0);
	for (opts.level = VERIFY_QUICK; opts.level <= VERIFY_DEEP; opts.level++)
		expect(CLI_WRONG, "s-1: FAILED\n    damage: s-1.tar.gz: is missing\n");
	(void)snprintf(path, sizeof(path), "%s/s-1.manifest.gz", dir);
	assert_int_equal(unlink(path), 0);
	for (opts.level = VERIFY_QUICK; opts.level <= VERIFY_DEEP; opts.level++)
		expect(CLI_WRONG,
		    "s-1: FAILED\n    damage: s-1.tar.gz: is missing\n"
		    "    damage: s-1.manifest.gz: is missing\n");
}

static void
a_missing_manifest_leaves_the_archives_digest(void **state)
{
	char path[SCRATCH_MAX + 32];
	struct buf whole = {0};

	(void)state;
	make_tiny();
	(void)snprintf(path, sizeof(path), "%s/s-1.manifest.gz", dir);
	assert_int_equal(unlink(path), 0);
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(
	    strstr(text, "note: the archive itself is as it was sealed, to the last bit\n"));
	scratch_get(dir, "s-1.tar.gz", &whole);
	whole.data[whole.len / 2] ^= 1;
	scratch_put(dir, "s-1.tar.gz", whole.data, whole.len);
	buf_done(&whole);
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text, "damage: the archive's digest differs from the sealed one\n"));
}

/* Enough members for three pages of the index. */
#define MANY 1100

static void
make_many(void)
{
	struct made m;
	char path[16] = "";

	made_begin(&m, dir, "s-1");
	put_root(&m);
	for (int i = 0; i < MANY; i++) {
		made_member(&m, MANIFEST_FILES, path, 0);
		(void)snprintf(path, sizeof(path), "f%04d", i);
		struct entry f = made_file(path, 3);
		made_both(&m, &f, "abc");
	}
	made_member(&m, MANIFEST_FILES, path, 0);
	made_end(&m, NULL);
}

/* The start of gzip member number n of a file. */
static size_t
gzip_start(const struct buf *whole, size_t n)
{
	for (size_t at = 0;; at++) {
		assert_true(at + 10 < whole->len);
		if (memcmp(whole->data + at, "\x1f\x8b\x08\0\0\0\0\0\0\xff", 10) == 0 && n-- == 0)
			return at;
	}
}

static void
damage_behind_a_damaged_page_is_found_all_the_same(void **state)
{
	struct buf manifest = {0}, archive = {0};
	size_t page;

	(void)state;
	make_many();
	expect(CLI_OK, "");
	scratch_get(dir, "s-1.manifest.gz", &manifest);
	scratch_get(dir, "s-1.tar.gz", &archive);
	/* Head, 512 sections, page, 512 sections, and the second page. */
	page = gzip_start(&manifest, 1 + 512 + 1 + 512);
	manifest.data[page + 20] ^= 1;
	scratch_put(dir, "s-1.manifest.gz", manifest.data, manifest.len);
	opts.common.quiet = false;
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(
	    strstr(text, "page 2 of 3 of the manifest's index, from f0511 up to f1023: "));
	assert_non_null(strstr(text, "the archive itself is as it was sealed"));
	/* In a member of the lost page, of the first, and of the last. */
	archive.data[gzip_start(&archive, 600) + 15] ^= 1;
	scratch_put(dir, "s-1.tar.gz", archive.data, archive.len);
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text,
	    "the archive's digest differs from the sealed one, by damage "
	    "where the index is lost\n"));
	archive.data[gzip_start(&archive, 3) + 15] ^= 1;
	archive.data[gzip_start(&archive, 1098) + 15] ^= 1;
	scratch_put(dir, "s-1.tar.gz", archive.data, archive.len);
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text, "digest differs; intact in no other backup\n        f0002\n"));
	assert_non_null(strstr(text, "digest differs; intact in no other backup\n        f1097\n"));
	buf_done(&manifest);
	buf_done(&archive);
}

static void
a_section_before_a_damaged_page_has_no_known_end(void **state)
{
	struct buf manifest = {0};
	size_t at;

	(void)state;
	make_many();
	scratch_get(dir, "s-1.manifest.gz", &manifest);
	at = gzip_start(&manifest, 1 + 512 + 1 + 512);
	manifest.data[at + 20] ^= 1;
	at = gzip_start(&manifest, 512);
	manifest.data[at + 20] ^= 1;
	scratch_put(dir, "s-1.manifest.gz", manifest.data, manifest.len);
	buf_done(&manifest);
	opts.level = VERIFY_STANDARD;
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text, "section of f0510: digest differs; files from f0510 on\n"));
}

static void
a_seal_that_claims_an_endless_archive_is_no_endless_work(void **state)
{
	struct made m;

	(void)state;
	made_begin(&m, dir, "s-1");
	put_root(&m);
	made_member(&m, MANIFEST_FILES, "", 0);
	m.seal.archive_size = INT64_MAX;
	made_end(&m, NULL);
	assert_int_equal(run_verify(), CLI_WRONG);
	assert_non_null(strstr(text, " are missing at its end\n"));
}

static void
a_stop_ends_it_with_an_error(void **state)
{
	struct err why = {0};
	FILE *out = open_memstream(&text, &text_len);

	(void)state;
	make_sound("s-1");
	opts.common.json = true;
	stop_request(15);
	(void)verify_run(&opts, out, &why);
	stop_request(0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(why.kind, ERR_STOPPED);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(a_sound_backup_is_sound_at_every_level),
	    T(the_line_of_a_sound_one_tells_what_was_checked),
	    T(other_content_is_found),
	    T(a_lying_digest_of_plain_bytes_is_found),
	    T(other_facts_are_found_and_names_escaped),
	    T(entries_of_one_side_only_are_found),
	    T(a_broken_tar_stream_names_the_files_behind_the_break),
	    T(bytes_behind_the_last_entry_are_found),
	    T(a_large_files_content_is_checked_across_chunks),
	    T(a_lying_digest_of_a_chunk_is_found),
	    T(a_chunk_that_is_too_short_is_found),
	    T(a_chunk_that_is_too_long_is_found),
	    T(a_missing_chunk_is_found),
	    T(missing_padding_is_found),
	    T(holes_count_as_zeros),
	    T(a_file_that_is_all_hole_has_no_chunk),
	    T(a_seal_that_counts_wrongly_is_found),
	    T(an_incomplete_backup_is_not_well),
	    T(any_bit_of_the_archive_is_found_with_its_files),
	    T(any_bit_of_the_manifest_is_found_with_its_files),
	    T(a_section_that_is_hurt_gets_its_names_from_the_archive),
	    T(a_cut_archive_names_what_is_cut_off),
	    T(bytes_added_to_a_file_are_found_at_every_level),
	    T(missing_files_are_found_at_every_level),
	    T(a_missing_manifest_leaves_the_archives_digest),
	    T(damage_behind_a_damaged_page_is_found_all_the_same),
	    T(a_section_before_a_damaged_page_has_no_known_end),
	    T(a_seal_that_claims_an_endless_archive_is_no_endless_work),
	    T(a_stop_ends_it_with_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
