/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive/gunzip.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/buf.h"
#include "core/err.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX];
static struct buf file, plain, got;
static struct err e;
static int rc;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	buf_clear(&file);
	buf_clear(&plain);
	buf_clear(&got);
	scratch_new(dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	scratch_remove(dir);
	buf_done(&file);
	buf_done(&plain);
	buf_done(&got);
	return 0;
}

/* One more member in file, and its content in plain. */
static void
put_member(const void *data, size_t len, int level)
{
	z_stream z = {0};

	assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	uLong room = deflateBound(&z, (uLong)len) + 64;
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)len;
	z.next_out = buf_reserve(&file, room);
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	file.len += room - z.avail_out;
	(void)deflateEnd(&z);
	buf_append(&plain, data, len);
}

static void
put_noise(size_t len, unsigned seed)
{
	uint8_t *data = malloc(len);

	assert_non_null(data);
	srandom(seed);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(random() >> (i % 3 == 0 ? 8 : 24));
	put_member(data, len, 6);
	free(data);
}

/* Read file[0..len) to its end: rc and got. */
static void
read_file(size_t len)
{
	char path[SCRATCH_MAX + 8];
	struct gunzip *g;
	const void *data;
	ssize_t n;

	scratch_put(dir, "f", file.data, len);
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	err_clear(&e);
	buf_clear(&got);
	assert_int_equal(gunzip_new(&g, fd, &e), 0);
	while ((n = gunzip_read(g, &data, &e)) > 0)
		buf_append(&got, data, (size_t)n);
	rc = (int)n;
	if (rc == 0) {
		uint8_t digest[SHA256_LEN], want[SHA256_LEN];
		gunzip_digest(g, digest);
		sha256_of(file.data, len, want);
		assert_memory_equal(digest, want, sizeof(want));
		assert_true(gunzip_taken(g) == len);
		assert_int_equal(gunzip_read(g, &data, &e), 0); /* and again */
	}
	gunzip_free(g);
	(void)close(fd);
}

static void
whole(void)
{
	read_file(file.len);
	assert_int_equal(rc, 0);
	assert_int_equal(got.len, plain.len);
	assert_memory_equal(got.data, plain.data, plain.len);
}

static void
refused(const char *why)
{
	assert_int_equal(rc, -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.msg, why));
}

static void
one_member_comes_out_as_it_went_in(void **state)
{
	(void)state;
	put_noise(1500000, 1);
	whole();
}

static void
many_members_are_one_stream(void **state)
{
	(void)state;
	put_noise(100, 1);
	put_member("", 0, 6);
	put_noise(700000, 2);
	put_member("x", 1, 0);
	put_member("", 0, 9);
	whole();
}

static void
names_times_and_comments_are_passed_over(void **state)
{
	gz_header h = {.name = (Bytef[]){"name"}, .comment = (Bytef[]){"comment"}, .hcrc = 1};
	z_stream z = {0};

	(void)state;
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflateSetHeader(&z, &h), Z_OK);
	z.next_in = (Bytef[]){"abc"};
	z.avail_in = 3;
	z.next_out = buf_reserve(&file, 200);
	z.avail_out = 200;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	file.len = 200 - z.avail_out;
	(void)deflateEnd(&z);
	buf_puts(&plain, "abc");
	whole();
}

static void
a_file_cut_anywhere_is_refused(void **state)
{
	(void)state;
	put_noise(500, 1);
	put_noise(300, 2);
	size_t first = 0;
	for (size_t len = 0; len < file.len; len++) {
		read_file(len);
		if (rc == 0) {
			/* Between the members it is a whole file, and cannot be told from one. */
			assert_int_equal(first, 0);
			assert_int_equal(got.len, 500);
			first = len;
			continue;
		}
		refused(len == 0 ? "is empty" : "breaks off");
	}
	assert_true(first > 0);
}

static void
a_flipped_bit_never_goes_unseen(void **state)
{
	size_t unseen = 0;

	(void)state;
	put_noise(400, 1);
	for (size_t at = 0; at < file.len; at++) {
		file.data[at] ^= 0x10;
		read_file(file.len);
		/* Some say nothing of the content: time and system, bits behind the last block. */
		if (rc == 0) {
			assert_int_equal(got.len, plain.len);
			assert_memory_equal(got.data, plain.data, plain.len);
			unseen++;
		} else {
			assert_int_equal(e.kind, ERR_CORRUPT);
		}
		file.data[at] ^= 0x10;
	}
	assert_in_range(unseen, 1, 7);
	whole();
}

static void
what_follows_is_refused_with_its_place(void **state)
{
	static const char *const tails[] = {"x", "\037", "\037x", "more than a few bytes"};
	char place[64];

	(void)state;
	put_noise(300, 1);
	size_t len = file.len;
	for (size_t i = 0; i < COUNT(tails); i++) {
		file.len = len;
		buf_puts(&file, tails[i]);
		read_file(file.len);
		assert_int_equal(rc, -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (tails[i][0] == '\037')
			continue; /* the beginning of a member, and a bad one */
		(void)snprintf(place, sizeof(place), "follows its end, at byte %zu", len);
		refused(place);
	}
	file.len = len;
	buf_zeros(&file, 512);
	read_file(file.len);
	refused("something else than gzip data");
}

static void
a_member_at_the_border_of_a_read_is_seen(void **state)
{
	(void)state;
	/* Its magic lies across the end of the first piece of 256 KiB. */
	for (int before = 3; before >= -1; before--) {
		buf_clear(&file);
		buf_clear(&plain);
		put_member("", 0, 0);
		size_t empty = file.len;
		buf_clear(&file);
		size_t want = (256u << 10) - (size_t)(before + 1);
		/* A stored block has 5 bytes more than its data; several have 5 each. */
		uint8_t *zeros = calloc(1, want);
		size_t n = want - empty;
		for (;; n--) {
			buf_clear(&file);
			buf_clear(&plain);
			put_member(zeros, n, 0);
			if (file.len <= want)
				break;
		}
		free(zeros);
		put_member("second", 6, 6);
		whole();
	}
}

static void
what_is_no_gzip_is_told(void **state)
{
	(void)state;
	buf_puts(&file, "ustar");
	read_file(file.len);
	refused("is not gzip data");
	buf_clear(&file);
	buf_append(&file, "\037\213\001", 3);
	buf_zeros(&file, 40);
	read_file(file.len);
	refused("damaged");
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(one_member_comes_out_as_it_went_in),
	    T(many_members_are_one_stream),
	    T(names_times_and_comments_are_passed_over),
	    T(a_file_cut_anywhere_is_refused),
	    T(a_flipped_bit_never_goes_unseen),
	    T(what_follows_is_refused_with_its_place),
	    T(a_member_at_the_border_of_a_read_is_seen),
	    T(what_is_no_gzip_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
