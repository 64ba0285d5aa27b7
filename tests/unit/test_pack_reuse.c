/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/reuse.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "archive/cut.h"
#include "core/err.h"
#include "core/log.h"
#include "seal/manifest_text.h"
#include "seal/seal.h"

/* An older backup whose members hold their own number, packed and plain alike. */
static int archive_fd, manifest_fd;
static struct manifest_writer *w;
static struct seal seal;
static uint64_t offset;
static struct reuse *r;
static struct reuse_cursor *c;
static struct manifest_member m;
static struct err e;

static void
key_of(unsigned n, uint8_t key[SHA256_LEN])
{
	memset(key, (int)n, SHA256_LEN);
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	memset(&seal, 0, sizeof(seal));
	offset = 0;
	(void)snprintf(seal.name, sizeof(seal.name), "older");
	archive_fd = memfd_create("archive", MFD_CLOEXEC);
	manifest_fd = memfd_create("manifest", MFD_CLOEXEC);
	return manifest_writer_new(&w, manifest_fd, seal.name, 1, &e);
}

static int
teardown(void **state)
{
	(void)state;
	reuse_cursor_free(c);
	reuse_free(r); /* closes both */
	c = NULL;
	r = NULL;
	return 0;
}

/* key 0: none. */
static void
put(enum manifest_kind kind, const char *path, uint64_t file_offset, unsigned key, bool ends)
{
	struct manifest_member new = {.kind = kind,
	    .offset = offset,
	    .packed_len = sizeof(offset),
	    .plain_len = kind == MANIFEST_CHUNK ? CUT_CHUNK : 512,
	    .has_key = key != 0,
	    .file_offset = file_offset,
	    .entries = ends ? 1 : 0,
	    .path = path,
	    .path_len = path == NULL ? 0 : strlen(path)};
	char section[32];

	key_of(key, new.key);
	assert_int_equal(pwrite(archive_fd, &offset, sizeof(offset), (off_t)offset), 8);
	sha256_of(&offset, sizeof(offset), new.packed_digest);
	memcpy(new.plain_digest, new.packed_digest, SHA256_LEN);
	int n = ends ? snprintf(section, sizeof(section), "section of %s", path) : 0;
	assert_int_equal(manifest_write(w, &new, section, (size_t)n, (size_t)n, &e), 0);
	offset += sizeof(offset);
}

static void
files(const char *path, unsigned key)
{
	put(MANIFEST_FILES, path, 0, key, true);
}

/* Its first chunk but changed has key; that one has another. */
static void
large(const char *path, unsigned chunks, unsigned key, unsigned changed)
{
	put(MANIFEST_HEADER, path, 0, key, false);
	for (unsigned i = 0; i < chunks; i++)
		put(MANIFEST_CHUNK, path, (uint64_t)i * CUT_CHUNK, i == changed ? key + 1 : key,
		    i + 1 == chunks);
}

static void
finish(bool by_stat)
{
	struct reuse_opts o = {.archive_fd = archive_fd,
	    .manifest_fd = manifest_fd,
	    .seal = &seal,
	    .by_stat = by_stat};

	put(MANIFEST_END, NULL, 0, 0, false);
	assert_int_equal(manifest_writer_finish(w, &seal, &e), 0);
	manifest_writer_free(w);
	seal.archive_size = offset;
	assert_int_equal(reuse_new(&r, &o, &e), 0);
}

static void
begin(void)
{
	finish(true);
	assert_int_equal(reuse_cursor_new(&c, r, &e), 0);
}

static bool
find(enum manifest_kind kind, const char *path, uint64_t file_offset)
{
	return reuse_find(c, kind, path, strlen(path), file_offset, &m);
}

static bool
has_key(const char *path, unsigned key, uint64_t *plain)
{
	uint8_t bytes[SHA256_LEN];

	key_of(key, bytes);
	return reuse_has_key(c, path, strlen(path), bytes, plain);
}

