/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/cut.h"
#include "core/log.h"
#include "pack/bigfile.h"
#include "pack/feed.h"
#include "pack/reuse.h"
#include "pack/source.h"
#include "pack/statkey.h"
#include "pack/tally.h"
#include "tests/unit/packed.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

/*
 * A large file, "big", between two small ones, night after night.  They are fed by hand, as if
 * their ctimes had settled.
 */
#define MIB (1u << 20)

static char dir[SCRATCH_MAX];
static int root;
static struct packed was, is;
static struct err e;
static bool settled = true;
static atomic_uint reads; /* of the files */
static unsigned firsts; /* how often first names were to be read; "z" is one */

static ssize_t
counted(int fd, void *data, size_t len, off_t offset)
{
	reads++;
	return pread(fd, data, len, offset);
}

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	was = is = (struct packed){0};
	settled = true;
	source_pread = counted;
	scratch_new(dir);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0;
}

static int
teardown(void **state)
{
	(void)state;
	source_pread = pread;
	packed_done(&was);
	packed_done(&is);
	(void)close(root);
	scratch_remove(dir);
	return 0;
}

/* ---- feeding ---- */

static struct bigfile_ops aged; /* a live file's, but for the ctime */
static int (*facts_now)(struct bigfile *b, struct facts *out);

static int
aged_facts(struct bigfile *b, struct facts *out)
{
	int rc = facts_now(b, out);

	out->ctime_sec -= 10 * STATKEY_MARGIN;
	return rc;
}

static void
age(struct bigfile *b)
{
	if (facts_now == NULL)
		facts_now = b->ops->facts;
	aged = *b->ops;
	aged.facts = aged_facts;
	b->ops = &aged;
}

static int
feed_large(struct feed *f, int source, struct err *err)
{
	struct bigfile *b;
	int fd = openat(source, "big", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(bigfile_new(&b, fd, STATKEY_MARGIN, "big", 3, err), 0);
	if (settled)
		age(b);
	assert_int_equal(bigfile_look(b), 0);
	assert_int_equal(b->has_key, settled);
	int rc = feed_big(f, b, err);
	bigfile_unref(b);
	return rc;
}

static int
feed_small(struct feed *f, int source, const char *path, enum entry_type type, struct err *err)
{
	struct facts facts;
	struct stat st;

	assert_int_equal(fstatat(source, type == ENTRY_DIR ? "." : path, &st, 0), 0);
	facts_from(&facts, &st);
	const struct feed_entry en = {.type = type,
	    .path = path,
	    .path_len = strlen(path),
	    .facts = &facts,
	    .is_first = path[0] == 'z',
	    .settled = settled ? INT64_MAX : STATKEY_NEVER};
	return feed_add(f, &en, err);
}

static int
read_firsts(void *ctx, struct job *j, struct err *err)
{
	(void)ctx;
	(void)err;
	assert_true(j->has_firsts);
	firsts++;
	return 0; /* the worker will */
}

static int
plan(struct pipeline *line, int source, struct reuse_cursor *older, struct err *err)
{
	struct feed f = {.pipeline = line, .older = older, .read_firsts = read_firsts};

	int rc = feed_small(&f, source, "", ENTRY_DIR, err);
	if (rc == 0)
		rc = feed_small(&f, source, "after", ENTRY_FILE, err);
	if (rc == 0)
		rc = feed_small(&f, source, "another", ENTRY_FILE, err);
	if (rc == 0)
		rc = feed_large(&f, source, err);
	if (rc == 0)
		rc = feed_small(&f, source, "z", ENTRY_FILE, err);
	if (rc == 0)
		rc = feed_end(&f, err);
	feed_done(&f);
	return rc;
}

static void
pack(struct packed *p, const struct packed *older, bool by_stat, uint64_t night)
{
	const struct packed_opts o = {
	    .jobs = 2, .older = older, .by_stat = by_stat, .night = night, .plan = plan};

	reads = firsts = 0;
	if (packed_run(p, dir, &o, &e) != 0)
		fail_msg("%s", e.msg);
}

/* In this night chunk i of the large file is read again; or, without its header, all of it. */
static uint64_t
turn_of(const char *path, unsigned i)
{
	return hash_cut(path, strlen(path)) % REUSE_ROUND + i + REUSE_ROUND;
}

/* Whose turn in it is none of them's. */
static uint64_t
quiet_night(void)
{
	uint64_t night = turn_of("big", 4);

	while (night % REUSE_ROUND == turn_of("", 0) % REUSE_ROUND ||
	    night % REUSE_ROUND == turn_of("z", 0) % REUSE_ROUND)
		night++;
	return night;
}

static void
next(uint64_t night)
{
	pack(&is, &was, true, night);
}

/* ---- files ---- */

static void
put_noise(const char *name, size_t len, unsigned seed)
{
	uint8_t *data = malloc(len + 1);

	assert_non_null(data);
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		data[i] = (uint8_t)(seed >> 24);
	}
	scratch_put(dir, name, data, len);
	free(data);
}

