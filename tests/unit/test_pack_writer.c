/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
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

#include <stdatomic.h>
#include <sys/xattr.h>

#include "archive/cut.h"
#include "core/log.h"
#include "core/stop.h"
#include "pack/ahead.h"
#include "pack/source.h"
#include "pack/tally.h"
#include "tests/unit/packed.h"
#include "tests/unit/scratch.h"

#define MIB (1u << 20)

/* Planner, workers and writer together. */

static char dir[SCRATCH_MAX];
static int root;
static struct packed p;
static struct err e;
static atomic_uint reads; /* calls of the hooks below, from any thread */

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	memset(&p, 0, sizeof(p));
	reads = 0;
	scratch_new(dir);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0;
}

static int
teardown(void **state)
{
	(void)state;
	source_pread = pread;
	packed_done(&p);
	(void)close(root);
	scratch_remove(dir);
	return 0;
}

static void
make(unsigned jobs)
{
	if (packed_make(&p, dir, NULL, jobs, &e) != 0)
		fail_msg("%s", e.msg);
}

/* Bytes that differ from place to place, so that a chunk in a wrong place shows. */
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

static void
expect_content(const char *path)
{
	struct buf now = {0};
	uint8_t digest[SHA256_LEN];

	scratch_get(dir, path, &now);
	sha256_of(now.data, now.len, digest);
	const struct packed_entry *en = packed_find(&p, path);
	assert_non_null(en);
	assert_int_equal(en->size, now.len);
	assert_memory_equal(en->sha256, digest, sizeof(digest));
	buf_done(&now);
}

static void
write_at(const char *name, uint64_t offset, const char *text)
{
	int fd = openat(root, name, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), (off_t)offset), strlen(text));
	(void)close(fd);
}

static void
touch(const char *name, time_t when)
{
	struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};

	assert_int_equal(utimensat(root, name, times, 0), 0);
}

/* ---- quiet trees ---- */

static void
an_empty_directory_is_one_entry(void **state)
{
	(void)state;
	make(1);
	assert_int_equal(p.n, 1);
	assert_string_equal(p.entries[0].path, "");
	assert_int_equal(p.entries[0].type, ENTRY_DIR);
	assert_int_equal(p.planned.entries, 0);
}

static void
every_type_is_stored_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(root, "d", 0700), 0);
	scratch_puts(dir, "d/f", "content");
	scratch_puts(dir, "empty", "");
	assert_int_equal(symlinkat("d/f", root, "l"), 0);
	assert_int_equal(mkfifoat(root, "p", 0600), 0);
	bool devices = mknodat(root, "zero", S_IFCHR | 0600, 0x105) == 0;
	make(2);
	assert_int_equal(packed_find(&p, "d")->type, ENTRY_DIR);
	expect_content("d/f");
	expect_content("empty");
	assert_string_equal(packed_find(&p, "l")->link, "d/f");
	assert_int_equal(packed_find(&p, "p")->type, ENTRY_FIFO);
	if (devices)
		assert_int_equal(packed_find(&p, "zero")->type, ENTRY_CHAR);
	assert_int_equal(p.seal.bytes, 7);
	assert_int_equal(p.seal.unreadable, 0);
	assert_int_equal(p.notes.len, 0);
}

static void
a_large_file_is_a_header_and_chunks(void **state)
{
	(void)state;
	put_noise("big", 2 * MIB + 100, 1);
	put_noise("edge", MIB, 2); /* the largest that is not large */
	put_noise("over", MIB + 1, 3);
	put_noise("two", 2 * MIB, 4);
	make(2);
	expect_content("big");
	expect_content("edge");
	expect_content("over");
	expect_content("two");
	assert_int_equal(packed_count(&p, MANIFEST_HEADER, NULL), 3);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "big"), 3);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "over"), 2);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "two"), 2);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "edge"), 0);
	assert_false(p.seal.needs_gnu_sparse);
}

static void
the_first_of_several_names_holds_the_data(void **state)
{
	(void)state;
	put_noise("big", 2 * MIB, 1);
	scratch_puts(dir, "b", "small");
	assert_int_equal(linkat(root, "big", root, "a-big", 0), 0);
	assert_int_equal(linkat(root, "b", root, "a", 0), 0);
	assert_int_equal(linkat(root, "b", root, "c", 0), 0);
	make(2);
	expect_content("a");
	expect_content("a-big");
	assert_int_equal(packed_find(&p, "b")->type, ENTRY_HARDLINK);
	assert_string_equal(packed_find(&p, "b")->link, "a");
	assert_string_equal(packed_find(&p, "c")->link, "a");
	assert_string_equal(packed_find(&p, "big")->link, "a-big");
	assert_int_equal(p.seal.bytes, 2 * MIB + 5);
}