static void
flip(int fd, uint64_t at)
{
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

/* ---- finding ---- */

static void
members_are_found_in_the_order_of_an_archive(void **state)
{
	(void)state;
	files("", 1);
	files("a", 2);
	large("b", 3, 3, 99);
	files("d", 4);
	begin();
	assert_true(find(MANIFEST_FILES, "", 0));
	assert_null(m.path);
	assert_true(find(MANIFEST_FILES, "a", 0));
	assert_int_equal(m.offset, 8);
	assert_true(find(MANIFEST_FILES, "a", 0)); /* it stays there */
	assert_true(find(MANIFEST_HEADER, "b", 0));
	assert_true(find(MANIFEST_CHUNK, "b", CUT_CHUNK));
	assert_int_equal(m.offset, 4 * 8);
	assert_true(find(MANIFEST_CHUNK, "b", 2 * CUT_CHUNK));
	assert_false(find(MANIFEST_FILES, "c", 0));
	assert_true(find(MANIFEST_FILES, "d", 0));
	assert_false(find(MANIFEST_FILES, "e", 0));
	assert_false(find(MANIFEST_FILES, "f", 0));
}

static void
what_became_another_kind_is_not_found(void **state)
{
	(void)state;
	files("a", 1);
	large("b", 2, 2, 99);
	files("c", 3);
	begin();
	assert_false(find(MANIFEST_HEADER, "a", 0));
	assert_false(find(MANIFEST_CHUNK, "a", 0));
	assert_false(find(MANIFEST_FILES, "b", 0));
	assert_true(find(MANIFEST_FILES, "c", 0));
}

static void
a_chunk_is_found_by_its_place_in_the_file(void **state)
{
	(void)state;
	put(MANIFEST_HEADER, "a", 0, 1, false);
	put(MANIFEST_CHUNK, "a", 2 * CUT_CHUNK, 1, false); /* before it is a hole */
	put(MANIFEST_CHUNK, "a", 5 * CUT_CHUNK, 1, true);
	files("b", 2);
	begin();
	assert_true(find(MANIFEST_HEADER, "a", 0));
	assert_false(find(MANIFEST_CHUNK, "a", 0));
	assert_false(find(MANIFEST_CHUNK, "a", CUT_CHUNK));
	assert_true(find(MANIFEST_CHUNK, "a", 2 * CUT_CHUNK));
	assert_false(find(MANIFEST_CHUNK, "a", 3 * CUT_CHUNK));
	assert_true(find(MANIFEST_CHUNK, "a", 5 * CUT_CHUNK));
	assert_false(find(MANIFEST_CHUNK, "a", 6 * CUT_CHUNK));
	assert_true(find(MANIFEST_FILES, "b", 0));
}

static void
a_seek_goes_back_as_well(void **state)
{
	(void)state;
	files("a", 1);
	large("b", 3, 2, 99);
	files("c", 3);
	begin();
	assert_true(find(MANIFEST_FILES, "c", 0));
	reuse_seek(c, "b", 1);
	assert_true(find(MANIFEST_HEADER, "b", 0));
	assert_true(find(MANIFEST_CHUNK, "b", 0));
	reuse_seek(c, "c", 1);
	assert_true(find(MANIFEST_FILES, "c", 0));
	reuse_seek(c, "x", 1);
	assert_false(find(MANIFEST_FILES, "x", 0));
}

/* ---- keys of large files ---- */

static void
a_large_file_has_a_key_when_all_its_members_have(void **state)
{
	uint64_t plain = 0;

	(void)state;
	large("a", 3, 7, 99);
	large("b", 3, 7, 1);
	put(MANIFEST_HEADER, "c", 0, 7, false);
	put(MANIFEST_CHUNK, "c", 0, 0, true);
	put(MANIFEST_HEADER, "d", 0, 7, true); /* nothing but a hole */
	begin();
	assert_true(has_key("a", 7, &plain));
	assert_int_equal(plain, 3 * CUT_CHUNK);
	assert_true(find(MANIFEST_HEADER, "a", 0)); /* the cursor has not gone on */
	assert_true(reuse_next_chunk(c, "a", 1, &m));
	assert_int_equal(m.file_offset, 0);
	assert_false(has_key("a", 7, &plain)); /* its header is behind */
	assert_false(has_key("b", 7, &plain));
	assert_true(find(MANIFEST_HEADER, "b", 0));
	assert_false(has_key("b", 8, &plain));
	assert_false(has_key("c", 7, &plain));
	assert_true(has_key("d", 7, &plain));
	assert_int_equal(plain, 0);
	assert_false(has_key("e", 7, &plain));
}

static void
a_large_file_over_pages_keeps_its_chunks_apart(void **state)
{
	uint64_t plain = 0;
	unsigned n = 3 * MANIFEST_PAGE_LINES;

	(void)state;
	large("a", n, 7, 99999);
	files("b", 1);
	begin();
	assert_true(has_key("a", 7, &plain));
	assert_int_equal(plain, (uint64_t)n * CUT_CHUNK);
	assert_true(find(MANIFEST_HEADER, "a", 0));
	while (n-- > 0)
		assert_true(reuse_next_chunk(c, "a", 1, &m));
	assert_false(reuse_next_chunk(c, "a", 1, &m));
	assert_true(find(MANIFEST_FILES, "b", 0));
}

/* The place of page i in the manifest: pages lie end to end before the root, here without sections
 * between them. */
static uint64_t
inside_page(unsigned i, unsigned pages)
{
	struct manifest_member last;
	struct manifest_reader *reader;
	uint64_t at = 0;

	assert_int_equal(manifest_reader_new(&reader, manifest_fd, &seal, &e), 0);
	while (manifest_next(reader, &last, &e) == 1) {
		if (last.section_len > 0)
			at = last.section_offset + last.section_len;
	}
	manifest_reader_free(reader);
	assert_int_equal(at, 0);
	return seal.root_offset * (2 * i + 1) / (2 * pages);
}

/* Chunks that are listed on a page that cannot be read must not be taken for a hole. */
static void
damage_among_the_chunks_leaves_no_key(void **state)
{
	uint64_t plain = 0;
	unsigned n = 3 * MANIFEST_PAGE_LINES;

	(void)state;
	put(MANIFEST_HEADER, "a", 0, 7, false);
	for (unsigned i = 0; i < n; i++)
		put(MANIFEST_CHUNK, "a", (uint64_t)i * CUT_CHUNK, 7, false);
	finish(true);
	/* Three full pages, and a short one that a middle of quarters does not hit. */
	flip(manifest_fd, inside_page(1, 3));
	assert_int_equal(reuse_cursor_new(&c, r, &e), 0);
	assert_false(has_key("a", 7, &plain));
	/* Those that are there can be had one by one. */
	assert_true(find(MANIFEST_HEADER, "a", 0));
	assert_true(find(MANIFEST_CHUNK, "a", 0));
	assert_false(find(MANIFEST_CHUNK, "a", (uint64_t)(n / 2) * CUT_CHUNK));
	assert_true(find(MANIFEST_CHUNK, "a", (uint64_t)(n - 9) * CUT_CHUNK));
}

static void
damage_behind_the_last_page_of_chunks_leaves_no_key_either(void **state)
{
	uint64_t plain = 0;
	unsigned n = 2 * MANIFEST_PAGE_LINES;

	(void)state;
	put(MANIFEST_HEADER, "a", 0, 7, false);
	for (unsigned i = 0; i < n; i++)
		put(MANIFEST_CHUNK, "a", (uint64_t)i * CUT_CHUNK, 7, false);
	finish(true);
	flip(manifest_fd, seal.root_offset - 5); /* the last chunk, and the end */
	assert_int_equal(reuse_cursor_new(&c, r, &e), 0);
	assert_false(has_key("a", 7, &plain));
}

static void
damage_costs_one_page_and_no_more(void **state)
{
	char path[16];
	unsigned found = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * MANIFEST_PAGE_LINES; i++) {
		(void)snprintf(path, sizeof(path), "%05u", i);
		put(MANIFEST_FILES, path, 0, 1, false);
	}
	finish(true);
	flip(manifest_fd, inside_page(1, 3));
	assert_int_equal(reuse_cursor_new(&c, r, &e), 0);
	for (unsigned i = 0; i < 3 * MANIFEST_PAGE_LINES; i++) {
		(void)snprintf(path, sizeof(path), "%05u", i);
		found += find(MANIFEST_FILES, path, 0);
	}
	assert_int_equal(found, 2 * MANIFEST_PAGE_LINES);
	reuse_seek(c, "00003", 5);
	assert_true(find(MANIFEST_FILES, "00003", 0));
	reuse_seek(c, "00700", 5); /* it was there */
	assert_false(find(MANIFEST_FILES, "00700", 0));
	assert_true(find(MANIFEST_FILES, "01500", 0));
}