/* 3 chunks and a bit: header, 4 chunks; and members of small files around it. */
static void
first_night(void)
{
	scratch_puts(dir, "after", "small");
	scratch_puts(dir, "another", "small, too");
	put_noise("big", 3 * MIB + 100, 1);
	scratch_puts(dir, "z", "the last");
	pack(&was, NULL, true, 1);
}

static void
write_at(uint64_t offset, const char *text)
{
	int fd = openat(root, "big", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), (off_t)offset), strlen(text));
	assert_int_equal(futimens(fd, (struct timespec[2]){{.tv_sec = 5}, {.tv_sec = 5}}), 0);
	(void)close(fd);
}

static void
expect_content(const char *path)
{
	struct buf now = {0};
	uint8_t digest[SHA256_LEN];

	scratch_get(dir, path, &now);
	sha256_of(now.data, now.len, digest);
	const struct packed_entry *en = packed_find(&is, path);
	assert_non_null(en);
	assert_int_equal(en->size, now.len);
	assert_memory_equal(en->sha256, digest, sizeof(digest));
	buf_done(&now);
}

static void
expect_all(void)
{
	expect_content("after");
	expect_content("another");
	expect_content("big");
	expect_content("z");
}

static struct manifest_member *
member(struct packed *p, enum manifest_kind kind, const char *path, uint64_t file_offset)
{
	for (size_t i = 0; i < p->n_members; i++) {
		struct manifest_member *m = &p->members[i];
		if (m->kind == kind && strcmp(m->path, path) == 0 && m->file_offset == file_offset)
			return m;
	}
	fail_msg("no member at %s", path);
	return NULL;
}

static void
hurt(enum manifest_kind kind, const char *path, uint64_t file_offset)
{
	const struct manifest_member *m = member(&was, kind, path, file_offset);

	was.archive.data[m->offset + m->packed_len / 2] ^= 1;
}

/* All members but the end's and so many more. */
static void
expect_copied(size_t packed)
{
	assert_int_equal(is.made.n, is.n_members - 1); /* the end is none of them */
	assert_int_equal(is.made.copied, is.n_members - 1 - packed);
}

static void
expect_same_archive(void)
{
	assert_int_equal(is.archive.len, was.archive.len);
	assert_memory_equal(is.archive.data, was.archive.data, was.archive.len);
}

/* ---- untouched ---- */

static void
what_is_unchanged_is_copied_and_not_read(void **state)
{
	(void)state;
	first_night();
	next(quiet_night());
	assert_int_equal(reads, 0);
	expect_copied(0);
	expect_same_archive();
	assert_int_equal(is.seal.bytes, was.seal.bytes);
	expect_all();
	/* And a third night, from the copy. */
	packed_done(&was);
	was = is;
	next(quiet_night() + REUSE_ROUND);
	assert_int_equal(reads, 0);
	expect_copied(0);
}

