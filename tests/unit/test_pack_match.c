/* SPDX-License-Identifier: BSD-2-Clause */
#include "pack/match.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/cut.h"
#include "archive/tarwrite.h"
#include "core/err.h"
#include "core/log.h"
#include "pack/bigfile.h"
#include "pack/job.h"
#include "pack/reuse.h"
#include "pack/statkey.h"
#include "seal/seal.h"
#include "tests/unit/unit.h"

/*
 * What was planned, against an index that is made for it.  Of all that is in a night's turn the
 * number of the night decides: 'stat' and 'again' are told apart by asking for both.
 */
static int archive_fd, manifest_fd;
static struct manifest_writer *w;
static struct seal seal;
static uint64_t offset;
static struct reuse *r;
static struct reuse_cursor *c;
static struct job *j;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	memset(&seal, 0, sizeof(seal));
	offset = 0;
	(void)strcpy(seal.name, "older");
	archive_fd = memfd_create("archive", MFD_CLOEXEC);
	manifest_fd = memfd_create("manifest", MFD_CLOEXEC);
	assert_int_equal(job_new(&j, JOB_FILES, &e), 0);
	return manifest_writer_new(&w, manifest_fd, seal.name, 1, &e);
}

static int
teardown(void **state)
{
	(void)state;
	job_free(j);
	reuse_cursor_free(c);
	reuse_free(r);
	c = NULL;
	r = NULL;
	return 0;
}

static void
put(enum manifest_kind kind, const char *path, uint64_t file_offset, uint64_t plain,
    const uint8_t *key)
{
	struct manifest_member m = {.kind = kind,
	    .offset = offset,
	    .packed_len = 1,
	    .plain_len = plain,
	    .has_key = key != NULL,
	    .file_offset = file_offset,
	    .path = path,
	    .path_len = path == NULL ? 0 : strlen(path)};

	if (key != NULL)
		memcpy(m.key, key, SHA256_LEN);
	assert_int_equal(manifest_write(w, &m, NULL, 0, 0, &e), 0);
	offset++;
}

static void
begin(uint64_t night)
{
	put(MANIFEST_END, NULL, 0, 1024, NULL);
	assert_int_equal(manifest_writer_finish(w, &seal, &e), 0);
	manifest_writer_free(w);
	seal.archive_size = offset;
	assert_int_equal(ftruncate(archive_fd, (off_t)offset), 0);
	const struct reuse_opts o = {.archive_fd = archive_fd,
	    .manifest_fd = manifest_fd,
	    .seal = &seal,
	    .by_stat = true,
	    .night = night};
	assert_int_equal(reuse_new(&r, &o, &e), 0);
	assert_int_equal(reuse_cursor_new(&c, r, &e), 0);
}

static uint64_t
turn_of(const char *path)
{
	return hash_cut(path, strlen(path)) % REUSE_ROUND + REUSE_ROUND;
}

/* ---- small files ---- */

static struct facts
facts_of(uint64_t size)
{
	return (struct facts){.size = size, .mode = 0100644, .ino = 7, .ctime_sec = 1000};
}

static struct job_item *
item(enum job_item_kind kind, const char *path, const char *text)
{
	struct job_item *it =
	    job_add(j, kind, path, strlen(path), text, text == NULL ? 0 : strlen(text), &e);

	assert_non_null(it);
	it->type = ENTRY_FILE;
	it->facts = facts_of(5);
	j->settled = 2000;
	return it;
}

/* The key of a file at "a", a socket at "b". */
static void
key_of_two(uint8_t key[SHA256_LEN])
{
	const struct entry en = {.type = ENTRY_FILE, .path = "a", .path_len = 1};
	const struct facts f = facts_of(5);
	struct statkey k;

	statkey_init(&k, 2000);
	statkey_add(&k, &en, &f);
	statkey_add_skipped(&k, "b", 1, "a socket");
	assert_true(statkey_final(&k, key));
}

static void
two_are_planned(uint64_t night)
{
	uint8_t key[SHA256_LEN];

	key_of_two(key);
	put(MANIFEST_FILES, "a", 0, 1536, key);
	begin(night);
	item(JOB_ENTRY, "a", NULL);
	item(JOB_SKIPPED, "b", "a socket");
}

static enum reuse_how
matched(void)
{
	match_files(c, j);
	return j->how;
}

static void
the_same_facts_are_copied_by_stat(void **state)
{
	(void)state;
	two_are_planned(turn_of("a") + 1);
	assert_int_equal(matched(), REUSE_STAT);
	assert_int_equal(j->old.plain_len, 1536);
}

static void
when_it_is_its_turn_it_is_read_again(void **state)
{
	(void)state;
	two_are_planned(turn_of("a"));
	assert_int_equal(matched(), REUSE_AGAIN);
}

static void
a_fresh_ctime_matches_the_key_that_is_older(void **state)
{
	(void)state;
	two_are_planned(turn_of("a") + 1);
	j->settled =
	    900; /* the clock says that 1000 is no while ago; when the key was made, it was */
	assert_int_equal(matched(), REUSE_STAT);
}

static void
another_fact_leaves_the_content(void **state)
{
	(void)state;
	two_are_planned(turn_of("a") + 1);
	j->items[0].facts.ctime_nsec = 1;
	assert_int_equal(matched(), REUSE_CONTENT);
}