static void
a_name_outside_the_source_makes_no_link(void **state)
{
	char other[SCRATCH_MAX + 8];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s.out", dir);
	scratch_puts(dir, "f", "x");
	assert_int_equal(linkat(root, "f", AT_FDCWD, other, 0), 0);
	make(1);
	(void)unlink(other);
	expect_content("f");
}

static void
attributes_come_along(void **state)
{
	char path[SCRATCH_MAX + 8];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	scratch_puts(dir, "f", "x");
	put_noise("g", MIB + 5, 1);
	if (setxattr(path, "user.a", "1", 1, 0) != 0)
		skip();
	(void)snprintf(path, sizeof(path), "%s/g", dir);
	assert_int_equal(setxattr(path, "user.a", "1", 1, 0), 0);
	assert_int_equal(setxattr(dir, "user.b", "2", 1, 0), 0);
	make(1); /* their digests are compared in there */
	assert_int_equal(packed_find(&p, "f")->n_xattrs, 1);
	assert_int_equal(packed_find(&p, "g")->n_xattrs, 1);
	assert_int_equal(packed_find(&p, "")->n_xattrs, 1);
}

static void
the_result_does_not_depend_on_the_number_of_workers(void **state)
{
	struct packed one;
	char name[64];

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		if (i % 20 == 0) {
			(void)snprintf(name, sizeof(name), "d%u", i / 20);
			assert_int_equal(mkdirat(root, name, 0755), 0);
		}
		(void)snprintf(name, sizeof(name), "d%u/f%u", i / 20, i);
		put_noise(name, i * 37 % 20000, i);
	}
	put_noise("d7/big", 3 * MIB + 77, 9);
	put_noise("z", 2 * MIB, 9);
	make(1);
	one = p;
	for (unsigned jobs = 2; jobs <= 5; jobs += 3) {
		make(jobs);
		assert_int_equal(p.archive.len, one.archive.len);
		assert_memory_equal(p.archive.data, one.archive.data, one.archive.len);
		assert_int_equal(p.manifest.len, one.manifest.len);
		assert_memory_equal(p.manifest.data, one.manifest.data, one.manifest.len);
		packed_done(&p);
	}
	p = one;
	assert_true(packed_count(&p, MANIFEST_FILES, NULL) > 2);
}

/* ---- holes ---- */

static void
holes_are_found_in_the_content(void **state)
{
	struct packed hinted;
	static const uint8_t zeros[MIB];
	int fd;

	(void)state;
	/* Holes that the file system tells of ... */
	fd = openat(root, "f", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(fd, 70 * MIB), 0);
	write_at("f", 3 * MIB + 70000, "data");
	write_at("f", 70 * MIB - 3, "end");
	touch("f", 1);
	touch(".", 2);
	make(2);
	hinted = p;
	assert_true(packed_find(&p, "f")->sparse);
	assert_true(p.seal.needs_gnu_sparse);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "f"), 2);
	expect_content("f");
	/* ... and the same content, written out. */
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(pwrite(fd, zeros, MIB, (off_t)i * MIB), MIB);
	(void)close(fd);
	write_at("f", 3 * MIB + 70000, "data");
	write_at("f", 70 * MIB - 3, "end");
	touch("f", 1);
	make(2);
	assert_int_equal(p.archive.len, hinted.archive.len);
	assert_memory_equal(p.archive.data, hinted.archive.data, p.archive.len);
	packed_done(&hinted);
}

static void
a_file_of_nothing_but_zeros_is_a_header(void **state)
{
	(void)state;
	scratch_puts(dir, "f", "");
	assert_int_equal(
	    truncate(strcat(strcpy((char[SCRATCH_MAX + 8]){0}, dir), "/f"), 65 * MIB), 0);
	scratch_puts(dir, "g", "after");
	make(2);
	assert_int_equal(packed_count(&p, MANIFEST_HEADER, "f"), 1);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "f"), 0);
	expect_content("f");
	expect_content("g");
}

