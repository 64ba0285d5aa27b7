/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/beneath.h"
#include "core/buf.h"

/* A scratch directory, removed by rm(1): some names in it are longer than PATH_MAX. */
static char scratch[512];
static int root;

static int
setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;

	(void)snprintf(
	    scratch, sizeof(scratch) - 8, "%s/tarseal-beneath-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(scratch) == NULL || (root = open(scratch, O_RDONLY | O_DIRECTORY)) < 0)
		return -1;
	if (mkdirat(root, "root", 0755) != 0 || mkdirat(root, "outside", 0755) != 0)
		return -1;
	(void)close(openat(root, "outside/secret", O_CREAT | O_WRONLY, 0644));
	(void)close(root);
	(void)strcat(scratch, "/root");
	root = open(scratch, O_RDONLY | O_DIRECTORY);
	*strrchr(scratch, '/') = '\0';
	return root < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	char command[600];

	(void)state;
	(void)close(root);
	(void)snprintf(command, sizeof(command), "rm -rf %s", scratch);
	return system(command);
}

/* A path of components "d" until it is longer than PATH_MAX, then name. */
static void
long_path(struct buf *b, const char *name)
{
	while (b->len < 5000)
		buf_puts(b, "ddddddddddddddddddddddddddddddddddddddddddddddddd/");
	buf_puts(b, name);
	(void)buf_str(b);
}

