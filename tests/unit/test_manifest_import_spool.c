/* SPDX-License-Identifier: BSD-2-Clause */
#include "manifest/import_spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/num.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static char dir[SCRATCH_MAX];
static struct repo *repo;
static struct import_spool *s;
static struct import_reader *r;
static struct buf want, got;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	assert_int_equal(repo_open(&repo, dir, &e), 0);
	assert_int_equal(repo_lock(repo, 0, &e), 0);
	assert_int_equal(import_spool_new(&s, repo, "s-20260101_000000", &e), 0);
	return 0;
}

static int
teardown(void **state)
{
	char left[256];

	(void)state;
	import_reader_free(r);
	r = NULL;
	import_spool_free(s);
	repo_close(repo);
	buf_done(&want);
	buf_done(&got);
	scratch_list(dir, left, sizeof(left));
	assert_string_equal(left, ".lock ");
	scratch_remove(dir);
	return 0;
}

static void
put(size_t len, bool packs)
{
	size_t at = want.len;
	uint8_t *to = buf_reserve(&want, len);

	assert_non_null(to);
	for (size_t i = 0; i < len; i++)
		to[i] = packs ? (uint8_t)(i / 300 + 1) : (uint8_t)(random() >> 8);
	want.len += len;
	assert_true(import_spool_pos(s) == at);
	assert_int_equal(import_spool_put(s, to, len, &e), 0);
}

static void
zeros(size_t len)
{
	buf_zeros(&want, len);
	assert_int_equal(import_spool_zeros(s, len, &e), 0);
}

static void
read_is_right(uint64_t pos, size_t len)
{
	buf_clear(&got);
	void *room = buf_reserve(&got, len + 1);
	assert_non_null(room);
	if (import_reader_get(r, pos, room, len, &e) != 0)
		fail_msg("%s", e.msg);
	assert_memory_equal(room, want.data + pos, len);
}

static void
what_is_put_can_be_read_anywhere(void **state)
{
	(void)state;
	srandom(1);
	put(1, true);
	put(300000, false);
	zeros(131072 * 3 + 77);
	put(131072, true);
	put(0, true);
	zeros(1);
	put(999999, true);
	zeros(5);
	assert_int_equal(import_spool_finish(s, &e), 0);
	assert_int_equal(import_reader_new(&r, s, &e), 0);
	read_is_right(0, want.len);
	for (int i = 0; i < 500; i++) {
		uint64_t pos = (uint64_t)random() % want.len;
		size_t len = (size_t)random() % (i % 10 == 0 ? 400000 : 3000);
		read_is_right(pos, len < want.len - pos ? len : (size_t)(want.len - pos));
	}
}

static void
zeros_take_no_room(void **state)
{
	uint8_t byte = 1;

	(void)state;
	assert_int_equal(import_spool_zeros(s, 1u << 30, &e), 0);
	assert_int_equal(import_spool_put(s, "end", 3, &e), 0);
	assert_int_equal(import_spool_finish(s, &e), 0);
	assert_true(import_spool_size(s) < 100000);
	assert_int_equal(import_reader_new(&r, s, &e), 0);
	assert_int_equal(import_reader_get(r, (1u << 30) - 1, &byte, 1, &e), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(import_reader_get(r, (1u << 30) + 2, &byte, 1, &e), 0);
	assert_int_equal(byte, 'd');
}

/* The file of this process that has no name and is at least that long, or -1. */
static int
nameless(off_t min)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *de;
	struct stat st;
	int found = -1;

	assert_non_null(d);
	while ((de = readdir(d)) != NULL) {
		uint64_t n;
		if (num_u64(de->d_name, strlen(de->d_name), 65536, &n) != 0)
			continue;
		int fd = (int)n;
		if (fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 0 &&
		    st.st_size >= min)
			found = fd;
	}
	(void)closedir(d);
	return found;
}

static void
a_disk_that_fails_is_no_content(void **state)
{
	uint8_t room[100], byte;

	(void)state;
	srandom(2);
	put(400000, false);
	assert_int_equal(import_spool_finish(s, &e), 0);
	int fd = nameless(300000);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 5000), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 5000), 1);
	assert_int_equal(import_reader_new(&r, s, &e), 0);
	assert_int_equal(import_reader_get(r, 100, room, sizeof(room), &e), -1);
	/* No fault of the archive. */
	assert_int_equal(e.kind, ERR_SYS);
	assert_non_null(strstr(e.msg, dir));
	err_clear(&e);
	read_is_right(200000, 1000);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(what_is_put_can_be_read_anywhere),
	    T(zeros_take_no_room),
	    T(a_disk_that_fails_is_no_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