static void
another_note_leaves_the_content(void **state)
{
	(void)state;
	two_are_planned(turn_of("a") + 1);
	item(JOB_SKIPPED, "c", "a socket");
	assert_int_equal(matched(), REUSE_CONTENT);
}

static void
what_could_not_be_read_is_looked_at_again(void **state)
{
	(void)state;
	two_are_planned(turn_of("a") + 1);
	item(JOB_UNREADABLE, "c", "because");
	assert_int_equal(matched(), REUSE_CONTENT);
	j->items[2].kind = JOB_VANISHED;
	assert_int_equal(matched(), REUSE_CONTENT);
}

static void
where_no_ctime_counts_the_content_does(void **state)
{
	(void)state;
	two_are_planned(turn_of("a") + 1);
	j->settled = STATKEY_NEVER;
	assert_int_equal(matched(), REUSE_CONTENT);
}

static void
an_older_member_without_a_key_leaves_the_content(void **state)
{
	(void)state;
	put(MANIFEST_FILES, "a", 0, 1536, NULL);
	begin(1);
	item(JOB_ENTRY, "a", NULL);
	assert_int_equal(matched(), REUSE_CONTENT);
}

static void
where_nothing_stood_nothing_is_copied(void **state)
{
	uint8_t key[SHA256_LEN];

	(void)state;
	key_of_two(key);
	put(MANIFEST_FILES, "0", 0, 1536, key);
	put(MANIFEST_FILES, "b", 0, 1536, key);
	begin(1);
	item(JOB_ENTRY, "a", NULL);
	assert_int_equal(matched(), REUSE_NOT);
}

static void
notes_alone_are_no_member(void **state)
{
	uint8_t key[SHA256_LEN];

	(void)state;
	key_of_two(key);
	put(MANIFEST_FILES, "a", 0, 1536, key);
	begin(1);
	item(JOB_SKIPPED, "a", "a socket");
	assert_int_equal(matched(), REUSE_NOT);
}

/* ---- a large file: of 3 chunks, or with a hole in it ---- */

#define SIZE (3ull * CUT_CHUNK - 100)

static struct bigfile big;
static char big_path[] = "a";

static void
big_is_planned(bool is_sparse, uint64_t night)
{
	uint8_t key[SHA256_LEN];

	memset(key, 9, sizeof(key));
	put(MANIFEST_HEADER, "a", 0, 512, key);
	put(MANIFEST_CHUNK, "a", 0, CUT_CHUNK, key);
	if (!is_sparse)
		put(MANIFEST_CHUNK, "a", CUT_CHUNK, CUT_CHUNK, key);
	put(MANIFEST_CHUNK, "a", 2 * CUT_CHUNK, SIZE - 2 * CUT_CHUNK + tar_pad(SIZE), key);
	begin(night);
	big = (struct bigfile){
	    .path = big_path, .path_len = 1, .facts = facts_of(SIZE), .may_match = true};
	memcpy(big.key, key, sizeof(key));
}

static void
a_large_file_with_the_same_key_is_unchanged(void **state)
{
	(void)state;
	big_is_planned(false, turn_of("a") + 1);
	assert_true(match_big(c, &big));
	assert_true(big.unchanged);
	assert_false(big.sparse);
	assert_int_equal(big.older_plain, SIZE + tar_pad(SIZE));
}

static void
so_it_is_when_chunks_of_it_are_read_again(void **state)
{
	(void)state;
	big_is_planned(false, turn_of("a"));
	assert_true(match_big(c, &big));
}

static void
a_large_file_with_another_key_is_not(void **state)
{
	(void)state;
	big_is_planned(false, turn_of("a") + 1);
	big.key[3] ^= 1;
	assert_false(match_big(c, &big));
	assert_false(big.unchanged);
}

static void
where_its_ctime_does_not_count_it_is_not(void **state)
{
	(void)state;
	big_is_planned(false, turn_of("a") + 1);
	big.may_match = false;
	assert_false(match_big(c, &big));
}

static void
a_sparse_file_is_known_by_what_is_stored_of_it(void **state)
{
	(void)state;
	big_is_planned(true, turn_of("a") + 1);
	assert_true(match_big(c, &big));
	assert_true(big.sparse);
}

static void
a_sparse_file_is_read_again_whole_or_not_at_all(void **state)
{
	(void)state;
	big_is_planned(true, turn_of("a"));
	assert_false(match_big(c, &big));
	assert_false(big.unchanged);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_same_facts_are_copied_by_stat),
	    T(when_it_is_its_turn_it_is_read_again),
	    T(a_fresh_ctime_matches_the_key_that_is_older),
	    T(another_fact_leaves_the_content),
	    T(another_note_leaves_the_content),
	    T(what_could_not_be_read_is_looked_at_again),
	    T(where_no_ctime_counts_the_content_does),
	    T(an_older_member_without_a_key_leaves_the_content),
	    T(where_nothing_stood_nothing_is_copied),
	    T(notes_alone_are_no_member),
	    T(a_large_file_with_the_same_key_is_unchanged),
	    T(so_it_is_when_chunks_of_it_are_read_again),
	    T(a_large_file_with_another_key_is_not),
	    T(where_its_ctime_does_not_count_it_is_not),
	    T(a_sparse_file_is_known_by_what_is_stored_of_it),
	    T(a_sparse_file_is_read_again_whole_or_not_at_all),
	};

	log_init("test", LOG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