static void
make_file(const char *path)
{
	const char *base;
	int dir = beneath_make_parent(root, path, &base), fd;

	assert_true(dir >= 0);
	fd = openat(dir, base, O_CREAT | O_WRONLY | O_EXCL, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	(void)close(dir);
}

static void
files_below_are_opened_and_the_root_by_an_empty_path(void **state)
{
	int fd;

	(void)state;
	make_file("a/b/c");
	make_file("a/b/d");
	fd = beneath_open(root, "a/b/c", O_RDONLY, 0);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	(void)close(fd);
	fd = beneath_open(root, "", O_RDONLY | O_DIRECTORY, 0);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(beneath_open(root, "a/b/none", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
}

static void
paths_longer_than_path_max_work_too(void **state)
{
	struct buf b = {0};
	const char *base;
	int fd;

	(void)state;
	long_path(&b, "file");
	make_file(buf_str(&b));
	fd = beneath_open(root, buf_str(&b), O_RDONLY, 0);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = beneath_parent(root, buf_str(&b), &base);
	assert_true(fd >= 0);
	assert_string_equal(base, "file");
	(void)close(fd);
	buf_done(&b);
}

static void
refused(const char *path)
{
	assert_int_equal(beneath_open(root, path, O_RDONLY, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(beneath_open(root, path, O_RDONLY | O_DIRECTORY, 0), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(beneath_open(root, path, O_WRONLY | O_CREAT, 0600), -1);
	assert_int_equal(errno, ELOOP);
}

static void
parent_refused(const char *path)
{
	const char *base;

	refused(path);
	assert_int_equal(beneath_parent(root, path, &base), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(beneath_make_parent(root, path, &base), -1);
	assert_int_equal(errno, ELOOP);
}

static void
a_link_in_any_component_is_refused(void **state)
{
	struct buf b = {0};

	(void)state;
	make_file("x/y/z");
	assert_int_equal(symlinkat("../outside", root, "first"), 0);
	assert_int_equal(symlinkat("../../outside", root, "x/middle"), 0);
	assert_int_equal(symlinkat("../../../outside/secret", root, "x/y/last"), 0);
	assert_int_equal(symlinkat("z", root, "x/y/inside"), 0);
	parent_refused("first/secret");
	parent_refused("x/middle/secret");
	refused("x/y/last");
	refused("x/y/inside");
	/* And component by component, where the kernel's call gives up. */
	long_path(&b, "file");
	make_file(buf_str(&b));
	buf_clear(&b);
	buf_puts(&b, "x/middle/");
	long_path(&b, "file");
	parent_refused(buf_str(&b));
	buf_done(&b);
}

static void
a_file_where_a_directory_should_be_is_no_link(void **state)
{
	struct buf b = {0};
	const char *base;

	(void)state;
	make_file("x/file");
	assert_int_equal(beneath_open(root, "x/file/y", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(beneath_make_parent(root, "x/file/y", &base), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(beneath_open(root, "x/file", O_RDONLY | O_DIRECTORY, 0), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(beneath_parent(root, "x/none/y", &base), -1);
	assert_int_equal(errno, ENOENT);
	buf_puts(&b, "x/");
	while (b.len < 300)
		buf_putc(&b, 'n');
	buf_puts(&b, "/y");
	assert_int_equal(beneath_open(root, buf_str(&b), O_RDONLY, 0), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	buf_done(&b);
}

static void
a_link_itself_is_opened_by_o_path(void **state)
{
	char target[64] = "";
	int fd;

	(void)state;
	assert_int_equal(symlinkat("/etc/passwd", root, "link"), 0);
	fd = beneath_open(root, "link", O_PATH | O_NOFOLLOW, 0);
	assert_true(fd >= 0);
	assert_int_equal(readlinkat(fd, "", target, sizeof(target) - 1), 11);
	assert_string_equal(target, "/etc/passwd");
	(void)close(fd);
}

/* openat2(2) is strict about what openat(2) ignores. */
static void
modes_that_do_not_matter_are_ignored(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	make_file("d/file");
	fd = beneath_open(root, "d", O_RDONLY | O_DIRECTORY, 0755);
	assert_true(fd >= 0);
	(void)close(fd);
	fd = beneath_open(root, "d/new", O_WRONLY | O_CREAT | O_EXCL, S_IFREG | 0600);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)close(fd);
	assert_int_equal(beneath_open(root, "d/new", O_WRONLY | O_CREAT | O_EXCL, 0600), -1);
	assert_int_equal(errno, EEXIST);
}

static void
no_descriptor_is_left_open(void **state)
{
	const char *base;
	int before = dup(root), after, fd;

	(void)state;
	(void)close(before);
	make_file("a/b/c");
	assert_int_equal(symlinkat("b", root, "a/link"), 0);
	refused("a/link/c");
	assert_int_equal(beneath_open(root, "a/none/c", O_RDONLY, 0), -1);
	assert_int_equal(beneath_make_parent(root, "a/b/c/d", &base), -1);
	fd = beneath_parent(root, "a/b/c", &base);
	assert_int_equal(close(fd), 0);
	after = dup(root);
	assert_int_equal(after, before);
	(void)close(after);
}

static void
make_parent_makes_nothing_outside(void **state)
{
	const char *base;

	(void)state;
	assert_int_equal(symlinkat("../outside", root, "link"), 0);
	assert_int_equal(beneath_make_parent(root, "link/new/file", &base), -1);
	assert_int_equal(faccessat(root, "../outside/new", F_OK, 0), -1);
	assert_int_equal(beneath_make_parent(root, "p/q/file", &base) >= 0, 1);
	assert_string_equal(base, "file");
}

/* From here on openat2(2) fails in this process as on a kernel that lacks it. */
static bool
take_openat2_away(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	struct open_how how = {.flags = O_PATH};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		return false;
	return syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)) < 0 && errno == ENOSYS;
}

static void
the_kernel_lets_us_take_openat2_away(void **state)
{
	(void)state;
	if (!take_openat2_away())
		skip();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(files_below_are_opened_and_the_root_by_an_empty_path),
	    TEST(paths_longer_than_path_max_work_too),
	    TEST(a_link_in_any_component_is_refused),
	    TEST(a_file_where_a_directory_should_be_is_no_link),
	    TEST(a_link_itself_is_opened_by_o_path),
	    TEST(modes_that_do_not_matter_are_ignored),
	    TEST(no_descriptor_is_left_open),
	    TEST(make_parent_makes_nothing_outside),
	};
	const struct CMUnitTest away[] = {cmocka_unit_test(the_kernel_lets_us_take_openat2_away)};
	int failed = cmocka_run_group_tests_name("core_beneath", tests, NULL, NULL);

	failed += cmocka_run_group_tests_name("core_beneath: seccomp", away, NULL, NULL);
	failed += cmocka_run_group_tests_name("core_beneath, by steps", tests, NULL, NULL);
	return failed;
}