static void
what_had_no_key_is_read_and_copied_by_content(void **state)
{
	(void)state;
	settled = false;
	first_night();
	settled = true;
	next(quiet_night());
	assert_true(reads > 4);
	expect_copied(0);
	expect_same_archive();
	/* Now it has. */
	packed_done(&was);
	was = is;
	next(quiet_night() + REUSE_ROUND);
	assert_int_equal(reads, 0);
}

static void
by_content_everything_is_read_and_copied(void **state)
{
	(void)state;
	first_night();
	pack(&is, &was, false, quiet_night());
	assert_true(reads > 4);
	expect_copied(0);
	expect_same_archive();
}

static void
the_chunk_whose_turn_it_is_is_read(void **state)
{
	(void)state;
	first_night();
	for (unsigned i = 0; i < 4; i++) {
		packed_done(&is);
		next(turn_of("big", i));
		assert_true(reads >= 1 && reads <= 4); /* and perhaps a small one */
		expect_copied(0);
		expect_same_archive();
	}
}

static void
first_names_wait_until_their_member_is_not_copied(void **state)
{
	(void)state;
	first_night();
	assert_int_equal(firsts, 1);
	next(quiet_night());
	assert_int_equal(firsts, 0);
	packed_done(&is);
	next(turn_of("z", 0));
	assert_int_equal(firsts, 1);
	expect_copied(0);
	packed_done(&is);
	hurt(MANIFEST_FILES, "z", 0);
	next(quiet_night());
	assert_int_equal(firsts, 1);
	assert_int_equal(is.events[TALLY_UNCOPIED], 1);
	expect_copied(1);
	expect_content("z");
}

/* ---- changed in the open ---- */

static void
a_change_in_the_middle_costs_its_chunk_and_the_header(void **state)
{
	(void)state;
	first_night();
	write_at(MIB + 5, "changed");
	next(quiet_night());
	expect_copied(2);
	expect_all();
	assert_int_equal(is.events[TALLY_UNTRACED], 0);
}

static void
what_is_appended_costs_the_last_chunk(void **state)
{
	(void)state;
	first_night();
	write_at(3 * MIB + 100, "appended");
	next(quiet_night());
	expect_copied(2);
	expect_all();
}

static void
a_file_that_shrank_keeps_its_whole_chunks(void **state)
{
	(void)state;
	first_night();
	assert_int_equal(
	    truncate(strcat(strcpy((char[SCRATCH_MAX + 8]){0}, dir), "/big"), 2 * MIB), 0);
	next(quiet_night());
	expect_copied(1); /* two chunks of three have what they had */
	expect_all();
	assert_int_equal(packed_count(&is, MANIFEST_CHUNK, "big"), 2);
}

static void
a_file_that_became_small_is_packed(void **state)
{
	(void)state;
	first_night();
	put_noise("after", 2000, 3);
	next(quiet_night());
	expect_copied(1);
	expect_all();
}

static ssize_t
rewrite_once(int fd, void *data, size_t len, off_t offset)
{
	if (reads++ == 1)
		write_at(2 * MIB, "CHANGED MEANWHILE");
	return pread(fd, data, len, offset);
}

static void
a_file_that_is_passed_again_is_compared_again(void **state)
{
	(void)state;
	settled = false; /* or it would not be read */
	first_night();
	source_pread = rewrite_once;
	next(quiet_night());
	expect_all();
	expect_copied(2); /* its header, and the chunk */
	assert_false(packed_find(&is, "big")->changed);
}

/* ---- changed without a trace: reads give other bytes than they did ---- */

static uint64_t rotten_from, rotten_to;

static ssize_t
rot(int fd, void *data, size_t len, off_t offset)
{
	ssize_t n = pread(fd, data, len, offset);

	reads++;
	for (ssize_t i = 0; i < n; i++) {
		uint64_t at = (uint64_t)offset + (uint64_t)i;
		if (at >= rotten_from && at < rotten_to)
			((uint8_t *)data)[i] ^= 1;
	}
	return n;
}