/* ---- fetching ---- */

static void
only_what_has_its_digest_is_fetched(void **state)
{
	struct buf out = {0};
	struct err why;
	uint64_t second = 8;

	(void)state;
	files("a", 1);
	files("b", 1);
	begin();
	assert_true(find(MANIFEST_FILES, "b", 0));
	buf_puts(&out, "before ");
	assert_int_equal(reuse_fetch_member(r, &m, &out, &why, &e), 0);
	assert_int_equal(out.len, 7 + 8);
	assert_memory_equal(out.data + 7, &second, 8);
	buf_clear(&out);
	assert_int_equal(reuse_fetch_section(r, &m, &out, &why, &e), 0);
	assert_string_equal(buf_str(&out), "section of b");

	flip(archive_fd, 9);
	flip(manifest_fd, m.section_offset);
	buf_clear(&out);
	assert_int_equal(reuse_fetch_member(r, &m, &out, &why, &e), 1);
	assert_string_equal(why.msg, "member at 8 of the archive of older: digest differs");
	assert_int_equal(reuse_fetch_section(r, &m, &out, &why, &e), 1);
	assert_non_null(strstr(why.msg, "of the manifest of older: digest differs"));
	assert_int_equal(out.len, 0);
	assert_true(find(MANIFEST_FILES, "b", 0)); /* the index stands */
	buf_done(&out);
}