static void
few_holes_are_stored_as_zeros(void **state)
{
	(void)state;
	scratch_puts(dir, "f", "");
	assert_int_equal(
	    truncate(strcat(strcpy((char[SCRATCH_MAX + 8]){0}, dir), "/f"), 64 * MIB), 0);
	make(2);
	assert_false(packed_find(&p, "f")->sparse);
	assert_false(p.seal.needs_gnu_sparse);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "f"), 64);
	assert_true(p.archive.len < MIB);
}

/* ---- live trees: what happens is hung on the reads ---- */

static ssize_t
unlink_next(int fd, void *data, size_t len, off_t offset)
{
	if (reads++ == 0) {
		assert_int_equal(unlinkat(root, "b", 0), 0);
		assert_int_equal(unlinkat(root, "c", 0), 0);
		assert_int_equal(mkfifoat(root, "c", 0600), 0);
	}
	return pread(fd, data, len, offset);
}

static void
what_vanishes_between_listing_and_reading_is_noted(void **state)
{
	char name[16];

	(void)state;
	/* More than are opened ahead of their turn. */
	for (unsigned i = 0; i <= AHEAD_MAX; i++) {
		(void)snprintf(name, sizeof(name), "a%02u", i);
		scratch_puts(dir, name, "1");
	}
	scratch_puts(dir, "b", "2");
	scratch_puts(dir, "c", "3");
	scratch_puts(dir, "d", "4");
	source_pread = unlink_next;
	make(1);
	assert_string_equal(buf_str(&p.notes), "v b\nv c\n");
	assert_null(packed_find(&p, "b"));
	assert_null(packed_find(&p, "c"));
	expect_content("d");
	assert_int_equal(p.events[TALLY_VANISHED], 2);
	assert_int_equal(p.seal.unreadable, 0);
}

static ssize_t
unlink_after_big(int fd, void *data, size_t len, off_t offset)
{
	if (reads++ == 0)
		assert_int_equal(unlinkat(root, "z", 0), 0);
	return pread(fd, data, len, offset);
}

static void
notes_without_an_entry_beside_them_come_last(void **state)
{
	(void)state;
	/* The last member would be z's alone. */
	put_noise("a", 2 * MIB, 1);
	scratch_puts(dir, "z", "x");
	source_pread = unlink_after_big;
	/* One worker takes the jobs in order: the chunks of a, then z. */
	make(1);
	assert_string_equal(buf_str(&p.notes), "v z\n");
	assert_int_equal(p.n, 2);
	expect_content("a");
}

static ssize_t
append_to_a(int fd, void *data, size_t len, off_t offset)
{
	ssize_t n = pread(fd, data, len, offset);

	if (reads++ == 1) /* after the one that proves the prefix would have been made */
		write_at("a", 5, "more");
	return n;
}

static void
a_hard_linked_file_that_changes_stays_one_file(void **state)
{
	(void)state;
	scratch_puts(dir, "0", "another first name, read before");
	assert_int_equal(linkat(root, "0", root, "1", 0), 0);
	scratch_puts(dir, "a", "small");
	assert_int_equal(linkat(root, "a", root, "b", 0), 0);
	source_pread = append_to_a;
	make(1);
	assert_int_equal(packed_find(&p, "a")->size, 5);
	assert_int_equal(packed_find(&p, "b")->type, ENTRY_HARDLINK);
	assert_string_equal(packed_find(&p, "b")->link, "a");
}

static ssize_t
unlink_a(int fd, void *data, size_t len, off_t offset)
{
	if (reads++ == 0)
		assert_int_equal(unlinkat(root, "a", 0), 0);
	return pread(fd, data, len, offset);
}

/* A name that begins a member even as a link. */
static void
name_that_cuts(char name[16])
{
	for (unsigned i = 0;; i++) {
		(void)snprintf(name, 16, "b%u", i);
		const struct entry en = {.type = ENTRY_HARDLINK,
		    .path = name,
		    .path_len = strlen(name),
		    .link = "a",
		    .link_len = 1};
		if (cut_before(&en, 1))
			return;
	}
}

