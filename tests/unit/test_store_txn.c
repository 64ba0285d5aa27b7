/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/io.h"
#include "core/log.h"
#include "store/repo.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stub_backup.h"

static char dir[SCRATCH_MAX], names[4096];
static struct repo *repo;
static struct repo_txn *txn;
static struct buf seal;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	memset(&e, 0, sizeof(e));
	log_init("test", LOG_QUIET);
	scratch_new(dir);
	stub_seal("n-1", &(struct stub){.sequence = 1}, &seal, NULL);
	return repo_open(&repo, dir, &e) < 0 || repo_lock(repo, 0, &e) < 0;
}

static int
teardown(void **state)
{
	(void)state;
	repo_close(repo);
	buf_done(&seal);
	scratch_remove(dir);
	return 0;
}

static void
begin_and_write(void)
{
	assert_int_equal(repo_txn_begin(&txn, repo, "n-1", &e), 0);
	assert_int_equal(
	    io_write(repo_txn_archive_fd(txn), STUB_ARCHIVE, strlen(STUB_ARCHIVE), &e), 0);
	assert_int_equal(
	    io_write(repo_txn_manifest_fd(txn), STUB_MANIFEST, strlen(STUB_MANIFEST), &e), 0);
}

static void
commit_leaves_three_names_and_their_bytes(void **state)
{
	struct buf b = {0};
	struct stat st;

	(void)state;
	begin_and_write();
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock .n-1.manifest.gz.new .n-1.tar.gz.new ");
	assert_int_equal(repo_txn_commit(txn, seal.data, seal.len, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock n-1.manifest.gz n-1.seal n-1.tar.gz ");
	scratch_get(dir, "n-1.tar.gz", &b);
	assert_string_equal(buf_str(&b), STUB_ARCHIVE);
	buf_clear(&b);
	scratch_get(dir, "n-1.seal", &b);
	assert_int_equal(b.len, seal.len);
	assert_memory_equal(b.data, seal.data, seal.len);
	buf_done(&b);
	assert_int_equal(fstatat(repo_fd(repo), "n-1.tar.gz", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
abort_leaves_nothing(void **state)
{
	(void)state;
	begin_and_write();
	repo_txn_abort(txn);
	repo_txn_abort(NULL);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock ");
}

static void
begin_needs_the_lock(void **state)
{
	struct repo *other;

	(void)state;
	assert_int_equal(repo_open(&other, dir, &e), 0);
	assert_int_equal(repo_txn_begin(&txn, other, "n-1", &e), -1);
	assert_int_equal(e.kind, ERR_LOCKED);
	repo_close(other);
}

static void
begin_takes_over_no_file(void **state)
{
	(void)state;
	scratch_puts(dir, ".n-1.manifest.gz.new", "x");
	assert_int_equal(repo_txn_begin(&txn, repo, "n-1", &e), -1);
	assert_int_equal(e.sys, EEXIST);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock .n-1.manifest.gz.new ");
	assert_int_equal(repo_txn_begin(&txn, repo, "../n", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

static void
a_failure_before_the_seal_is_durable_leaves_nothing(void **state)
{
	(void)state;
	begin_and_write();
	scratch_puts(dir, ".n-1.seal.new", "not ours");
	assert_int_equal(repo_txn_commit(txn, seal.data, seal.len, &e), -1);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock .n-1.seal.new ");
}

static void
commit_replaces_no_file(void **state)
{
	struct buf b = {0};

	(void)state;
	begin_and_write();
	scratch_puts(dir, "n-1.tar.gz", "somebody's archive");
	assert_int_equal(repo_txn_commit(txn, seal.data, seal.len, &e), -1);
	assert_int_equal(e.sys, EEXIST);
	scratch_get(dir, "n-1.tar.gz", &b);
	assert_string_equal(buf_str(&b), "somebody's archive");
	buf_done(&b);
	assert_false(scratch_has(dir, "n-1.seal"));
	/* The next run clears up, and does not touch it either. */
	assert_int_equal(repo_recover(repo, &e), 0);
	scratch_list(dir, names, sizeof(names));
	assert_string_equal(names, ".lock n-1.tar.gz ");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    T(commit_leaves_three_names_and_their_bytes),
	    T(abort_leaves_nothing),
	    T(begin_needs_the_lock),
	    T(begin_takes_over_no_file),
	    T(a_failure_before_the_seal_is_durable_leaves_nothing),
	    T(commit_replaces_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
