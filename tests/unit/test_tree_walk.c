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

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/path.h"
#include "core/stop.h"
#include "tests/unit/scratch.h"
#include "tree/exclude.h"
#include "tree/walk.h"

static char dir[SCRATCH_MAX];
static int root;
static struct exclude *x;
static struct walk_opts opts;
static struct buf seen; /* "kind path\n" of each item */
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	memset(&opts, 0, sizeof(opts));
	scratch_new(dir);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (exclude_new(&x, &e) != 0)
		return -1;
	opts.exclude = x;
	return root < 0;
}

/* By rm(1): some paths in there are longer than PATH_MAX. */
static int
teardown(void **state)
{
	char command[SCRATCH_MAX + 16];

	(void)state;
	exclude_free(x);
	buf_done(&seen);
	(void)close(root);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static void
make_dir(const char *path)
{
	assert_int_equal(mkdirat(root, path, 0755), 0);
}

static void
make_file(const char *path)
{
	int fd = openat(root, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	(void)close(fd);
}

static void
put_item(const struct walk_item *it)
{
	static const char kinds[] = {[WALK_ENTRY] = 'e',
	    [WALK_EXCLUDED] = 'x',
	    [WALK_VANISHED] = 'v',
	    [WALK_UNREADABLE] = 'u',
	    [WALK_SKIPPED] = 's'};

	assert_int_equal(strlen(it->path), it->path_len);
	buf_printf(&seen, "%c%s%s\n", kinds[it->kind], it->path_len > 0 ? " " : "", it->path);
}

/* Walk it all, calling meet (NULL: nothing) for each item. */
static int
walk_all(void (*meet)(const struct walk_item *it))
{
	struct walk_item it;
	struct walk *w;
	int rc;

	buf_clear(&seen);
	assert_int_equal(walk_new(&w, root, &opts, &e), 0);
	while ((rc = walk_next(w, &it, &e)) == 1) {
		put_item(&it);
		if (meet != NULL)
			meet(&it);
	}
	walk_free(w);
	return rc;
}

static void
walk_of_an_empty_directory_is_itself(void **state)
{
	(void)state;
	assert_int_equal(walk_all(NULL), 0);
	assert_string_equal(buf_str(&seen), "e\n");
}

static void
walk_goes_depth_first_and_bytewise(void **state)
{
	(void)state;
	make_dir("a");
	make_file("a/z");
	make_dir("a/b");
	make_file("a/b/c");
	make_file("a-b");
	make_file("a.b");
	make_file("ab");
	make_file("B");
	assert_int_equal(walk_all(NULL), 0);
	assert_string_equal(
	    buf_str(&seen), "e\ne B\ne a\ne a/b\ne a/b/c\ne a/z\ne a-b\ne a.b\ne ab\n");
}

static char last[SCRATCH_MAX];

static void
must_ascend(const struct walk_item *it)
{
	if (it->path_len > 0 && last[0] != '\0')
		assert_true(path_cmp(last, strlen(last), it->path, it->path_len) < 0);
	(void)snprintf(last, sizeof(last), "%s", it->path);
}

static void
walk_is_in_the_order_of_paths(void **state)
{
	char path[64];
	unsigned r = 1;

	(void)state;
	for (int i = 0; i < 300; i++) {
		r = r * 1103515245 + 12345;
		(void)snprintf(
		    path, sizeof(path), "%c%c", 33 + (r >> 16) % 14, 33 + (r >> 20) % 90);
		if (strchr(path, '/') != NULL || strcmp(path, "..") == 0)
			continue;
		if (mkdirat(root, path, 0755) == 0) {
			(void)strcat(path, "/!x");
			make_file(path);
		}
	}
	last[0] = '\0';
	assert_int_equal(walk_all(must_ascend), 0);
	assert_true(seen.len > 1000);
}

static void
walk_leaves_out_what_is_excluded_with_all_below(void **state)
{
	(void)state;
	make_dir("cache");
	make_file("cache/a");
	make_dir("d");
	make_file("d/cache");
	make_file("d/a.tmp");
	assert_int_equal(exclude_add(x, "cache/", &e), 0);
	assert_int_equal(exclude_add(x, "*.tmp", &e), 0);
	assert_int_equal(walk_all(NULL), 0);
	assert_string_equal(buf_str(&seen), "e\nx cache\ne d\nx d/a.tmp\ne d/cache\n");
}

static void
walk_skips_lost_and_found_only_at_the_top(void **state)
{
	(void)state;
	make_dir("lost+found");
	make_file("lost+found/#12");
	make_dir("d");
	make_dir("d/lost+found");
	assert_int_equal(walk_all(NULL), 0);
	assert_string_equal(buf_str(&seen), "e\ne d\ne d/lost+found\n");
}

static void
walk_keeps_a_file_called_lost_and_found(void **state)
{
	(void)state;
	make_file("lost+found");
	assert_int_equal(walk_all(NULL), 0);
	assert_string_equal(buf_str(&seen), "e\ne lost+found\n");
}

static void
walk_notes_a_socket(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/sock", dir) >= (int)sizeof(a.sun_path))
		skip();
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	(void)close(s);
	assert_int_equal(walk_all(NULL), 0);
	assert_string_equal(buf_str(&seen), "e\ns sock\n");
}

static void
check_link(const struct walk_item *it)
{
	if (strcmp(it->path, "l") != 0)
		return;
	assert_true(S_ISLNK(it->facts.mode));
	assert_string_equal(it->link, "d/../nowhere");
	assert_int_equal(it->link_len, 12);
}

static void
walk_never_follows_a_link(void **state)
{
	(void)state;
	make_dir("d");
	make_file("d/f");
	assert_int_equal(symlinkat(".", root, "d/loop"), 0);
	assert_int_equal(symlinkat("d", root, "k"), 0);
	assert_int_equal(symlinkat("d/../nowhere", root, "l"), 0);
	assert_int_equal(walk_all(check_link), 0);
	assert_string_equal(buf_str(&seen), "e\ne d\ne d/f\ne d/loop\ne k\ne l\n");
}

static void
exchange_dir_for_link(const struct walk_item *it)
{
	if (strcmp(it->path, "a") != 0)
		return;
	assert_int_equal(unlinkat(root, "b", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/", root, "b"), 0);
	assert_int_equal(unlinkat(root, "c", 0), 0);
}

static void
walk_sees_what_a_name_is_when_it_comes_to_it(void **state)
{
	(void)state;
	make_file("a");
	make_dir("b");
	make_file("c");
	assert_int_equal(walk_all(exchange_dir_for_link), 0);
	assert_string_equal(buf_str(&seen), "e\ne a\ne b\nv c\n");
}

static void
where_it_is(const struct walk_item *it)
{
	struct stat st;

	assert_int_equal(fstatat(it->dirfd, it->name, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_ino, it->facts.ino);
}

static void
walk_tells_where_an_entry_is(void **state)
{
	(void)state;
	make_dir("d");
	make_dir("d/e");
	make_file("d/e/f");
	make_file("g");
	assert_int_equal(walk_all(where_it_is), 0);
}

static void
walk_goes_beyond_path_max(void **state)
{
	char name[201];
	int at = dup(root), next;
	const int levels = 30; /* 30 * 201 > PATH_MAX */

	(void)state;
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < levels; i++) {
		assert_int_equal(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	assert_int_equal(walk_all(NULL), 0);
	size_t lines = 0;
	for (size_t i = 0; i < seen.len; i++)
		lines += seen.data[i] == '\n';
	assert_int_equal(lines, levels + 1);
}

static void
walk_notes_directories_that_it_cannot_open(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip();
	make_dir("d");
	make_file("d/f");
	make_file("e");
	assert_int_equal(fchmodat(root, "d", 0, 0), 0);
	assert_int_equal(walk_all(NULL), 0);
	assert_int_equal(fchmodat(root, "d", 0755, 0), 0);
	assert_string_equal(buf_str(&seen), "e\ne d\nu d\ne e\n");
}

/* walk_all() with so many descriptors allowed. */
static int
walk_with_descriptors(rlim_t n)
{
	struct rlimit old, low;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	int rc = walk_all(NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	return rc;
}

static void
walk_out_of_descriptors_fails_and_blames_no_directory(void **state)
{
	(void)state;
	make_dir("a");
	make_dir("a/b");
	make_dir("a/b/c");
	make_file("z");
	/* the source's level, and that of a */
	assert_int_equal(walk_with_descriptors((rlim_t)root + 1 + 2), -1);
	assert_null(strstr(buf_str(&seen), "u "));
}

static void
walk_notes_what_is_deeper_than_half_the_descriptors(void **state)
{
	char path[256] = "d", want[4096] = "e\n";
	rlim_t levels = (rlim_t)root + 8;

	(void)state;
	for (rlim_t i = 1; i <= levels + 2; i++) {
		make_dir(path);
		if (i <= levels)
			(void)snprintf(
			    want + strlen(want), sizeof(want) - strlen(want), "e %s\n", path);
		if (i == levels)
			(void)snprintf(
			    want + strlen(want), sizeof(want) - strlen(want), "u %s\n", path);
		(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
	}
	make_file("z");
	(void)snprintf(want + strlen(want), sizeof(want) - strlen(want), "e z\n");
	assert_int_equal(walk_with_descriptors(2 * levels), 0);
	assert_string_equal(buf_str(&seen), want);
}

static void
walk_refuses_to_meet_the_repository(void **state)
{
	struct stat st;

	(void)state;
	make_dir("d");
	make_dir("d/repo");
	assert_int_equal(fstatat(root, "d/repo", &st, 0), 0);
	opts.has_forbidden = true;
	opts.forbidden_dev = st.st_dev;
	opts.forbidden_ino = st.st_ino;
	assert_int_equal(walk_all(NULL), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, "d/repo"));
}

static void
walk_on_one_file_system_stays_there(void **state)
{
	struct stat here, there;

	(void)state;
	(void)close(root);
	root = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fstatat(root, ".", &here, 0) != 0 || fstatat(root, "pts", &there, 0) != 0 ||
	    here.st_dev == there.st_dev)
		skip();
	opts.one_file_system = true;
	assert_int_equal(walk_all(NULL), 0);
	assert_non_null(strstr(buf_str(&seen), "\ne pts\n"));
	assert_null(strstr(buf_str(&seen), "pts/"));
}

static void
walk_stops_when_asked(void **state)
{
	(void)state;
	stop_request(15);
	assert_int_equal(walk_all(NULL), -1);
	assert_int_equal(e.kind, ERR_STOPPED);
	stop_request(0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(walk_of_an_empty_directory_is_itself),
	    T(walk_goes_depth_first_and_bytewise),
	    T(walk_is_in_the_order_of_paths),
	    T(walk_leaves_out_what_is_excluded_with_all_below),
	    T(walk_skips_lost_and_found_only_at_the_top),
	    T(walk_keeps_a_file_called_lost_and_found),
	    T(walk_notes_a_socket),
	    T(walk_never_follows_a_link),
	    T(walk_sees_what_a_name_is_when_it_comes_to_it),
	    T(walk_tells_where_an_entry_is),
	    T(walk_goes_beyond_path_max),
	    T(walk_notes_directories_that_it_cannot_open),
	    T(walk_out_of_descriptors_fails_and_blames_no_directory),
	    T(walk_notes_what_is_deeper_than_half_the_descriptors),
	    T(walk_refuses_to_meet_the_repository),
	    T(walk_on_one_file_system_stays_there),
	    T(walk_stops_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