static void
a_first_name_that_vanishes_before_its_link_begins_a_member_makes_no_link(void **state)
{
	char name[16];

	(void)state;
	name_that_cuts(name);
	scratch_puts(dir, "0", "another first name, read before");
	assert_int_equal(linkat(root, "0", root, "1", 0), 0);
	scratch_puts(dir, "a", "small");
	assert_int_equal(linkat(root, "a", root, name, 0), 0);
	source_pread = unlink_a;
	make(1);
	assert_string_equal(buf_str(&p.notes), "v a\n");
	assert_int_equal(packed_find(&p, name)->type, ENTRY_FILE);
	expect_content(name);
}

static ssize_t
append_to_big(int fd, void *data, size_t len, off_t offset)
{
	if (reads++ == 1)
		write_at("big", 3 * MIB, "more");
	return pread(fd, data, len, offset);
}

static void
a_large_file_that_grows_is_stored_as_it_was(void **state)
{
	(void)state;
	put_noise("big", 3 * MIB, 1);
	scratch_puts(dir, "c", "after");
	source_pread = append_to_big;
	make(1);
	const struct packed_entry *en = packed_find(&p, "big");
	assert_true(en->grew);
	assert_false(en->changed);
	assert_int_equal(en->size, 3 * MIB);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "big"), 3);
	assert_int_equal(p.events[TALLY_GREW], 1);
	assert_int_equal(p.seal.changed, 0);
	expect_content("c");
}

static ssize_t
rewrite_big_once(int fd, void *data, size_t len, off_t offset)
{
	if (reads++ == 1) {
		write_at("big", 5, "REWRITTEN");
		touch("big", 12345);
	}
	return pread(fd, data, len, offset);
}

static void
a_large_file_that_changes_is_passed_again(void **state)
{
	(void)state;
	scratch_puts(dir, "a", "before");
	put_noise("big", 3 * MIB + 9, 1);
	scratch_puts(dir, "c", "after");
	source_pread = rewrite_big_once;
	make(1);
	const struct packed_entry *en = packed_find(&p, "big");
	assert_false(en->grew || en->changed);
	assert_int_equal(en->mtime_sec, 12345);
	expect_content("big");
	expect_content("c");
	assert_int_equal(p.seal.bytes, 3 * MIB + 9 + 11);
	assert_int_equal(packed_count(&p, MANIFEST_HEADER, "big"), 1);
}

static ssize_t
shrink_big(int fd, void *data, size_t len, off_t offset)
{
	if (reads++ == 1)
		assert_int_equal(
		    truncate(strcat(strcpy((char[SCRATCH_MAX + 8]){0}, dir), "/big"), 0), 0);
	return pread(fd, data, len, offset);
}

static void
a_large_file_that_is_emptied_is_stored_empty(void **state)
{
	(void)state;
	put_noise("big", 3 * MIB + 9, 1);
	source_pread = shrink_big;
	make(1);
	assert_int_equal(packed_find(&p, "big")->size, 0);
	assert_false(packed_find(&p, "big")->changed);
	assert_int_equal(packed_count(&p, MANIFEST_CHUNK, "big"), 0);
	expect_content("big");
}

static ssize_t
touch_big(int fd, void *data, size_t len, off_t offset)
{
	if (len > 65536) /* not when holes or prefixes are looked at */
		touch("big", (time_t)++reads);
	return pread(fd, data, len, offset);
}

static void
a_large_file_that_never_rests_is_flagged(void **state)
{
	(void)state;
	put_noise("big", 2 * MIB, 1);
	scratch_puts(dir, "c", "after");
	source_pread = touch_big;
	make(1);
	assert_true(packed_find(&p, "big")->changed);
	assert_int_equal(p.seal.changed, 1);
	assert_int_equal(reads, 2 * SOURCE_TRIES);
	expect_content("big");
	expect_content("c");
	/* A flagged file's last member cannot be taken over by its key. */
	for (size_t i = 0; i < p.n_members; i++) {
		if (p.members[i].entries == 1 && strcmp(p.members[i].path, "big") == 0)
			assert_false(p.members[i].has_key);
	}
}

static ssize_t
fail_in_big(int fd, void *data, size_t len, off_t offset)
{
	if (offset >= MIB + 1000 && offset < 2 * MIB) {
		errno = EIO;
		return -1;
	}
	return pread(
	    fd, data, offset < MIB + 1000 && offset >= MIB && len > 1000 ? 1000 : len, offset);
}

