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

#include "backup/survey.h"
#include "core/err.h"
#include "tests/unit/scratch.h"
#include "tree/walk.h"

static char dir[SCRATCH_MAX];
static int root;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	scratch_new(dir);
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return root < 0 || mkdirat(root, "a", 0755) != 0 || mkdirat(root, "a/b", 0755) != 0 ||
	    mkdirat(root, "a/b/c", 0755) != 0 || mkdirat(root, "ab", 0755) != 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)close(root);
	scratch_remove(dir);
	return 0;
}

static void
survey_counts_what_would_be_stored(void **state)
{
	struct walk_opts opts = {0};
	struct survey s;

	(void)state;
	scratch_puts(dir, "f", "12345");
	scratch_puts(dir, "a/g", "123");
	assert_int_equal(linkat(root, "f", root, "a/b/f2", 0), 0);
	assert_int_equal(symlinkat("f", root, "s"), 0);
	assert_int_equal(mkfifoat(root, "p", 0600), 0);
	assert_int_equal(survey_run(root, &opts, &s, &e), 0);
	assert_int_equal(s.files, 2);
	assert_int_equal(s.dirs, 4);
	assert_int_equal(s.symlinks, 1);
	assert_int_equal(s.hardlinks, 1);
	assert_int_equal(s.others, 1);
	assert_int_equal(s.bytes, 8);
	assert_int_equal(survey_entries(&s), 9);
	assert_int_equal(s.excluded + s.skipped + s.unreadable, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(survey_counts_what_would_be_stored, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