static void
expect_rotten(const char *path)
{
	struct buf now = {0};
	uint8_t digest[SHA256_LEN];

	scratch_get(dir, path, &now);
	for (uint64_t i = rotten_from; i < rotten_to && i < now.len; i++)
		now.data[i] ^= 1;
	sha256_of(now.data, now.len, digest);
	assert_memory_equal(packed_find(&is, path)->sha256, digest, sizeof(digest));
	buf_done(&now);
}

static void
rotten(uint64_t from, uint64_t to)
{
	rotten_from = from;
	rotten_to = to;
	source_pread = rot;
}

static void
a_chunk_that_changed_without_a_trace_is_told_and_stored_as_it_is(void **state)
{
	(void)state;
	first_night();
	rotten(MIB + 7, MIB + 8);
	next(turn_of("big", 0)); /* not its turn */
	assert_int_equal(is.events[TALLY_UNTRACED], 0);
	expect_all();
	packed_done(&is);
	next(turn_of("big", 1));
	assert_int_equal(is.events[TALLY_UNTRACED], 1);
	expect_rotten("big");
	expect_copied(1);
	assert_true(member(&is, MANIFEST_CHUNK, "big", MIB)->has_key);
	/* The night after, that is how it is. */
	packed_done(&was);
	was = is;
	next(turn_of("big", 1) + REUSE_ROUND);
	assert_int_equal(is.events[TALLY_UNTRACED], 0);
	expect_copied(0);
}

static void
a_file_of_which_all_changed_without_a_trace_is_told_once(void **state)
{
	(void)state;
	first_night();
	rotten(0, 4 * MIB);
	next(turn_of("big", 1));
	/* Beside it the small ones whose turn it was, if any. */
	uint64_t small = is.events[TALLY_UNTRACED];
	expect_rotten("big");
	packed_done(&is);
	pack(&is, &was, false, 1);
	assert_int_equal(is.events[TALLY_UNTRACED], 4); /* each file once */
	assert_true(small <= 4);
	expect_rotten("big");
	expect_rotten("another");
}

static void
a_small_file_that_changed_without_a_trace_is_told(void **state)
{
	(void)state;
	first_night();
	rotten(6, 8); /* "another" and "z" are so long, "after" is not */
	next(turn_of("", 0));
	assert_true(is.events[TALLY_UNTRACED] >= 1);
	expect_content("after");
	expect_rotten("another");
}

/* ---- what cannot be copied ---- */

static void
a_damaged_chunk_is_told_and_packed_anew(void **state)
{
	(void)state;
	first_night();
	hurt(MANIFEST_CHUNK, "big", MIB);
	next(quiet_night());
	assert_int_equal(is.events[TALLY_UNCOPIED], 1);
	expect_copied(1);
	expect_all();
}

static void
a_damaged_last_chunk_too(void **state)
{
	(void)state;
	first_night();
	hurt(MANIFEST_CHUNK, "big", 3 * MIB);
	next(quiet_night());
	assert_int_equal(is.events[TALLY_UNCOPIED], 1);
	expect_copied(1);
	expect_all();
}

static void
a_damaged_header_too(void **state)
{
	(void)state;
	first_night();
	hurt(MANIFEST_HEADER, "big", 0);
	next(quiet_night());
	assert_int_equal(is.events[TALLY_UNCOPIED], 1);
	expect_copied(1);
	expect_all();
	assert_int_equal(packed_count(&is, MANIFEST_HEADER, "big"), 1);
}

static void
a_damaged_section_of_a_large_file_too(void **state)
{
	(void)state;
	first_night();
	was.manifest.data[member(&was, MANIFEST_CHUNK, "big", 3 * MIB)->section_offset + 12] ^= 1;
	next(quiet_night());
	assert_int_equal(is.events[TALLY_UNCOPIED], 1);
	expect_copied(0); /* its members stand */
	expect_all();
}