static void
what_was_cut_off_meanwhile_is_not_fetched(void **state)
{
	struct buf out = {0};
	struct err why;

	(void)state;
	files("a", 1);
	begin();
	assert_true(find(MANIFEST_FILES, "a", 0));
	assert_int_equal(ftruncate(archive_fd, 3), 0);
	assert_int_equal(reuse_fetch_member(r, &m, &out, &why, &e), 1);
	assert_non_null(strstr(why.msg, "member at 0 of the archive of older: "));
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

static void
a_member_without_a_section_gives_nothing(void **state)
{
	struct buf out = {0};
	struct err why;

	(void)state;
	large("a", 2, 1, 99);
	begin();
	assert_true(find(MANIFEST_HEADER, "a", 0));
	assert_int_equal(reuse_fetch_section(r, &m, &out, &why, &e), 0);
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

/* ---- what cannot be a source ---- */

static void
refused(const char *what)
{
	struct reuse_opts o = {
	    .archive_fd = dup(archive_fd), .manifest_fd = dup(manifest_fd), .seal = &seal};
	struct reuse *other;

	assert_int_equal(reuse_new(&other, &o, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.msg, what));
	assert_int_equal(fcntl(o.archive_fd, F_GETFD), -1); /* they were taken all the same */
	assert_int_equal(fcntl(o.manifest_fd, F_GETFD), -1);
	err_clear(&e);
}

static void
another_archive_or_manifest_than_was_sealed_is_refused(void **state)
{
	(void)state;
	files("a", 1);
	finish(true);
	assert_int_equal(ftruncate(archive_fd, (off_t)offset - 1), 0);
	refused("the archive has another size");
	assert_int_equal(ftruncate(archive_fd, (off_t)offset), 0);
	flip(manifest_fd, seal.root_offset + 20);
	refused("root of the manifest's index");
	flip(manifest_fd, seal.root_offset + 20);
	assert_int_equal(ftruncate(manifest_fd, (off_t)seal.root_offset), 0);
	struct reuse_opts o = {
	    .archive_fd = dup(archive_fd), .manifest_fd = dup(manifest_fd), .seal = &seal};
	struct reuse *other;
	assert_int_equal(reuse_new(&other, &o, &e), -1);
}

/* ---- judgement ---- */

static enum reuse_how
judged(uint64_t night, bool by_stat, bool has, unsigned key, uint64_t file_offset)
{
	struct reuse_opts o = {.archive_fd = dup(archive_fd),
	    .manifest_fd = dup(manifest_fd),
	    .seal = &seal,
	    .by_stat = by_stat,
	    .night = night};
	struct manifest_member old = {.has_key = true};
	uint8_t bytes[SHA256_LEN];
	struct reuse *other;

	key_of(7, old.key);
	key_of(key, bytes);
	assert_int_equal(reuse_new(&other, &o, &e), 0);
	enum reuse_how how = reuse_judge(other, &old, has ? bytes : NULL, "a", 1, file_offset);
	reuse_free(other);
	return how;
}

static void
a_key_counts_only_when_it_is_the_same(void **state)
{
	(void)state;
	finish(true);
	assert_int_not_equal(judged(1, true, true, 7, 0), REUSE_CONTENT);
	assert_int_equal(judged(1, true, true, 8, 0), REUSE_CONTENT);
	assert_int_equal(judged(1, true, false, 7, 0), REUSE_CONTENT);
	assert_int_equal(judged(1, false, true, 7, 0), REUSE_CONTENT);
}

static void
in_thirty_nights_each_member_is_read_again_once(void **state)
{
	unsigned again[3] = {0};

	(void)state;
	finish(true);
	for (uint64_t night = 1000; night < 1000 + REUSE_ROUND; night++) {
		for (unsigned i = 0; i < 3; i++) {
			enum reuse_how how = judged(night, true, true, 7, (uint64_t)i * CUT_CHUNK);
			assert_true(how == REUSE_AGAIN || how == REUSE_STAT);
			again[i] += how == REUSE_AGAIN;
		}
		/* Chunks that follow one another take turns. */
		assert_true(judged(night, true, true, 7, 0) != REUSE_AGAIN ||
		    judged(night, true, true, 7, CUT_CHUNK) != REUSE_AGAIN);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(again[i], 1);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(members_are_found_in_the_order_of_an_archive),
	    T(what_became_another_kind_is_not_found),
	    T(a_chunk_is_found_by_its_place_in_the_file),
	    T(a_seek_goes_back_as_well),
	    T(a_large_file_has_a_key_when_all_its_members_have),
	    T(a_large_file_over_pages_keeps_its_chunks_apart),
	    T(damage_among_the_chunks_leaves_no_key),
	    T(damage_behind_the_last_page_of_chunks_leaves_no_key_either),
	    T(damage_costs_one_page_and_no_more),
	    T(only_what_has_its_digest_is_fetched),
	    T(what_was_cut_off_meanwhile_is_not_fetched),
	    T(a_member_without_a_section_gives_nothing),
	    T(another_archive_or_manifest_than_was_sealed_is_refused),
	    T(a_key_counts_only_when_it_is_the_same),
	    T(in_thirty_nights_each_member_is_read_again_once),
	};

	log_init("test", LOG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