static void
an_io_error_leaves_zeros_and_says_where(void **state)
{
	(void)state;
	put_noise("big", 3 * MIB, 1);
	source_pread = fail_in_big;
	make(2);
	const struct packed_entry *en = packed_find(&p, "big");
	assert_int_equal(en->n_unreadable, 1);
	assert_int_equal(en->bad_offset, MIB + 1000);
	assert_int_equal(en->bad_len, MIB - 1000);
	assert_int_equal(p.seal.unreadable, 1);
}

static ssize_t
give_less(int fd, void *data, size_t len, off_t offset)
{
	return offset >= MIB ? 0 : pread(fd, data, len, offset);
}

static void
a_large_file_that_has_less_than_its_size_is_flagged(void **state)
{
	(void)state;
	put_noise("big", 2 * MIB, 1);
	source_pread = give_less;
	make(2);
	assert_true(packed_find(&p, "big")->changed);
	assert_int_equal(packed_find(&p, "big")->size, 2 * MIB);
}

static ssize_t
grow_the_others(int fd, void *data, size_t len, off_t offset)
{
	char name[16];

	for (int i = 1; reads == 0 && i < 60; i++) {
		(void)snprintf(name, sizeof(name), "f%02d", i);
		write_at(name, 900000, "end");
	}
	reads++;
	return pread(fd, data, len, offset);
}

static void
small_files_that_grow_do_not_fill_the_memory(void **state)
{
	char name[16];
	uint64_t longest = 0;

	(void)state;
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "f%02d", i);
		scratch_puts(dir, name, "x");
	}
	source_pread = grow_the_others;
	make(1);
	for (size_t i = 0; i < p.n_members; i++)
		longest = p.members[i].plain_len > longest ? p.members[i].plain_len : longest;
	assert_true(longest < 10 * MIB);
	assert_int_equal(packed_find(&p, "f20")->size, 900003);
	/* The last ones are kept as they were listed. */
	assert_int_equal(packed_find(&p, "f59")->size, 1);
	assert_true(packed_find(&p, "f59")->changed);
}

static void
a_path_beyond_what_an_index_holds_is_noted(void **state)
{
	/* Directories 255 bytes long, 520 deep: over 128 KiB. */
	char name[256];
	int at = dup(root);

	(void)state;
	memset(name, 'd', 255);
	name[255] = '\0';
	for (int i = 0; i < 520 && at >= 0; i++) {
		if (mkdirat(at, name, 0755) != 0)
			break;
		int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	make(1);
	/* Only this test's tree is too deep for nftw(3). */
	char command[SCRATCH_MAX + 16];
	(void)snprintf(command, sizeof(command), "rm -rf '%s'/d*", dir);
	assert_int_equal(system(command), 0);
	assert_non_null(strstr(buf_str(&p.notes), "path too long"));
	assert_true(p.seal.unreadable >= 1);
	assert_true(p.n > 500);
}

static void
a_stop_ends_it(void **state)
{
	(void)state;
	put_noise("big", 3 * MIB, 1);
	stop_request(15);
	assert_int_equal(packed_make(&p, dir, NULL, 2, &e), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	stop_request(0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_empty_directory_is_one_entry),
	    T(every_type_is_stored_as_it_is),
	    T(a_large_file_is_a_header_and_chunks),
	    T(the_first_of_several_names_holds_the_data),
	    T(a_name_outside_the_source_makes_no_link),
	    T(attributes_come_along),
	    T(the_result_does_not_depend_on_the_number_of_workers),
	    T(holes_are_found_in_the_content),
	    T(a_file_of_nothing_but_zeros_is_a_header),
	    T(few_holes_are_stored_as_zeros),
	    T(what_vanishes_between_listing_and_reading_is_noted),
	    T(notes_without_an_entry_beside_them_come_last),
	    T(a_hard_linked_file_that_changes_stays_one_file),
	    T(a_first_name_that_vanishes_before_its_link_begins_a_member_makes_no_link),
	    T(a_large_file_that_grows_is_stored_as_it_was),
	    T(a_large_file_that_changes_is_passed_again),
	    T(a_large_file_that_is_emptied_is_stored_empty),
	    T(a_large_file_that_never_rests_is_flagged),
	    T(an_io_error_leaves_zeros_and_says_where),
	    T(a_large_file_that_has_less_than_its_size_is_flagged),
	    T(small_files_that_grow_do_not_fill_the_memory),
	    T(a_path_beyond_what_an_index_holds_is_noted),
	    T(a_stop_ends_it),
	};

	log_init("test", LOG_QUIET);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