static void
a_damaged_member_or_section_of_small_files_too(void **state)
{
	(void)state;
	first_night();
	hurt(MANIFEST_FILES, "", 0);
	was.manifest.data[member(&was, MANIFEST_FILES, "z", 0)->section_offset + 12] ^= 1;
	next(quiet_night());
	assert_int_equal(is.events[TALLY_UNCOPIED], 2);
	expect_copied(2);
	expect_all();
}

static void
damage_is_told_by_content_as_well(void **state)
{
	(void)state;
	first_night();
	hurt(MANIFEST_CHUNK, "big", MIB);
	hurt(MANIFEST_FILES, "z", 0);
	pack(&is, &was, false, 1);
	assert_int_equal(is.events[TALLY_UNCOPIED], 2);
	expect_copied(2);
	expect_all();
}

/* ---- sparse ---- */

static void
first_sparse_night(void)
{
	first_night();
	packed_done(&was);
	assert_int_equal(
	    truncate(strcat(strcpy((char[SCRATCH_MAX + 8]){0}, dir), "/big"), 80 * MIB), 0);
	write_at(70 * MIB + 3, "far out");
	pack(&was, NULL, true, 1);
	assert_true(packed_find(&was, "big")->sparse);
}

static void
a_sparse_file_is_copied_and_not_read(void **state)
{
	(void)state;
	first_sparse_night();
	next(quiet_night());
	assert_int_equal(reads, 0);
	expect_copied(0);
	expect_same_archive();
	assert_true(is.seal.needs_gnu_sparse);
	expect_all();
}

static void
a_sparse_file_is_read_again_whole(void **state)
{
	(void)state;
	first_sparse_night();
	next(turn_of("big", 0));
	assert_true(reads >= 5);
	expect_copied(0);
	expect_same_archive();
	packed_done(&is);
	rotten(70 * MIB + 4, 70 * MIB + 5);
	next(turn_of("big", 0));
	assert_int_equal(is.events[TALLY_UNTRACED], 1);
	expect_rotten("big");
}

static void
a_damaged_chunk_of_a_sparse_file_is_packed_anew(void **state)
{
	(void)state;
	first_sparse_night();
	hurt(MANIFEST_CHUNK, "big", 70 * MIB);
	next(quiet_night());
	assert_int_equal(is.events[TALLY_UNCOPIED], 1);
	expect_copied(1);
	assert_true(packed_find(&is, "big")->sparse);
	assert_true(is.seal.needs_gnu_sparse);
	expect_all();
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_is_unchanged_is_copied_and_not_read),
	    T(what_had_no_key_is_read_and_copied_by_content),
	    T(by_content_everything_is_read_and_copied),
	    T(the_chunk_whose_turn_it_is_is_read),
	    T(first_names_wait_until_their_member_is_not_copied),
	    T(a_change_in_the_middle_costs_its_chunk_and_the_header),
	    T(what_is_appended_costs_the_last_chunk),
	    T(a_file_that_shrank_keeps_its_whole_chunks),
	    T(a_file_that_became_small_is_packed),
	    T(a_file_that_is_passed_again_is_compared_again),
	    T(a_chunk_that_changed_without_a_trace_is_told_and_stored_as_it_is),
	    T(a_file_of_which_all_changed_without_a_trace_is_told_once),
	    T(a_small_file_that_changed_without_a_trace_is_told),
	    T(a_damaged_chunk_is_told_and_packed_anew),
	    T(a_damaged_last_chunk_too),
	    T(a_damaged_header_too),
	    T(a_damaged_section_of_a_large_file_too),
	    T(a_damaged_member_or_section_of_small_files_too),
	    T(damage_is_told_by_content_as_well),
	    T(a_sparse_file_is_copied_and_not_read),
	    T(a_sparse_file_is_read_again_whole),
	    T(a_damaged_chunk_of_a_sparse_file_is_packed_anew),
	};

	log_init("test", LOG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
